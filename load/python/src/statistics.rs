//! Statistics as listeners read them: views on one snapshot.

use std::collections::BTreeMap;

use acrida_report::console::{self, Style};
use acrida_report::course::Point;
use acrida_report::html::{Page, Theme};
use acrida_report::locust_csv;
use acrida_report::summary::RunSummary;
use acrida_stats::{EntrySnapshot, ExceptionRow, FailureRow, NoSamples, Snapshot};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::Value;

/// Everything counted up to a moment.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Statistics(Snapshot);

/// One row. Times are in ms; where nothing was timed they are 0, as in Locust.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Row(EntrySnapshot);

/// One row of the failure table.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Failure(FailureRow);

impl Statistics {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(snapshot)
    }
}

#[pymethods]
impl Statistics {
    /// Method and name of each row, sorted by name and method.
    #[getter]
    fn keys(&self) -> Vec<(&str, &str)> {
        let entries = self.0.entries.iter();
        entries
            .map(|entry| (&*entry.method, &*entry.name))
            .collect()
    }

    /// The failure table.
    #[getter]
    fn failures(&self) -> Vec<Failure> {
        self.0.failures.iter().cloned().map(Failure::new).collect()
    }

    /// What tasks raised: count, message, traceback and who raised it.
    #[getter]
    fn exceptions(&self) -> Vec<(u64, &str, &str, &[String])> {
        fn row(row: &ExceptionRow) -> (u64, &str, &str, &[String]) {
            (row.count, &row.message, &row.traceback, &row.nodes)
        }
        self.0.exceptions.iter().map(row).collect()
    }

    /// The console's table of requests, with current rates or those of the whole run.
    fn table(&self, current: bool) -> String {
        console::stats_table(&self.0, current, Style::PLAIN)
    }

    /// The console's table of percentiles (fractions, 0.0 to 1.0).
    fn percentiles_table(&self, percentiles: Vec<f64>) -> String {
        console::percentiles_table(&self.0, &percentiles, Style::PLAIN)
    }

    /// The console's table of failures.
    fn error_report(&self) -> String {
        console::error_report(&self.0, Style::PLAIN)
    }

    /// The content of `_stats.csv`.
    fn stats_csv(&self, percentiles: Vec<f64>) -> String {
        locust_csv::stats_csv(&self.0, &percentiles)
    }

    /// The content of `_failures.csv`.
    fn failures_csv(&self) -> String {
        locust_csv::failures_csv(&self.0)
    }

    /// The content of `_exceptions.csv`.
    fn exceptions_csv(&self) -> String {
        locust_csv::exceptions_csv(&self.0)
    }

    /// What one moment adds to `_stats_history.csv`.
    fn history_rows(&self, percentiles: Vec<f64>, full_history: bool) -> String {
        locust_csv::stats_history_rows(&self.0, &percentiles, full_history)
    }

    /// The report as one HTML file. `about` is a JSON object: `title`, `host`, `profile`,
    /// `tasks`, and `course`, a list of [`Point`]. `theme` is `light`, `dark` or empty.
    /// ValueError where `about` is none of it.
    fn html_report(&self, about: &str, theme: &str, download_link: bool) -> PyResult<String> {
        let wrong = |error: serde_json::Error| PyValueError::new_err(error.to_string());
        let mut about: Value = serde_json::from_str(about).map_err(wrong)?;
        let course: Vec<Point> = serde_json::from_value(about["course"].take()).map_err(wrong)?;
        let text = |name: &str| about[name].as_str().map(str::to_owned);
        let run = RunSummary {
            title: text("title").unwrap_or_default(),
            host: text("host"),
            peak_users: course.iter().map(|point| point.users).max(),
            course,
            ..RunSummary::of(&self.0, &[])
        };
        let page = Page {
            run,
            theme: match theme {
                "dark" => Theme::Dark,
                "light" => Theme::Light,
                _ => Theme::Auto,
            },
            download_link,
            tasks: about["tasks"].take(),
            profile: about["profile"].take(),
            ..Page::default()
        };
        Ok(page.html())
    }
}

/// The first line of `_stats_history.csv`.
#[pyfunction]
pub(crate) fn history_header(percentiles: Vec<f64>) -> String {
    locust_csv::stats_history_header(&percentiles)
}

impl Row {
    pub(crate) fn new(entry: EntrySnapshot) -> Self {
        Self(entry)
    }

    pub(crate) fn entry(&self) -> &EntrySnapshot {
        &self.0
    }
}

