//! Files of a bucket, on this machine for as long as a retraining needs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::folder::Folder;
use super::owner::Owner;
use crate::error::StoreError;

/// The folder of them, below the store's.
const FOLDER: &str = "fetched";
/// Fetched at the same time.
const THREADS: usize = 8;

#[derive(Debug)]
pub(crate) struct Fetched {
    folder: Folder,
}

impl Fetched {
    pub(super) fn in_folder(scratch: &Path, owner: &Owner) -> Result<Fetched, StoreError> {
        let folder = Folder::open(scratch, &[FOLDER.to_owned()], owner)?;
        Ok(Fetched { folder })
    }

    /// Files with the content of `keys`, got by `get` if they are not here. Removes others.
    pub(super) fn files(
        &self,
        keys: &[String],
        get: impl Fn(&str) -> Result<Vec<u8>, StoreError> + Sync,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let names: Vec<String> = keys.iter().map(|key| file_of(key)).collect();
        self.remove_others(&names);
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..THREADS.min(keys.len()) {
                scope.spawn(|| {
                    while let Some((key, name)) = nth(&next, keys, &names) {
                        if self.folder.path(name).exists() {
                            continue;
                        }
                        let put = get(key).and_then(|bytes| self.folder.put(name, &bytes));
                        if let Err(error) = put {
                            next.store(keys.len(), Ordering::Relaxed);
                            *failed.lock().expect("no thread panics with it") = Some(error);
                        }
                    }
                });
            }
        });
        match failed.into_inner().expect("no thread panics with it") {
            Some(error) => Err(error),
            None => Ok(names.iter().map(|name| self.folder.path(name)).collect()),
        }
    }

    fn remove_others(&self, wanted: &[String]) {
        let wanted: std::collections::HashSet<PathBuf> =
            wanted.iter().map(|name| self.folder.path(name)).collect();
        let files = fs::read_dir(self.folder.path(FOLDER));
        for file in files.into_iter().flatten().flatten() {
            if !wanted.contains(&file.path()) {
                // What cannot be removed takes space, and nothing else.
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// The last part of a key names the content.
fn file_of(key: &str) -> String {
    let name = key.rsplit('/').next().unwrap_or(key);
    format!("{FOLDER}/{name}")
}

fn nth<'a>(
    next: &AtomicUsize,
    keys: &'a [String],
    names: &'a [String],
) -> Option<(&'a str, &'a str)> {
    let i = next.fetch_add(1, Ordering::Relaxed);
    Some((keys.get(i)?, names.get(i)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_is_not_fetched_again_and_what_is_not_asked_for_goes() {
        let scratch = tempfile::tempdir().unwrap();
        let fetched = Fetched::in_folder(scratch.path(), &Owner::this_process()).unwrap();
        let gets = AtomicUsize::new(0);
        let get = |key: &str| {
            gets.fetch_add(1, Ordering::Relaxed);
            match key {
                "missing" => Err(StoreError::NoSpace),
                key => Ok(key.as_bytes().to_vec()),
            }
        };
        let keys = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let first = fetched.files(&keys(&["a/x", "b/y"]), get).unwrap();
        assert_eq!(fs::read(&first[1]).unwrap(), b"b/y");
        let second = fetched.files(&keys(&["b/y", "b/z"]), get).unwrap();
        assert_eq!((gets.load(Ordering::Relaxed), &second[0]), (3, &first[1]));
        assert!(!first[0].exists() && second[1].exists());
        let error = fetched.files(&keys(&["missing"]), get).unwrap_err();
        assert!(matches!(error, StoreError::NoSpace), "{error}");
    }
}
