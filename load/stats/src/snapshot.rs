//! What reports read: the ledger as it was at one moment.

use crate::arrivals::Arrivals;
use crate::entry::EntrySnapshot;

/// Everything that was measured up to a moment. Times are µs since the Unix epoch.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When the run started, or was last reset.
    pub start_us: u64,
    /// When the last request finished, if there was one.
    pub last_request_us: Option<u64>,
    /// When the snapshot was taken.
    pub taken_us: u64,
    /// Users that were running then.
    pub user_count: u64,
    /// One for each method and name, sorted by name and then method as Locust's
    /// tables are.
    pub entries: Vec<EntrySnapshot>,
    /// The requests of all entries together: `Aggregated`.
    pub total: EntrySnapshot,
    /// What failed, in the order in which it first did.
    pub failures: Vec<FailureRow>,
    /// What tasks raised, in the order in which they first did.
    pub exceptions: Vec<ExceptionRow>,
    /// Requests that were still open when the run ended. They are in no entry.
    pub cut_off: u64,
    /// How iterations began that arrived at a rate.
    pub arrivals: Arrivals,
    /// Names that were counted under [`crate::OTHER_NAMES`].
    pub overflowed_names: u64,
    /// Whether there were more of those than were told apart.
    pub more_overflowed_names: bool,
}

/// Failures that differ in nothing but when they happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Method of the requests that failed.
    pub method: String,
    /// What they were counted under.
    pub name: String,
    /// The error, memory addresses taken out as Locust does.
    pub error: String,
    /// How many there were.
    pub occurrences: u64,
    /// When the first one happened, in µs since the Unix epoch.
    pub first_seen_us: u64,
    /// When the last one happened, in µs since the Unix epoch.
    pub last_seen_us: u64,
}

/// Exceptions that were raised at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// How many there were.
    pub count: u64,
    /// The text of the first one.
    pub message: String,
    /// Where they were raised.
    pub traceback: String,
    /// Who raised them, sorted.
    pub nodes: Vec<String>,
    /// When the first one was raised, in µs since the Unix epoch.
    pub first_seen_us: u64,
    /// When the last one was raised, in µs since the Unix epoch.
    pub last_seen_us: u64,
}
