//! The shell: finds and reads the configuration files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Layer, parse, parse_pyproject};

/// Longer files are refused: nobody writes a mebibyte of settings.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where files are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The folder of `locust.conf` and `pyproject.toml`, and what the path given
    /// to `--config` is relative to; the working folder.
    pub folder: PathBuf,
    /// The folder of `.locust.conf`.
    pub home: Option<PathBuf>,
}

/// Reads every file that sets something, the strongest first: the one named by
/// `--config`, `pyproject.toml`, `locust.conf`, `~/.locust.conf`. Only the first
/// has to exist.
///
/// # Errors
///
/// One line that names the file and what is wrong in it.
pub fn read_layers(config: Option<&str>, places: &Places) -> Result<Vec<Layer>, String> {
    let mut layers = Vec::new();
    if let Some(config) = config {
        layers.push(read_layer(config, &places.folder)?);
    }
    let home = places.home.as_ref().map(|home| home.join(".locust.conf"));
    let defaults = [
        (Some(places.folder.join("pyproject.toml")), "pyproject.toml"),
        (Some(places.folder.join("locust.conf")), "locust.conf"),
        (home, "~/.locust.conf"),
    ];
    for (path, name) in defaults {
        match path.as_deref().map(read) {
            None => {}
            Some(Ok(text)) => layers.push(layer(name, &text)?),
            Some(Err(error)) if is_absent(&error) => {}
            Some(Err(error)) => return Err(unreadable(name, &error)),
        }
    }
    Ok(layers)
}

/// Reads one file, whose path is relative to `folder`.
///
/// # Errors
///
/// As for [`read_layers`].
pub fn read_layer(config: &str, folder: &Path) -> Result<Layer, String> {
    let text = read(&folder.join(config)).map_err(|error| unreadable(config, &error))?;
    layer(config, &text)
}

fn layer(name: &str, text: &str) -> Result<Layer, String> {
    let items = if Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        parse_pyproject(text)
    } else {
        parse(text).map_err(|error| error.to_string())
    };
    Ok(Layer {
        file: name.to_owned(),
        items: items.map_err(|error| format!("{name}: {error}"))?,
    })
}

/// The text of a file.
///
/// # Errors
///
/// Also for a file longer than [`FILE_BYTES_MAX`], and for one that is no UTF-8.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let what = format!("longer than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(text)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn unreadable(name: &str, error: &io::Error) -> String {
    format!("cannot read the configuration file {name}: {error}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_strongest_file_comes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = tempfile::tempdir().expect("a home");
        for (path, text) in [
            (folder.path().join("mine.conf"), "users = 1"),
            (
                folder.path().join("pyproject.toml"),
                "[tool.locust]\nusers = 2",
            ),
            (folder.path().join("locust.conf"), "users = 3"),
            (home.path().join(".locust.conf"), "users = 4"),
        ] {
            fs::write(path, text).expect("a file");
        }
        let places = Places {
            folder: folder.path().to_owned(),
            home: Some(home.path().to_owned()),
        };
        let files = |config| {
            let layers = read_layers(config, &places).expect("good files");
            layers
                .into_iter()
                .map(|layer| layer.file)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            files(Some("mine.conf")),
            [
                "mine.conf",
                "pyproject.toml",
                "locust.conf",
                "~/.locust.conf"
            ]
        );
        assert_eq!(
            files(None),
            ["pyproject.toml", "locust.conf", "~/.locust.conf"]
        );
    }

    #[test]
    fn only_a_file_that_was_named_has_to_exist() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            folder: folder.path().to_owned(),
            home: None,
        };
        assert_eq!(read_layers(None, &places), Ok(Vec::new()));
        let error = read_layers(Some("missing.conf"), &places).expect_err("no such file");
        assert!(
            error.starts_with("cannot read the configuration file missing.conf: "),
            "{error}"
        );
    }

    #[test]
    fn an_endless_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places {
            folder: folder.path().to_owned(),
            home: None,
        };
        let error = read_layers(Some("/dev/zero"), &places).expect_err("too long");
        assert!(error.contains("longer than"), "{error}");
    }
}
