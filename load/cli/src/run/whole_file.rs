//! Files that are whole at every moment: written beside, then put in place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a file is written first.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    beside.into()
}

/// Puts a file with this text in place of the one at `path`, which stays if that fails.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = beside(path);
    let replaced = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        // Half a file would fill a disk that is full already.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_put_in_place_leaves_nothing_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        replace(&path, "one").expect("room");
        replace(&path, "two").expect("room");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "two");
        let occupied = folder.path().join("folder");
        fs::create_dir_all(occupied.join("with something in it")).expect("a folder");
        assert!(replace(&occupied, "three").is_err());
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|file| file.expect("a file").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["folder", "report"]);
    }
}
