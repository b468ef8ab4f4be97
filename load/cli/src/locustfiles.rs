//! Which files `--locustfile` means.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// A folder may hold this many locustfiles; more is taken for a mistake, such as
/// a folder with a virtual environment in it.
pub const FILES_MAX: usize = 1000;

/// The Python files that `given` names: files and folders, separated by commas,
/// relative to `folder`. A URL stays one: whoever loads the file fetches it.
///
/// # Errors
///
/// One line about the first part that is no Python file or folder of some.
pub fn find_locustfiles(given: &str, folder: &Path) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    for name in given.split(',').map(str::trim) {
        files.extend(expand(name, folder)?);
    }
    Ok(files)
}

fn expand(name: &str, folder: &Path) -> Result<Vec<PathBuf>, Exit> {
    if name == "-" {
        let text =
            "--locustfile - is not supported yet: there is no master to get a locustfile from";
        return Err(Exit::Usage(text.to_owned()));
    }
    if name.starts_with("http://") || name.starts_with("https://") {
        return Ok(vec![PathBuf::from(name)]);
    }
    let path = folder.join(name);
    if path.is_dir() {
        return in_folder(name, &path);
    }
    if path.extension().is_some_and(|extension| extension == "py") && path.exists() {
        return Ok(vec![path]);
    }
    Err(Exit::Failed(format!(
        "could not find '{name}'. Name a file that ends with '.py', or a folder of such files, with -f"
    )))
}

fn in_folder(name: &str, path: &Path) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    let walked = walk(path, &mut files);
    walked.map_err(|error| Exit::Failed(format!("cannot read the folder '{name}': {error}")))?;
    if files.len() > FILES_MAX {
        let text = format!(
            "more than {FILES_MAX} Python files in '{name}'; name a folder with only locustfiles"
        );
        return Err(Exit::Failed(text));
    }
    if files.is_empty() {
        return Err(Exit::Failed(format!(
            "could not find any locustfiles in directory '{name}'"
        )));
    }
    files.sort();
    Ok(files)
}

/// Adds the Python files below a folder, until there are too many. Names with an
/// underscore in front are modules of locustfiles, as in Locust; links are not
/// followed into folders, so that the walk ends.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(&path, files)?;
        } else if is_locustfile(&path) {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            break;
        }
    }
    Ok(())
}

fn is_locustfile(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"_"));
    !hidden && path.is_file() && path.extension().is_some_and(|extension| extension == "py")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        folder
    }

    #[test]
    fn files_and_folders_can_be_mixed() {
        let folder = folder_with(&[
            "a.py",
            "more/b.py",
            "more/deep/c.py",
            "more/_helper.py",
            "more/d.txt",
        ]);
        let url = "http://127.0.0.1:1/d.py";
        let given = format!("a.py, more, {url}");
        let found = find_locustfiles(&given, folder.path()).expect("files");
        let files = ["a.py", "more/b.py", "more/deep/c.py"].map(|file| folder.path().join(file));
        let expected: Vec<_> = files.into_iter().chain([PathBuf::from(url)]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_locustfile_is_named() {
        let folder = folder_with(&["a.txt", "empty/a.txt"]);
        for (given, code, part) in [
            ("missing.py", 1, "could not find 'missing.py'"),
            ("a.txt", 1, "could not find 'a.txt'"),
            (
                "empty",
                1,
                "could not find any locustfiles in directory 'empty'",
            ),
            ("-", 2, "not supported yet"),
        ] {
            let exit = find_locustfiles(given, folder.path()).expect_err(given);
            assert_eq!(exit.code(), code, "{given}");
            let (Exit::Failed(text) | Exit::Usage(text)) = exit else {
                panic!("{given}: nothing to show");
            };
            assert!(text.contains(part), "{text}");
        }
    }
}
