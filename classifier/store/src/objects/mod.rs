//! Immutable files, each there whole or not at all: in a folder, or in a bucket.

mod bucket;
mod fetched;
mod folder;
mod owner;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::StoreError;
use bucket::Bucket;
pub use bucket::BucketConfig;
use fetched::Fetched;
use folder::Folder;
pub(crate) use folder::UNFINISHED;
pub(crate) use owner::Owner;

/// Where objects are. A key is a relative path such as `models/0123….model`, and names the content.
#[derive(Debug)]
pub(crate) enum Objects {
    Folder(Folder),
    Bucket(Box<Bucket>, Fetched),
}

impl Objects {
    /// Uses `root`, with `folders` in it; makes what is missing.
    pub(crate) fn in_folder(
        root: &Path,
        folders: &[String],
        owner: &Owner,
    ) -> Result<Objects, StoreError> {
        Ok(Objects::Folder(Folder::open(root, folders, owner)?))
    }

    /// Uses a bucket; files that have to be on this machine for a while are in `scratch`.
    pub(crate) fn in_bucket(
        config: &BucketConfig,
        scratch: &Path,
        owner: &Owner,
    ) -> Result<Objects, StoreError> {
        let fetched = Fetched::in_folder(scratch, owner)?;
        Ok(Objects::Bucket(Box::new(Bucket::open(config)?), fetched))
    }

    /// Whether they are on a disk, which may be full and is asked in no time.
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self, Objects::Folder(_))
    }

    /// Where `key` is, for people.
    pub(crate) fn place(&self, key: &str) -> String {
        match self {
            Objects::Folder(folder) => folder.path(key).display().to_string(),
            Objects::Bucket(bucket, _) => bucket.place(key),
        }
    }

    /// Writes `bytes` under `key`; when this returns, a power cut does not lose them.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        match self {
            Objects::Folder(folder) => folder.put(key, bytes),
            Objects::Bucket(bucket, _) => bucket.put(key, bytes),
        }
    }

    /// Whether objects can be reached now.
    pub(crate) fn answer(&self) -> bool {
        match self {
            Objects::Folder(folder) => folder.answers(),
            Objects::Bucket(bucket, _) => bucket.answers(),
        }
    }

    /// The bytes under `key`.
    pub(crate) fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        match self {
            Objects::Folder(folder) => folder.get(key),
            Objects::Bucket(bucket, _) => bucket.get(key),
        }
    }

    /// Forgets `key`; that it is not there is no error. What cannot be removed takes space, and
    /// nothing else.
    pub(crate) fn remove(&self, key: &str) {
        match self {
            Objects::Folder(folder) => folder.remove(key),
            Objects::Bucket(bucket, _) => bucket.remove(key),
        }
    }

    /// Files with the content of `keys`. Those of a bucket are fetched, and stay until other ones
    /// are asked for.
    pub(crate) fn files(&self, keys: &[String]) -> Result<Vec<PathBuf>, StoreError> {
        match self {
            Objects::Folder(folder) => Ok(keys.iter().map(|key| folder.path(key)).collect()),
            Objects::Bucket(bucket, fetched) => fetched.files(keys, |key| bucket.get(key)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_sha_256_of_its_content() {
        // Source: FIPS 180-4's example for "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), expected);
    }
}
