//! Immutable files in a folder, each there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::error::StoreError;

/// Where files are while they are written; emptied when a store is opened.
const UNFINISHED: &str = "unfinished";

/// A folder of objects. A key is a relative path such as `models/0123….model`.
#[derive(Debug)]
pub(crate) struct Objects {
    root: PathBuf,
    /// Tells apart what this process writes at the same time.
    next: AtomicU64,
}

impl Objects {
    /// Uses `root`, with `folders` in it; makes what is missing.
    pub(crate) fn open(root: &Path, folders: &[String]) -> Result<Objects, StoreError> {
        let unfinished = UNFINISHED.to_owned();
        for folder in folders.iter().chain([&unfinished]) {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(StoreError::file(&path))?;
            for made in path.ancestors().take_while(|path| path.starts_with(root)) {
                sync_folder(made).map_err(StoreError::file(made))?;
            }
        }
        let objects = Objects {
            root: root.to_owned(),
            next: AtomicU64::new(0),
        };
        objects.sweep();
        Ok(objects)
    }

    /// The file of a key.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Writes `bytes` under `key`; when this returns, a power cut does not lose them.
    /// Keys name their content, so that what is there already is left alone.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(key);
        if fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64) {
            return Ok(());
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!("{UNFINISHED}/{}-{number}", std::process::id());
        let unfinished = self.path(&unfinished);
        let written = write_synced(&unfinished, bytes)
            .and_then(|()| fs::rename(&unfinished, &path))
            .and_then(|()| sync_folder(path.parent().unwrap_or(&self.root)));
        if written.is_err() {
            // The error below says more than a failure to clean up would.
            let _ = fs::remove_file(&unfinished);
        }
        written.map_err(StoreError::file(path))
    }

    /// The bytes under `key`.
    pub(crate) fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.path(key);
        fs::read(&path).map_err(StoreError::file(path))
    }

    /// Forgets `key`; that it is not there is no error.
    pub(crate) fn remove(&self, key: &str) {
        // What cannot be removed takes space, and nothing else.
        let _ = fs::remove_file(self.path(key));
    }

    /// Removes what processes that are gone left unfinished.
    fn sweep(&self) {
        let Ok(files) = fs::read_dir(self.root.join(UNFINISHED)) else {
            return;
        };
        for file in files.flatten() {
            let name = file.file_name();
            let owner = name.to_string_lossy();
            let owner = owner.split('-').next().unwrap_or_default();
            if !Path::new("/proc").join(owner).exists() {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// The name of `content`: 64 hexadecimal digits.
pub(crate) fn hash(content: &[u8]) -> String {
    use std::fmt::Write;
    let mut name = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        write!(name, "{byte:02x}").expect("writing to a string cannot fail");
    }
    name
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder as durable as the files.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_got_and_leftovers_of_the_dead_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Objects::open(folder.path(), &["a/b".to_owned()]).unwrap();
        let objects = open();
        objects.put("a/b/x", b"content").unwrap();
        objects.put("a/b/x", b"content").unwrap();
        assert_eq!(objects.get("a/b/x").unwrap(), b"content");
        let leftover = folder.path().join("unfinished/999999999-0");
        let own = folder
            .path()
            .join(format!("unfinished/{}-7", std::process::id()));
        fs::write(&leftover, b"half").unwrap();
        fs::write(&own, b"half").unwrap();
        let objects = open();
        assert!(!leftover.exists() && own.exists());
        objects.remove("a/b/x");
        let error = objects.get("a/b/x").unwrap_err();
        assert!(matches!(error, StoreError::File { .. }), "{error}");
    }

    #[test]
    fn an_object_cut_off_by_another_program_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(folder.path(), &[]).unwrap();
        fs::write(objects.path("x"), b"cont").unwrap();
        objects.put("x", b"content").unwrap();
        assert_eq!(objects.get("x").unwrap(), b"content");
    }

    #[test]
    fn a_name_is_the_sha_256_of_its_content() {
        // Source: FIPS 180-4's example for "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), expected);
    }
}
