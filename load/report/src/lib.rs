//! From a [`acrida_stats::Snapshot`] to what people and scripts read.
//!
//! Pure: a snapshot and settings go in, text comes out. Nothing here opens a
//! file or a socket, or asks for the time.
//!
//! - [`locust_csv`]: the files of `--csv`, in Locust's columns and the guide's.
//! - [`requests_csv`]: one line a request.
//! - [`console`]: the tables of a run, laid out as Locust's.
//! - [`summary`]: a run, wherever its figures come from. What follows is made of it:
//! - [`html`]: one page that needs nothing else.
//! - [`grade`]: the load-testing guide's Key Metrics.
//! - [`expect`]: what somebody expects of a run, and whether it is so.
//! - [`locust_json`]: the shapes of Locust's JSON.
//! - [`guide`]: the load-testing guide's report, as text and Markdown.
//! - [`recorded`]: runs read back from files, ours, Locust's and older ones.
//! - [`windows`] and [`compare`]: whether two runs differ, and how certainly.
//! - [`scaling`]: runs in steps, the knee, and the Universal Scalability Law.
//! - [`insight`]: arrivals, checked answers, and where the server's time went.
//! - [`course`]: how a run went on, in a bounded number of points.
//! - [`occurrences`]: when each failure and exception happened, in a bounded number of bins.

pub mod compare;
pub mod console;
pub mod course;
pub mod expect;
pub mod grade;
pub mod guide;
pub mod html;
pub mod insight;
pub mod json_text;
pub mod locust_csv;
pub mod locust_json;
pub mod occurrences;
pub mod recorded;
pub mod requests_csv;
pub mod scaling;
pub mod series;
pub mod summary;
pub mod windows;

mod csv_field;
mod number;
