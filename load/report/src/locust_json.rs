//! The shapes of Locust's JSON. Source: Locust 2.47.0, `web.py` and `stats.py`.
//!
//! Numbers that Locust has as whole milliseconds keep the resolution that was
//! measured, but for the shortest and longest time, which are whole here too.

use std::collections::BTreeMap;

use acrida_stats::{EntrySnapshot, Snapshot};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::course::Point;
use crate::insight::{AnswersSummary, ArrivalsSummary, ServerSummary};
use crate::summary::{EntrySummary, ExceptionSummary, FailureSummary, RunSummary};

/// The most entries and errors of `/stats/requests`.
pub const ROWS_MAX: usize = 500;
/// The percentiles of a [`Point`], Locust's `PERCENTILES_TO_CHART` unless changed.
const OF_POINTS: [f64; 2] = [0.5, 0.95];
/// Locust's `PERCENTILES_TO_STATISTICS` unless changed.
const OF_ROWS: [f64; 2] = [0.95, 0.99];

/// The percentiles that locustfiles may choose, as fractions.
#[derive(Debug, Clone, PartialEq)]
pub struct Percentiles {
    /// Locust's `PERCENTILES_TO_CHART`: over all requests, of the last seconds.
    pub to_chart: Vec<f64>,
    /// Locust's `PERCENTILES_TO_STATISTICS`: of each row.
    pub to_statistics: Vec<f64>,
}

impl Default for Percentiles {
    fn default() -> Self {
        Self {
            to_chart: OF_POINTS.to_vec(),
            to_statistics: OF_ROWS.to_vec(),
        }
    }
}

/// `GET /stats/requests`.
pub fn stats_requests(snapshot: &Snapshot, state: &str, percentiles: &Percentiles) -> Value {
    let total = &snapshot.total;
    let shown = snapshot.entries.iter().take(ROWS_MAX);
    let mut fractions = [&[0.5], &*percentiles.to_statistics].concat();
    fractions.sort_by(f64::total_cmp);
    fractions.dedup();
    let row = |row| {
        entry(
            &EntrySummary::of(row, &fractions),
            &percentiles.to_statistics,
        )
    };
    let stats: Vec<_> = shown.chain([total]).map(row).collect();
    let errors: Vec<_> = snapshot
        .failures
        .iter()
        .take(ROWS_MAX)
        .map(|row| failure(&row.into()))
        .collect();
    json!({
        "state": state,
        "user_count": snapshot.user_count,
        "stats": stats,
        "errors": errors,
        "current_rps": total.current_rps(),
        "current_fail_per_sec": total.current_fail_per_sec(),
        "total_rps": total.total_rps(),
        "total_fail_per_sec": total.total_fail_per_sec(),
        "fail_ratio": total.fail_ratio(),
        "current_response_time_percentiles": current_percentiles(total, &percentiles.to_chart),
    })
}

/// What `--json` prints: a row for each name, and the total last, in Python's spelling.
///
/// Locust's keys and types. Its rows lack the total, and its `response_times` are rounded
/// to two digits; here they are whole milliseconds at three digits. `server_time`,
/// `checked_answers` and, in the last row, `arrivals` are there if there is something to tell. Seconds are told for
/// the newest half hour.
pub fn stats_json(snapshot: &Snapshot) -> Value {
    let rows = snapshot.entries.iter().chain([&snapshot.total]);
    let start = snapshot.start_us as f64 / 1e6;
    let mut rows: Vec<_> = rows.map(|row| stats_row(row, start)).collect();
    if let (Some(arrivals), Some(total)) =
        (ArrivalsSummary::of(&snapshot.arrivals), rows.last_mut())
    {
        total["arrivals"] = json!(arrivals);
    }
    Value::Array(rows)
}

