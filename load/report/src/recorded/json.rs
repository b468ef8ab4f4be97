//! JSON: what `--json` prints here and in Locust, and what `acrida report --format json`
//! writes.

use serde_json::Value;

use super::{Unreadable, sum_of};
use crate::summary::{Bandwidth, EntrySummary, FRACTIONS, RunSummary};

/// Reads a run.
///
/// # Errors
///
/// [`Unreadable`] if it is cut off, something else, or without any request.
pub fn read_json(file: &str, title: &str, text: &str) -> Result<RunSummary, Unreadable> {
    let unreadable = |why: String| Unreadable {
        file: file.to_owned(),
        why,
    };
    let value: Value =
        serde_json::from_str(text).map_err(|error| unreadable(format!("no JSON: {error}")))?;
    let foreign = || unreadable("no JSON of a load test".to_owned());
    let run = match &value {
        Value::Array(rows) => of_rows(title, rows).ok_or_else(foreign)?,
        Value::Object(report) => {
            let run = report.get("run").cloned().ok_or_else(foreign)?;
            serde_json::from_value(run).map_err(|error| unreadable(error.to_string()))?
        }
        _ => return Err(foreign()),
    };
    if run.total.requests == 0 {
        return Err(unreadable("no request was made in this run".to_owned()));
    }
    Ok(run)
}

fn of_rows(title: &str, rows: &[Value]) -> Option<RunSummary> {
    let end = |row: &Value| row["last_request_timestamp"].as_f64();
    let start = rows
        .iter()
        .filter_map(|row| row["start_time"].as_f64())
        .reduce(f64::min)?;
    let end = rows.iter().filter_map(end).reduce(f64::max);
    let seconds = end.map(|end| end - start).filter(|seconds| *seconds > 0.0);
    let entries: Option<Vec<_>> = rows.iter().map(|row| entry(row, seconds)).collect();
    let (total, entries): (Vec<_>, Vec<_>) = entries?
        .into_iter()
        .partition(|entry| entry.name == "Aggregated" && entry.method.is_empty());
    let total = total.into_iter().next();
    let total = total.unwrap_or_else(|| EntrySummary {
        percentiles: percentiles(merged(rows)),
        ..sum_of(&entries)
    });
    Some(RunSummary {
        title: title.to_owned(),
        start_s: Some(start),
        duration_s: seconds,
        bandwidth: Bandwidth::of_answers(&total),
        arrivals: rows
            .iter()
            .find_map(|row| serde_json::from_value(row.get("arrivals")?.clone()).ok()),
        entries,
        total,
        ..RunSummary::default()
    })
}

fn entry(row: &Value, seconds: Option<f64>) -> Option<EntrySummary> {
    let requests = row["num_requests"].as_u64()?;
    let failures = row["num_failures"].as_u64()?;
    let timed = requests - row["num_none_requests"].as_u64().unwrap_or(0).min(requests);
    let time = |key: &str| row[key].as_f64().filter(|_| timed > 0);
    let rate = |count: u64| seconds.map_or(0.0, |seconds| count as f64 / seconds);
    let told = |key: &str| row.get(key).cloned().filter(|told| !told.is_null());
    Some(EntrySummary {
        server: told("server_time").and_then(|told| serde_json::from_value(told).ok()),
        answers: told("checked_answers").and_then(|told| serde_json::from_value(told).ok()),
        method: row["method"].as_str()?.to_owned(),
        name: row["name"].as_str()?.to_owned(),
        requests,
        failures,
        rps: rate(requests),
        fail_per_s: rate(failures),
        min: time("min_response_time"),
        avg: time("total_response_time").map(|sum| sum / timed as f64),
        max: time("max_response_time"),
        percentiles: percentiles(times(row)?),
        avg_content_length: row["total_content_length"].as_f64()? / (requests.max(1)) as f64,
        ..EntrySummary::default()
    })
}

/// Pairs of a time in ms and how many requests took it.
fn times(row: &Value) -> Option<Vec<(f64, u64)>> {
    let times = row["response_times"].as_object()?.iter();
    times
        .map(|(time, count)| Some((time.parse().ok()?, count.as_u64()?)))
        .collect()
}

fn merged(rows: &[Value]) -> Vec<(f64, u64)> {
    rows.iter().filter_map(times).flatten().collect()
}

/// By Locust's rule: of n sorted times, the one at index ⌊n · fraction⌋, or the last.
fn percentiles(mut times: Vec<(f64, u64)>) -> Vec<(f64, f64)> {
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count: u64 = times.iter().map(|(_, count)| count).sum();
    let at = |fraction: f64| {
        let rank = ((count as f64 * fraction) as u64).min(count.saturating_sub(1));
        let mut seen = 0;
        let found = times.iter().find(|(_, count)| {
            seen += count;
            seen > rank
        });
        found.map(|(time, _)| (fraction, *time))
    };
    FRACTIONS.into_iter().filter_map(at).collect()
}
