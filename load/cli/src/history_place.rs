//! Where the history is unless somebody says otherwise.

use std::path::{Path, PathBuf};

use crate::options::Environment;

/// The environment variable that names the file.
pub(crate) const VARIABLE: &str = "ACRIDA_HISTORY";

/// `$XDG_DATA_HOME/acrida/history.db`, or `~/.local/share/acrida/history.db`; none where
/// nobody has a home.
pub(crate) fn default(environment: &Environment, home: Option<&Path>) -> Option<PathBuf> {
    let data = environment.get("XDG_DATA_HOME").map(PathBuf::from);
    // The base directory specification: a relative path is to be ignored.
    let data = data.filter(|data| data.is_absolute());
    let data = data.or_else(|| home.map(|home| home.join(".local/share")));
    data.map(|data| data.join("acrida/history.db"))
}

/// The same, in the environment of this process, unless the variable names a file.
pub(crate) fn of_process() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).filter(|named| !named.is_empty());
    let data = std::env::var("XDG_DATA_HOME").ok();
    let environment = data.map(|data| ("XDG_DATA_HOME".to_owned(), data));
    let home = std::env::home_dir();
    named
        .map(PathBuf::from)
        .or_else(|| default(&environment.into_iter().collect(), home.as_deref()))
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
            let place = default(&environment.into_iter().collect(), home.map(Path::new));
            assert_eq!(place.as_deref(), expected.map(Path::new));
        }
    }
}
