//! What the classifier service must not forget: uploaded images, retraining jobs, model versions.
//!
//! Two halves behind one [`Store`]: *records* in SQLite (`classifier.db`, write-ahead
//! log, every commit synced) or PostgreSQL, and *objects*, immutable files named after the
//! SHA-256 of their content, in a folder or in a bucket of an S3-compatible store. An object is
//! durable before a record names it, so whatever a record says exists; a crash in
//! between leaves an object that nobody names, and an equal upload later takes it over.
//!
//! Every call blocks: callers on an async runtime use its threads for that.

mod error;
mod job;
mod jobs;
mod models;
mod objects;
mod records;
mod runs;
mod store;
#[cfg(test)]
mod testing;
mod uploads;

pub use error::StoreError;
pub use job::{Cancel, Figures, Job, JobSettings, JobStatus, Lease, Outcome, Requested};
pub use models::{ModelVersion, NewModel};
pub use objects::BucketConfig;
pub use store::{Store, StoreConfig};
pub use uploads::{Added, ClassTotals, NewImage, Upload};
