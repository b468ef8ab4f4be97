//! The files of `--csv PREFIX`: Locust's columns, in Locust's order, number
//! formats and CSV dialect. Source: `StatsCSVFileWriter`, locust/stats.py, and
//! the files that Locust 2.47.0 writes.
//!
//! `_stats` and `_failures` go on with the columns that the load-testing guide
//! names, so that scripts written for either read the same file.
//!
//! Locust rounds percentiles to two digits of whole milliseconds. Here they have
//! the resolution that was measured, which is why they may have a fraction.

use acrida_stats::{EntrySnapshot, NoSamples, Snapshot};
use jiff::Timestamp;

use crate::csv_field::rows;
use crate::insight::ArrivalsSummary;
use crate::number::{percentile_label, python_float, python_number};

/// The percentiles that Locust reports unless a locustfile says otherwise.
pub const PERCENTILES: [f64; 11] = [
    0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0,
];

/// The columns of `_arrivals`, which is there in open runs alone. Times are in ms.
pub(crate) const ARRIVALS: [&str; 9] = [
    "Intended",
    "Begun",
    "Late",
    "Dropped",
    "Late After",
    "Median Lateness",
    "95% Lateness",
    "99% Lateness",
    "Max Lateness",
];

const STATS: [&str; 11] = [
    "Type",
    "Name",
    "Request Count",
    "Failure Count",
    "Median Response Time",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "Average Content Size",
    "Requests/s",
    "Failures/s",
];

const STATS_OF_THE_GUIDE: [&str; 7] = [
    "# requests",
    "# failures",
    "Median response time",
    "Average response time",
    "Min response time",
    "Max response time",
    "Average Content Length",
];

const HISTORY_BEFORE_PERCENTILES: [&str; 6] = [
    "Timestamp",
    "User Count",
    "Type",
    "Name",
    "Requests/s",
    "Failures/s",
];

const HISTORY_AFTER_PERCENTILES: [&str; 7] = [
    "Total Request Count",
    "Total Failure Count",
    "Total Median Response Time",
    "Total Average Response Time",
    "Total Min Response Time",
    "Total Max Response Time",
    "Total Average Content Size",
];

/// Locust's columns, then the guide's that have other names.
const FAILURES: [&str; 8] = [
    "Method",
    "Name",
    "Error",
    "Occurrences",
    "First Seen",
    "Last Seen",
    "# failures",
    "Failure message",
];

/// How many of [`FAILURES`] are Locust's.
const FAILURES_OF_LOCUST: usize = 6;

const EXCEPTIONS: [&str; 4] = ["Count", "Message", "Traceback", "Nodes"];

/// `_stats.csv`: a row for each entry, and `Aggregated`.
///
/// `percentiles` are fractions; [`PERCENTILES`] is Locust's choice.
pub fn stats_csv(snapshot: &Snapshot, percentiles: &[f64]) -> String {
    stats_table(snapshot, percentiles, true)
}

/// The same with Locust's columns only, as its web page gives it.
pub fn locust_stats_csv(snapshot: &Snapshot, percentiles: &[f64]) -> String {
    stats_table(snapshot, percentiles, false)
}

fn stats_table(snapshot: &Snapshot, percentiles: &[f64], with_guide: bool) -> String {
    let labels = percentiles
        .iter()
        .map(|fraction| percentile_label(*fraction));
    let mut header = texts(&STATS);
    header.extend(labels);
    if with_guide {
        header.extend(texts(&STATS_OF_THE_GUIDE));
    }
    let entries = snapshot.entries.iter().chain([&snapshot.total]);
    let entries = entries.map(|entry| stats_row(entry, percentiles, with_guide));
    rows([header].into_iter().chain(entries))
}

fn stats_row(entry: &EntrySnapshot, percentiles: &[f64], with_guide: bool) -> Vec<String> {
    let totals = totals(entry);
    let mut row = vec![entry.method.clone(), entry.name.clone()];
    row.extend(totals.clone());
    row.push(python_float(entry.total_rps()));
    row.push(python_float(entry.total_fail_per_sec()));
    row.extend(percentile_fields(entry, percentiles, false));
    if with_guide {
        row.extend(totals);
    }
    row
}

/// Counts, median, average, shortest and longest time, and average size, which
/// Locust and the guide have in the same order. What there is none of is 0.
fn totals(entry: &EntrySnapshot) -> [String; 7] {
    let number = |time: Result<f64, NoSamples>| python_number(time.unwrap_or(0.0));
    let content_length = if entry.num_requests == 0 {
        "0".to_owned()
    } else {
        python_float(entry.avg_content_length())
    };
    [
        entry.num_requests.to_string(),
        entry.num_failures.to_string(),
        number(entry.median_response_time_ms()),
        python_float(entry.avg_response_time_ms().unwrap_or(0.0)),
        extreme(entry.min_response_time_ms()),
        extreme(entry.max_response_time_ms()),
        content_length,
    ]
}

