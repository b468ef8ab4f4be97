//! From a [`acrida_stats::Snapshot`] to what people and scripts read.
//!
//! Pure: a snapshot and settings go in, text comes out. Nothing here opens a
//! file or a socket, or asks for the time.
//!
//! - [`locust_csv`]: the files of `--csv`, in Locust's columns and the guide's.
//! - [`requests_csv`]: one line a request.
//! - [`console`]: the tables of a run, laid out as Locust's.

pub mod console;
pub mod locust_csv;
pub mod requests_csv;

mod csv_field;
mod number;
