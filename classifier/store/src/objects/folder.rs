//! A folder of objects, which several processes may share.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::owner::Owner;
use crate::error::StoreError;

/// Where files are while they are written; emptied when a store is opened.
pub(crate) const UNFINISHED: &str = "unfinished";

#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    owner: Owner,
    /// Tells apart what this process writes at the same time.
    next: AtomicU64,
}

impl Folder {
    /// Uses `root`, with `folders` in it; makes what is missing.
    pub(super) fn open(
        root: &Path,
        folders: &[String],
        owner: &Owner,
    ) -> Result<Folder, StoreError> {
        let unfinished = UNFINISHED.to_owned();
        for folder in folders.iter().chain([&unfinished]) {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(StoreError::file(&path))?;
            for made in path.ancestors().take_while(|path| path.starts_with(root)) {
                sync_folder(made).map_err(StoreError::file(made))?;
            }
        }
        let folder = Folder {
            root: root.to_owned(),
            owner: owner.clone(),
            next: AtomicU64::new(0),
        };
        folder.sweep();
        Ok(folder)
    }

    /// The file of a key.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Writes `bytes` under `key`; when this returns, a power cut does not lose them.
    /// Keys name their content, so that what is there already is left alone.
    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(key);
        if fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64) {
            return Ok(());
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!("{UNFINISHED}/{}-{number}", self.owner.name());
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

    /// Whether it is there.
    pub(super) fn answers(&self) -> bool {
        self.path(UNFINISHED).is_dir()
    }

    /// The bytes under `key`.
    pub(super) fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.path(key);
        fs::read(&path).map_err(StoreError::file(path))
    }

    /// Forgets `key`; that it is not there is no error.
    pub(super) fn remove(&self, key: &str) {
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
            let written = file.metadata().and_then(|found| found.modified()).ok();
            if self.owner.is_gone(&name.to_string_lossy(), written) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
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
        let owner = Owner::this_process();
        let open = || Folder::open(folder.path(), &["a/b".to_owned()], &owner).unwrap();
        let objects = open();
        objects.put("a/b/x", b"content").unwrap();
        objects.put("a/b/x", b"content").unwrap();
        assert_eq!(objects.get("a/b/x").unwrap(), b"content");
        let leftover = folder.path().join("unfinished/999999999-0");
        let own = folder.path().join(format!("unfinished/{}-7", owner.name()));
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
        let objects = Folder::open(folder.path(), &[], &Owner::this_process()).unwrap();
        fs::write(objects.path("x"), b"cont").unwrap();
        objects.put("x", b"content").unwrap();
        assert_eq!(objects.get("x").unwrap(), b"content");
    }
}
