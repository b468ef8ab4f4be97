//! The store as a whole.

use std::path::{Path, PathBuf};

use classifier_imaging::Class;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::models::MODEL_FOLDER;
use crate::objects::{BucketConfig, Objects, Owner, UNFINISHED};
use crate::records::Records;
use crate::uploads::upload_folder;

/// Where a store is. Not to be printed: a database's address may have a password in it.
#[derive(Clone)]
pub struct StoreConfig {
    /// A folder on this machine: for all that is not said to be elsewhere, and for files that
    /// are needed for a while.
    pub folder: PathBuf,
    /// The address of a PostgreSQL database, such as `postgresql://user:password@host/name`;
    /// `None` for SQLite in the folder.
    pub database: Option<String>,
    /// The file of authorities that the database's certificate has to be of, if its address asks
    /// for TLS; `None` for those that browsers trust.
    pub database_ca: Option<PathBuf>,
    /// Where objects are; `None` for the folder.
    pub bucket: Option<BucketConfig>,
}

/// Records and objects; share it between threads.
#[derive(Debug)]
pub struct Store {
    pub(crate) records: Records,
    pub(crate) objects: Objects,
    folder: PathBuf,
    owner: Owner,
}

impl Store {
    /// Opens the store in `folder`, or makes one there. Several processes of one machine
    /// may share it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the folder cannot be written, or its database not be used.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        Store::open_at(&StoreConfig {
            folder: folder.to_owned(),
            database: None,
            database_ca: None,
            bucket: None,
        })
    }

    /// Opens the store that `config` tells of, or makes one there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Configuration`] for what cannot be so, such as an address that is none;
    /// other [`StoreError`]s when a part of it cannot be reached, or not be used.
    pub fn open_at(config: &StoreConfig) -> Result<Store, StoreError> {
        let folder = &config.folder;
        let owner = Owner::this_process();
        let mut folders = Class::ALL.map(upload_folder).to_vec();
        folders.push(MODEL_FOLDER.to_owned());
        Ok(Store {
            objects: match &config.bucket {
                None => Objects::in_folder(folder, &folders, &owner)?,
                Some(bucket) => Objects::in_bucket(bucket, folder, &owner)?,
            },
            records: match &config.database {
                None => Records::in_file(&folder.join("classifier.db"))?,
                Some(url) => Records::at(url, config.database_ca.as_deref())?,
            },
            folder: folder.to_owned(),
            owner,
        })
    }

    /// What this process is called among those that share the store.
    pub fn own_name(&self) -> String {
        self.owner.name()
    }

    /// Whether objects can be reached now, known within 1.5 s; a bucket is asked once a second at most.
    pub fn objects_answer(&self) -> bool {
        self.objects.answer()
    }

    /// Where a class's uploads are, for people: a folder's path, or an address of a bucket.
    pub fn upload_place(&self, class: Class) -> String {
        self.objects.place(&upload_folder(class))
    }

    /// Files with the content of the objects called `keys`, in their order, for whoever has to read
    /// them by itself. They stay until other ones are asked for.
    ///
    /// # Errors
    ///
    /// As of [`StoreError`], when they have to be fetched and cannot be.
    pub fn files(&self, keys: &[String]) -> Result<Vec<PathBuf>, StoreError> {
        self.objects.files(keys)
    }

    /// A file of this process's own, which the next one removes should this one die.
    pub fn scratch_file(&self, what: &str) -> PathBuf {
        let name = format!("{}-{what}", self.owner.name());
        self.folder.join(UNFINISHED).join(name)
    }
}

/// To the second, such as `2025-11-22T21:26:23Z`.
pub(crate) fn timestamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