fn stats_row(entry: &EntrySnapshot, start: f64) -> Value {
    let mut times = BTreeMap::new();
    entry.for_each_time_us(|time_us, count| {
        *times.entry((time_us + 500) / 1_000).or_insert(0) += count;
    });
    let times = times
        .into_iter()
        .map(|(ms, count)| (ms.to_string(), json!(count)));
    let by_second = |of: fn(&acrida_stats::SecondCount) -> u64| -> Map<_, _> {
        entry
            .counts_by_second()
            .filter(|count| of(count) > 0)
            .map(|count| (count.second.to_string(), json!(of(&count))))
            .collect()
    };
    let mut row = json!({
        "name": entry.name,
        "method": entry.method,
        "last_request_timestamp": entry.last_request_us.map(|last| last as f64 / 1e6),
        "start_time": start,
        "num_requests": entry.num_requests,
        "num_none_requests": entry.num_none_requests,
        "num_failures": entry.num_failures,
        "total_response_time": entry.total_response_time_us as f64 / 1e3,
        "max_response_time": entry.max_response_time_ms().unwrap_or(0.0),
        "min_response_time": entry.min_response_time_ms().ok(),
        "total_content_length": entry.total_content_length,
        "response_times": times.collect::<Map<_, _>>(),
        "num_reqs_per_sec": by_second(|count| count.requests),
        "num_fail_per_sec": by_second(|count| count.failures),
    });
    if let Some(server) = entry.insight().and_then(ServerSummary::of) {
        row["server_time"] = json!(server);
    }
    if let Some(answers) = entry.insight().and_then(AnswersSummary::of) {
        row["checked_answers"] = json!(answers);
    }
    row
}

fn current_percentiles(total: &EntrySnapshot, fractions: &[f64]) -> Value {
    let times = total.current_percentiles_ms(fractions).ok();
    let time = |at: usize| times.as_ref().map(|times| times[at]);
    let keyed = fractions.iter().enumerate();
    let keyed = keyed.map(|(at, fraction)| (percentile_key(*fraction), json!(time(at))));
    Value::Object(keyed.collect())
}

fn percentile_key(fraction: f64) -> String {
    format!("response_time_percentile_{fraction}")
}

/// A row of the statistics with these percentiles, Locust's `StatsEntry.to_dict`.
fn entry(entry: &EntrySummary, fractions: &[f64]) -> Value {
    let mut row = json!({
        "method": entry.method,
        "name": entry.name,
        "safe_name": escape_html(&entry.name),
        "num_requests": entry.requests,
        "num_failures": entry.failures,
        "min_response_time": entry.min.unwrap_or(0.0).round() as u64,
        "max_response_time": entry.max.unwrap_or(0.0).round() as u64,
        "avg_response_time": entry.avg.unwrap_or(0.0),
        "median_response_time": entry.median().unwrap_or(0.0),
        "current_rps": entry.current_rps,
        "current_fail_per_sec": entry.current_fail_per_s,
        "total_rps": entry.rps,
        "total_fail_per_sec": entry.fail_per_s,
        "avg_content_length": entry.avg_content_length,
    });
    for fraction in fractions {
        row[percentile_key(*fraction)] = json!(entry.percentile(*fraction).unwrap_or(0.0));
    }
    row
}

/// A row of the failures, Locust's `StatsError.to_dict`.
pub fn failure(row: &FailureSummary) -> Value {
    json!({
        "method": row.method,
        "name": row.name,
        "error": row.error,
        "occurrences": row.occurrences,
        "first_seen": row.first_seen_s,
        "last_seen": row.last_seen_s,
    })
}

/// The rows of `GET /exceptions`.
pub fn exceptions(snapshot: &Snapshot) -> Value {
    let rows = snapshot.exceptions.iter();
    rows.map(|row| exception(&row.into())).collect()
}

fn exception(row: &ExceptionSummary) -> Value {
    json!({
        "count": row.count,
        "msg": row.message,
        "traceback": row.traceback,
        "nodes": row.nodes,
    })
}