impl Failure {
    pub(crate) fn new(row: FailureRow) -> Self {
        Self(row)
    }
}

/// 0 where nothing was timed.
fn or_zero(time: Result<f64, NoSamples>) -> f64 {
    time.unwrap_or(0.0)
}

/// µs since the Unix epoch as Python's `time.time()` has it.
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[pymethods]
impl Row {
    #[getter]
    fn num_requests(&self) -> u64 {
        self.0.num_requests
    }

    #[getter]
    fn num_none_requests(&self) -> u64 {
        self.0.num_none_requests
    }

    #[getter]
    fn num_failures(&self) -> u64 {
        self.0.num_failures
    }

    #[getter]
    fn total_content_length(&self) -> u64 {
        self.0.total_content_length
    }

    #[getter]
    fn total_response_time(&self) -> f64 {
        self.0.total_response_time_us as f64 / 1000.0
    }

    /// Failed requests among all, 0.0 to 1.0.
    #[getter]
    fn fail_ratio(&self) -> f64 {
        self.0.fail_ratio()
    }

    #[getter]
    fn median_response_time(&self) -> f64 {
        or_zero(self.0.median_response_time_ms())
    }

    #[getter]
    fn avg_response_time(&self) -> f64 {
        or_zero(self.0.avg_response_time_ms())
    }

    /// None where nothing was timed.
    #[getter]
    fn min_response_time(&self) -> Option<f64> {
        self.0.min_response_time_ms().ok()
    }

    #[getter]
    fn max_response_time(&self) -> f64 {
        or_zero(self.0.max_response_time_ms())
    }

    #[getter]
    fn avg_content_length(&self) -> f64 {
        self.0.avg_content_length()
    }

    #[getter]
    fn total_rps(&self) -> f64 {
        self.0.total_rps()
    }

    #[getter]
    fn total_fail_per_sec(&self) -> f64 {
        self.0.total_fail_per_sec()
    }

    #[getter]
    fn current_rps(&self) -> f64 {
        self.0.current_rps()
    }

    #[getter]
    fn current_fail_per_sec(&self) -> f64 {
        self.0.current_fail_per_sec()
    }

    /// Seconds since the Unix epoch.
    #[getter]
    fn start_time(&self) -> f64 {
        seconds(self.0.start_us())
    }

    /// Seconds since the Unix epoch; None before the first request.
    #[getter]
    fn last_request_timestamp(&self) -> Option<f64> {
        self.0.last_request_us.map(seconds)
    }

    /// Counts by response time in ms, as exact as they are kept.
    #[getter]
    fn response_times(&self) -> Vec<(f64, u64)> {
        let times = self.0.times_us().into_iter();
        times
            .map(|(time_us, count)| (time_us as f64 / 1000.0, count))
            .collect()
    }

    /// Requests by the second in which they finished, of the newest seconds.
    #[getter]
    fn num_reqs_per_sec(&self) -> BTreeMap<u64, u64> {
        let seconds = self.0.counts_by_second();
        let requests = seconds.map(|count| (count.second, count.requests));
        requests.filter(|(_, requests)| *requests > 0).collect()
    }

    /// Failures likewise.
    #[getter]
    fn num_fail_per_sec(&self) -> BTreeMap<u64, u64> {
        let seconds = self.0.counts_by_second();
        let failures = seconds.map(|count| (count.second, count.failures));
        failures.filter(|(_, failures)| *failures > 0).collect()
    }

    /// The response time in ms that a share of `percent` (0.0 to 1.0) stays within.
    fn get_response_time_percentile(&self, percent: f64) -> f64 {
        or_zero(self.0.percentile_ms(percent))
    }

    /// The same of the last ten seconds; None if nothing was timed in them.
    fn get_current_response_time_percentile(&self, percent: f64) -> Option<f64> {
        let percentiles = self.0.current_percentiles_ms(&[percent]);
        percentiles.ok().map(|percentiles| percentiles[0])
    }
}

#[pymethods]
impl Failure {
    #[getter]
    fn method(&self) -> &str {
        &self.0.method
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn error(&self) -> &str {
        &self.0.error
    }

    #[getter]
    fn occurrences(&self) -> u64 {
        self.0.occurrences
    }

    /// Seconds since the Unix epoch.
    #[getter]
    fn first_seen(&self) -> f64 {
        seconds(self.0.first_seen_us)
    }

    #[getter]
    fn last_seen(&self) -> f64 {
        seconds(self.0.last_seen_us)
    }
}