/// The shortest or longest time: a float, unless it is nothing.
fn extreme(time: Result<f64, NoSamples>) -> String {
    match time {
        Ok(time) if time > 0.0 => python_float(time),
        _ => "0".to_owned(),
    }
}

/// Cumulative, or over the last ten seconds if `current`; `N/A` without requests,
/// and 0 where there are requests but none with a time.
fn percentile_fields(entry: &EntrySnapshot, percentiles: &[f64], current: bool) -> Vec<String> {
    if entry.num_requests == 0 {
        return vec!["N/A".to_owned(); percentiles.len()];
    }
    let times = if current {
        entry.current_percentiles_ms(percentiles)
    } else {
        entry.percentiles_ms(percentiles)
    };
    match times {
        Ok(times) => times.into_iter().map(python_number).collect(),
        Err(NoSamples) => vec!["0".to_owned(); percentiles.len()],
    }
}

/// The first line of `_stats_history.csv`.
pub fn stats_history_header(percentiles: &[f64]) -> String {
    let labels = percentiles
        .iter()
        .map(|fraction| percentile_label(*fraction));
    let mut header = texts(&HISTORY_BEFORE_PERCENTILES);
    header.extend(labels);
    header.extend(texts(&HISTORY_AFTER_PERCENTILES));
    rows([header])
}

/// What a snapshot adds to `_stats_history.csv`: a row for `Aggregated`.
///
/// With `full_history`, a row for each entry as well, and percentiles over the
/// last ten seconds instead of since the start.
pub fn stats_history_rows(snapshot: &Snapshot, percentiles: &[f64], full_history: bool) -> String {
    let entries: &[EntrySnapshot] = if full_history { &snapshot.entries } else { &[] };
    rows(entries.iter().chain([&snapshot.total]).map(|entry| {
        let mut row = vec![
            (snapshot.taken_us / 1_000_000).to_string(),
            snapshot.user_count.to_string(),
            entry.method.clone(),
            entry.name.clone(),
            format!("{:.6}", entry.current_rps()),
            format!("{:.6}", entry.current_fail_per_sec()),
        ];
        row.extend(percentile_fields(entry, percentiles, full_history));
        row.extend(totals(entry));
        row
    }))
}

/// `_failures.csv`: a row for each error of each method and name.
pub fn failures_csv(snapshot: &Snapshot) -> String {
    failures_table(snapshot, FAILURES.len())
}

/// The same with Locust's columns only, as its web page gives it.
pub fn locust_failures_csv(snapshot: &Snapshot) -> String {
    failures_table(snapshot, FAILURES_OF_LOCUST)
}

/// The first `columns` of [`FAILURES`].
fn failures_table(snapshot: &Snapshot, columns: usize) -> String {
    let failures = snapshot.failures.iter().map(|failure| {
        let fields = [
            failure.method.clone(),
            failure.name.clone(),
            failure.error.clone(),
            failure.occurrences.to_string(),
            utc_second(failure.first_seen_us),
            utc_second(failure.last_seen_us),
            failure.occurrences.to_string(),
            failure.error.clone(),
        ];
        fields.into_iter().take(columns).collect()
    });
    rows([texts(&FAILURES[..columns])].into_iter().chain(failures))
}

/// `_exceptions.csv`: a row for each place where tasks raised.
pub fn exceptions_csv(snapshot: &Snapshot) -> String {
    let exceptions = snapshot.exceptions.iter().map(|exception| {
        vec![
            exception.count.to_string(),
            exception.message.clone(),
            exception.traceback.clone(),
            exception.nodes.join(", "),
        ]
    });
    rows([texts(&EXCEPTIONS)].into_iter().chain(exceptions))
}

/// `_arrivals.csv`: how the iterations of an open run began, one row; `None` in others.
pub fn arrivals_csv(snapshot: &Snapshot) -> Option<String> {
    let arrivals = ArrivalsSummary::of(&snapshot.arrivals)?;
    let lateness = [arrivals.p50, arrivals.p95, arrivals.p99, arrivals.max];
    let counts = [
        arrivals.intended,
        arrivals.begun,
        arrivals.late,
        arrivals.dropped,
    ];
    let mut row = counts.map(|count| count.to_string()).to_vec();
    row.push(python_number(arrivals.late_after));
    row.extend(lateness.map(|late| late.map_or_else(String::new, python_number)));
    Some(rows([texts(&ARRIVALS), row]))
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `at_us` as `2026-11-24T11:54:37Z`; empty if no calendar has that time.
fn utc_second(at_us: u64) -> String {
    i64::try_from(at_us / 1_000_000)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .map(|second| second.to_string())
        .unwrap_or_default()
}
