//! What was measured in a run: the one ledger behind every table and file.
//!
//! ```text
//! user -> Sample -> Recorder (in a Lane) -> Delta -> Ledger -> Snapshot -> reports
//! ```
//!
//! Whoever finishes a request records a [`Sample`] in the [`Lane`] of its own
//! thread. A collector takes what the lanes have gathered about once a second,
//! and the [`Ledger`] absorbs it. Reports read a [`Snapshot`] of the ledger and
//! nothing else, so their totals agree.
//!
//! Pure: times arrive as arguments, in µs since the Unix epoch; nothing here
//! reads a clock, waits, or does I/O. Response times are whole µs inside and
//! milliseconds (`_ms`) where they leave for a report.

mod arrivals;
mod entry;
mod gathered;
mod insight;
mod key;
mod ledger;
mod limits;
mod overflow;
mod recorder;
mod second_counts;
mod since;
mod snapshot;
mod tally;
mod times;

pub use arrivals::{Arrivals, LATE_US};
pub use entry::{EntrySnapshot, RECENT_SECONDS, SECONDS_TIMED};
pub use insight::{Answer, Answers, Insight, LABEL_PAIRS_MAX, Part, ServerTime};
pub use ledger::Ledger;
pub use limits::{Limits, OTHER_ERRORS, OTHER_EXCEPTIONS, OTHER_LABELS, OTHER_NAMES};
pub use recorder::{Delta, Lane, Recorder, Sample};
pub use second_counts::{SECONDS_COUNTED, SecondCount};
pub use snapshot::{ExceptionRow, FailureRow, Snapshot};
pub use times::{MAX_RESPONSE_TIME_US, NoSamples};
