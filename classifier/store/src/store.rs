//! The store as a whole.

use std::path::{Path, PathBuf};

use classifier_imaging::Class;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::models::MODEL_FOLDER;
use crate::objects::Objects;
use crate::records::Records;
use crate::uploads::upload_folder;

/// Records and objects; share it between threads.
#[derive(Debug)]
pub struct Store {
    pub(crate) records: Records,
    pub(crate) objects: Objects,
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, or makes one there. Several processes of one machine
    /// may share it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the folder cannot be written, or its database not be used.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        let mut folders = Class::ALL.map(upload_folder).to_vec();
        folders.push(MODEL_FOLDER.to_owned());
        Ok(Store {
            objects: Objects::open(folder, &folders)?,
            records: Records::open(&folder.join("classifier.db"))?,
            folder: folder.to_owned(),
        })
    }

    /// The folder that everything is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of a class's uploads.
    pub fn upload_folder(&self, class: Class) -> PathBuf {
        self.folder.join(upload_folder(class))
    }

    /// The file of an object, for whoever has to read it by itself.
    pub fn path_of(&self, key: &str) -> PathBuf {
        self.objects.path(key)
    }
}

/// To the second, such as `2025-11-22T21:26:23Z`.
pub(crate) fn timestamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
