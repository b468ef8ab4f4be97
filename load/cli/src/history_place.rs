//! Where the history is unless somebody says otherwise.

use std::path::{Path, PathBuf};

use acrida_history::Place;

use crate::exit::Exit;
use crate::options::Environment;

/// The environment variable that names the place.
pub(crate) const VARIABLE: &str = "ACRIDA_HISTORY";

/// `$XDG_DATA_HOME/acrida`, or `~/.local/share/acrida`; none where nobody has a home.
pub(crate) fn folder(environment: &Environment, home: Option<&Path>) -> Option<PathBuf> {
    let data = environment.get("XDG_DATA_HOME").map(PathBuf::from);
    // The base directory specification: a relative path is to be ignored.
    let data = data.filter(|data| data.is_absolute());
    let data = data.or_else(|| home.map(|home| home.join(".local/share")));
    data.map(|data| data.join("acrida"))
}

/// The place that is named, or the usual one in `folder`, where runs wait, too, while a
/// server is away; none if there is neither.
pub(crate) fn complete(named: Option<Place>, folder: Option<&Path>) -> Option<Place> {
    let usual = || folder.map(|folder| Place::File(folder.join("history.db")));
    let place = named.or_else(usual)?;
    Some(match folder {
        Some(folder) => place.with_waiting_in(folder),
        None => place,
    })
}

/// The place that `named` says, or else the environment of this process.
///
/// # Errors
///
/// One line if it cannot be one, or if there is none.
pub(crate) fn of_process(named: Option<&str>) -> Result<Place, Exit> {
    let text = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let variable = text(VARIABLE);
    let parse = |spelling: &str, text: &str| {
        Place::parse(text).map_err(|error| Exit::Usage(format!("{spelling}: {error}")))
    };
    let named = match (named, variable.as_deref()) {
        (Some(named), _) => Some(parse("argument --history", named)?),
        (None, Some(text)) => Some(parse(&format!("environment variable {VARIABLE}"), text)?),
        (None, None) => None,
    };
    let data = text("XDG_DATA_HOME").map(|data| ("XDG_DATA_HOME".to_owned(), data));
    let folder = folder(&data.into_iter().collect(), std::env::home_dir().as_deref());
    complete(named, folder.as_deref()).ok_or_else(|| {
        Exit::Failed("there is no home for a history: name a file with --history".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_follows_the_base_directory_specification() {
        for (data, home, expected) in [
            (
                None,
                Some("/home/me"),
                Some("/home/me/.local/share/acrida/history.db"),
            ),
            (
                Some("/data"),
                Some("/home/me"),
                Some("/data/acrida/history.db"),
            ),
            (
                Some("relative"),
                Some("/home/me"),
                Some("/home/me/.local/share/acrida/history.db"),
            ),
            (None, None, None),
        ] {
            let environment = data.map(|data: &str| ("XDG_DATA_HOME".to_owned(), data.to_owned()));
            let folder = folder(&environment.into_iter().collect(), home.map(Path::new));
            let place = complete(None, folder.as_deref());
            assert_eq!(place, expected.map(|path| Place::File(path.into())));
        }
    }
}
