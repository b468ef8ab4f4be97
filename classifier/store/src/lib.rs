//! What the classifier service must not forget: uploaded images, retraining jobs, model versions.
//!
//! Two halves behind one [`Store`]: *records* in SQLite (`classifier.db`, write-ahead
//! log, every commit synced) and *objects*, immutable files named after the SHA-256 of
//! their content. An object is on disk before a record names it, so whatever a record
//! says exists; a crash in between leaves an object that nobody names, and an equal
//! upload later takes it over.
//!
//! Nothing in the interface is SQLite's or a file system's own: other databases and
//! object stores can answer the same calls.
//!
//! Every call blocks: callers on an async runtime use its threads for that.

mod error;
mod job;
mod jobs;
mod models;
mod objects;
mod records;
mod schema;
mod store;
mod uploads;

pub use error::StoreError;
pub use job::{Cancel, Figures, Job, JobSettings, JobStatus, Outcome, Requested};
pub use models::{ModelVersion, NewModel};
pub use store::Store;
pub use uploads::{Added, ClassTotals, NewImage, Upload};
