//! Why the store did not do what it was asked.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, is locked by another program, or cannot be read.
    #[error("the database failed")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// The object store refused, or cannot be reached.
    #[error("the object store failed")]
    Bucket(#[source] Box<dyn Error + Send + Sync>),
    /// What the store was told about itself cannot be so.
    #[error("{0}")]
    Configuration(String),
    /// The job is not, or no longer, run by who asks: another process took it for dead.
    #[error("the job {0} is run by another process, or has ended")]
    LeaseLost(String),
    /// An object cannot be written or read.
    #[error("cannot use {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk, or the share of it that uploads may take, is full.
    #[error("there is no space left to store this")]
    NoSpace,
    /// The same image was uploaded earlier as another class.
    #[error("image {number} was uploaded before as {stored}")]
    OtherLabel {
        /// Which of the images, from 1.
        number: usize,
        /// What it was called then.
        stored: String,
    },
    /// Another version than expected serves: somebody has chosen it meanwhile.
    #[error("model version {0} serves, which was chosen meanwhile")]
    OtherServes(String),
    /// No model version has this name, or its file was removed.
    #[error("there is no model version {0:?}")]
    UnknownVersion(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StoreError::NoSpace,
            // Its words alone: what lies behind it says the same again.
            _ => StoreError::Database(error.to_string().into()),
        }
    }
}

impl StoreError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::NoSpace,
            _ => StoreError::File { path, source },
        }
    }
}
