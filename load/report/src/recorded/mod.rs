//! Runs read back from files: the CSVs of acrida, of Locust 1 and 2, and those with the
//! column names that the load-testing guide shows; and JSON.
//!
//! Pure: texts go in. A file that is cut off, foreign or empty is an error that says so.

mod json;
mod requests;
mod resources;
mod table;

use crate::course::Point;
use crate::insight::ArrivalsSummary;
use crate::locust_csv;
use crate::summary::{Bandwidth, EntrySummary, ExceptionSummary, FailureSummary, RunSummary};

pub use json::read_json;
pub use requests::Traffic;
use table::{Row, Table};

/// Why a file says nothing about a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct Unreadable {
    /// The file, as the user knows it.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// The texts of the files of one `--csv PREFIX`, with their names for complaints.
#[derive(Debug, Clone, Default)]
pub struct CsvFiles {
    /// `PREFIX_stats.csv`.
    pub stats: (String, String),
    /// `PREFIX_stats_history.csv`.
    pub history: Option<(String, String)>,
    /// `PREFIX_failures.csv`.
    pub failures: Option<(String, String)>,
    /// `PREFIX_exceptions.csv`.
    pub exceptions: Option<(String, String)>,
    /// `PREFIX_arrivals.csv`.
    pub arrivals: Option<(String, String)>,
    /// `PREFIX_resources.csv`.
    pub resources: Option<(String, String)>,
    /// What `PREFIX_requests.csv` says about bytes.
    pub traffic: Option<Traffic>,
}

/// Locust's and older names of the row over all requests.
const TOTALS: [&str; 2] = ["Aggregated", "Total"];

/// Reads the files of a run.
///
/// # Errors
///
/// [`Unreadable`] for the first file that is cut off, foreign or without any request.
pub fn read_csv(title: &str, files: &CsvFiles) -> Result<RunSummary, Unreadable> {
    let (mut entries, total) = read_stats(&files.stats)?;
    let total = match total {
        Some(total) => total,
        None => sum_of(&entries),
    };
    if total.requests == 0 {
        return Err(Unreadable {
            file: files.stats.0.clone(),
            why: "no request was made in this run".to_owned(),
        });
    }
    entries.retain(|entry| entry.requests > 0);
    let course = files.history.as_ref().map(read_history).transpose()?;
    let course = course.unwrap_or_default();
    let of_rate = (total.rps > 0.0).then(|| total.requests as f64 / total.rps);
    let traffic = files.traffic.filter(|traffic| traffic.rows > 0);
    let duration_s = of_rate.or(traffic.map(|traffic| traffic.seconds()));
    let sent = traffic.zip(duration_s).map(|(traffic, seconds)| Bandwidth {
        bytes_per_s: traffic.bytes as f64 / seconds.max(1.0),
        both_ways: true,
    });
    Ok(RunSummary {
        title: title.to_owned(),
        start_s: course.first().map(|point| point.t),
        duration_s,
        peak_users: course.iter().map(|point| point.users).max(),
        spawn_rate: spawn_rate(&course),
        bandwidth: sent.or_else(|| Bandwidth::of_answers(&total)),
        failures: files
            .failures
            .as_ref()
            .map_or(Ok(Vec::new()), read_failures)?,
        exceptions: files
            .exceptions
            .as_ref()
            .map_or(Ok(Vec::new()), read_exceptions)?,
        arrivals: files.arrivals.as_ref().map(read_arrivals).transpose()?,
        resources: files
            .resources
            .as_ref()
            .map_or(Ok(Vec::new()), resources::read)?,
        entries,
        total,
        course,
        ..RunSummary::default()
    })
}

fn read_stats(
    file: &(String, String),
) -> Result<(Vec<EntrySummary>, Option<EntrySummary>), Unreadable> {
    let table = Table::read(file, &["Name", "Request Count|# requests"])?;
    let mut entries = Vec::new();
    let mut total = None;
    for row in table.rows() {
        let entry = entry(&row)?;
        if TOTALS.contains(&&*entry.name) && entry.method.is_empty() {
            total = Some(EntrySummary {
                name: TOTALS[0].to_owned(),
                ..entry
            });
        } else {
            entries.push(entry);
        }
    }
    Ok((entries, total))
}

fn entry(row: &Row<'_>) -> Result<EntrySummary, Unreadable> {
    let requests = row.count("Request Count|# requests")?;
    let failures = row.count("Failure Count|# failures")?;
    if failures > requests {
        return Err(row.wrong(&format!("{failures} failures of {requests} requests")));
    }
    // A row without requests has zeros and "N/A" where there are no times.
    let time = |column| Ok(row.number(column)?.filter(|_| requests > 0));
    let mut percentiles = Vec::new();
    for (column, fraction) in row.percentile_columns() {
        percentiles.extend(time(column)?.map(|time| (fraction, time)));
    }
    if !percentiles.iter().any(|(fraction, _)| *fraction == 0.5) {
        percentiles.extend(time("Median Response Time")?.map(|median| (0.5, median)));
    }
    percentiles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = row.number("Average Content Size|Average Content Length")?;
    let method = row.text("Type|Method");
    Ok(EntrySummary {
        method: if method == "None" { "" } else { method }.to_owned(),
        name: row.text("Name").to_owned(),
        requests,
        failures,
        rps: row.number("Requests/s")?.unwrap_or(0.0),
        fail_per_s: row.number("Failures/s")?.unwrap_or(0.0),
        min: time("Min Response Time")?,
        avg: time("Average Response Time")?,
        max: time("Max Response Time")?,
        percentiles,
        avg_content_length: size.unwrap_or(0.0),
        ..EntrySummary::default()
    })
}