/// The course of a test as Locust's charts have it.
pub fn history<'a>(points: impl IntoIterator<Item = &'a Point>) -> Value {
    points.into_iter().map(history_point).collect()
}

fn history_point(point: &Point) -> Value {
    let time = utc_second(point.t);
    let pair = |value: Value| json!([time, value]);
    let mut row = Map::new();
    row.insert("time".to_owned(), json!(time));
    row.insert("user_count".to_owned(), pair(json!(point.users)));
    row.insert("current_rps".to_owned(), pair(json!(point.rps)));
    row.insert("current_fail_per_sec".to_owned(), pair(json!(point.fps)));
    row.insert("total_avg_response_time".to_owned(), pair(json!(point.avg)));
    for (fraction, value) in OF_POINTS.iter().zip([point.p50, point.p95]) {
        row.insert(percentile_key(*fraction), pair(json!(value.unwrap_or(0.0))));
    }
    Value::Object(row)
}

/// What Locust's report is made from, for a page that is a report already.
pub fn report(run: &RunSummary) -> Value {
    let rows = || run.entries.iter().chain([&run.total]);
    let end = run
        .start_s
        .zip(run.duration_s)
        .map(|(start, duration)| start + duration);
    let exceptions = run.exceptions.iter().map(|row| {
        let mut shown = exception(row);
        shown["first_seen"] = json!(row.first_seen_s);
        shown["last_seen"] = json!(row.last_seen_s);
        shown["counts"] = json!(row.counts);
        shown
    });
    let failures = run.failures.iter().map(|row| {
        let mut shown = failure(row);
        shown["counts"] = json!(row.counts);
        shown
    });
    json!({
        "is_report": true,
        "requests_statistics": rows().map(|row| entry(row, &OF_ROWS)).collect::<Vec<_>>(),
        "failures_statistics": failures.collect::<Vec<_>>(),
        "exceptions_statistics": exceptions.collect::<Vec<_>>(),
        "response_time_statistics": rows().map(response_times).collect::<Vec<_>>(),
        "start_time": run.start_s.map(utc_second),
        "end_time": end.or(run.start_s).map(utc_second),
        "duration": duration(run.duration_s.unwrap_or(0.0) as u64),
        "host": run.host.as_deref().filter(|host| !host.is_empty()).unwrap_or("None"),
        "history": history(&run.course),
        "locustfile": run.title,
        "percentiles_to_chart": OF_POINTS,
    })
}

/// Locust's `PERCENTILES_FOR_HTML_REPORT`, with the keys that it gives them.
fn response_times(entry: &EntrySummary) -> Value {
    const SHOWN: [(&str, f64); 8] = [
        ("0.5", 0.5),
        ("0.6", 0.6),
        ("0.7", 0.7),
        ("0.8", 0.8),
        ("0.9", 0.9),
        ("0.95", 0.95),
        ("0.99", 0.99),
        ("1.0", 1.0),
    ];
    // A file that lacks one of them says nothing about it; a run without any time says 0.
    let missing = entry.percentiles.is_empty().then_some(0.0);
    let mut row = json!({"name": entry.name, "method": entry.method});
    for (key, fraction) in SHOWN {
        row[key] = json!(entry.percentile(fraction).or(missing));
    }
    row
}

/// Seconds since the Unix epoch as `2026-11-23T23:32:55Z`.
pub fn utc_second(seconds: f64) -> String {
    Timestamp::from_second(seconds as i64).map_or_else(|_| String::new(), |time| time.to_string())
}

/// `text` with what HTML gives a meaning taken away.
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

/// Seconds in words, as Locust's report has them: `1 minute and 5 seconds`.
pub fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let parts = parts.iter().filter(|(amount, _)| *amount > 0);
    let mut words: Vec<String> = parts
        .map(|(amount, unit)| format!("{amount} {unit}{}", if *amount == 1 { "" } else { "s" }))
        .collect();
    match words.pop() {
        None => "0 seconds".to_owned(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests;