/// All requests together, where a file has no row for them. Percentiles of parts say
/// nothing about those of the whole, which stay unknown unless there is one part only.
fn sum_of(entries: &[EntrySummary]) -> EntrySummary {
    let requests: u64 = entries.iter().map(|entry| entry.requests).sum();
    let weighted = |of: fn(&EntrySummary) -> Option<f64>| {
        let sums = entries
            .iter()
            .filter_map(|entry| Some(of(entry)? * entry.requests as f64));
        (requests > 0).then(|| sums.sum::<f64>() / requests as f64)
    };
    let extreme = |of: fn(&EntrySummary) -> Option<f64>, better: fn(f64, f64) -> f64| {
        entries.iter().filter_map(of).reduce(better)
    };
    EntrySummary {
        name: TOTALS[0].to_owned(),
        requests,
        failures: entries.iter().map(|entry| entry.failures).sum(),
        rps: entries.iter().map(|entry| entry.rps).sum(),
        fail_per_s: entries.iter().map(|entry| entry.fail_per_s).sum(),
        min: extreme(|entry| entry.min, f64::min),
        avg: weighted(|entry| entry.avg),
        max: extreme(|entry| entry.max, f64::max),
        percentiles: match entries {
            [only] => only.percentiles.clone(),
            _ => Vec::new(),
        },
        avg_content_length: weighted(|entry| Some(entry.avg_content_length)).unwrap_or(0.0),
        ..EntrySummary::default()
    }
}

fn read_history(file: &(String, String)) -> Result<Vec<Point>, Unreadable> {
    let table = Table::read(file, &["Timestamp", "User Count", "Name"])?;
    let mut course = Vec::new();
    for row in table
        .rows()
        .filter(|row| TOTALS.contains(&row.text("Name")))
    {
        let time = |column| Ok(row.number(column)?.map(|time| time as f32));
        course.push(Point {
            t: row.number("Timestamp")?.unwrap_or(0.0),
            users: row.count("User Count")?,
            rps: row.number("Requests/s")?.unwrap_or(0.0) as f32,
            fps: row.number("Failures/s")?.unwrap_or(0.0) as f32,
            p50: time("50%")?,
            p95: time("95%")?,
            p99: time("99%")?,
            avg: time("Total Average Response Time")?.unwrap_or_default(),
            beats: 1,
        });
    }
    Ok(course)
}

fn read_failures(file: &(String, String)) -> Result<Vec<FailureSummary>, Unreadable> {
    let table = Table::read(file, &["Name", "Occurrences|# failures"])?;
    let failure = |row: Row<'_>| {
        Ok(FailureSummary {
            method: row.text("Method|Type").to_owned(),
            name: row.text("Name").to_owned(),
            error: row.text("Error|Failure message").to_owned(),
            occurrences: row.count("Occurrences|# failures")?,
            first_seen_s: row.time("First Seen"),
            last_seen_s: row.time("Last Seen"),
            ..FailureSummary::default()
        })
    };
    table.rows().map(failure).collect()
}

fn read_exceptions(file: &(String, String)) -> Result<Vec<ExceptionSummary>, Unreadable> {
    let table = Table::read(file, &["Count", "Message"])?;
    let exception = |row: Row<'_>| {
        Ok(ExceptionSummary {
            count: row.count("Count")?,
            message: row.text("Message").to_owned(),
            traceback: row.text("Traceback").to_owned(),
            nodes: row.text("Nodes").to_owned(),
            ..ExceptionSummary::default()
        })
    };
    table.rows().map(exception).collect()
}

fn read_arrivals(file: &(String, String)) -> Result<ArrivalsSummary, Unreadable> {
    let table = Table::read(file, &locust_csv::ARRIVALS)?;
    let row = table.rows().next().ok_or_else(|| Unreadable {
        file: file.0.clone(),
        why: "it has no row".to_owned(),
    })?;
    Ok(ArrivalsSummary {
        intended: row.count("Intended")?,
        begun: row.count("Begun")?,
        late: row.count("Late")?,
        dropped: row.count("Dropped")?,
        late_after: row.number("Late After")?.unwrap_or(0.0),
        p50: row.number("Median Lateness")?,
        p95: row.number("95% Lateness")?,
        p99: row.number("99% Lateness")?,
        max: row.number("Max Lateness")?,
    })
}

/// How fast users were started, told from how their number rose; unknown if it did so
/// within two rows.
fn spawn_rate(course: &[Point]) -> Option<f64> {
    let peak = course.iter().map(|point| point.users).max()?;
    let from = course.iter().find(|point| point.users > 0)?;
    let rising = course
        .iter()
        .filter(|point| point.users < peak && point.t > from.t);
    let last = rising.take_while(|point| point.users > 0).last()?;
    let seconds = last.t - from.t;
    let rate = (last.users.saturating_sub(from.users)) as f64 / seconds;
    // Rows are a second apart or more, so more digits would be made up.
    (rate > 0.0).then(|| {
        if rate < 10.0 {
            (rate * 10.0).round() / 10.0
        } else {
            rate.round()
        }
    })
}

#[cfg(test)]
mod tests;
