//! Statistics as listeners read them: views on one snapshot.

use acrida_stats::{EntrySnapshot, FailureRow, NoSamples, Snapshot};
use pyo3::prelude::*;

/// Everything counted up to a moment.
#[pyclass(frozen, module = "acrida._native")]
#[derive(Default)]
pub(crate) struct Statistics(Option<Snapshot>);

/// One row. Times are in ms; where nothing was timed they are 0, as in Locust.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct StatsEntry(Option<EntrySnapshot>);

/// One row of the failure table.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct FailureEntry(FailureRow);

impl Statistics {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(Some(snapshot))
    }
}

#[pymethods]
impl Statistics {
    /// The row over all requests.
    #[getter]
    fn total(&self) -> StatsEntry {
        StatsEntry(self.0.as_ref().map(|snapshot| snapshot.total.clone()))
    }

    /// The rows, sorted by name and method.
    #[getter]
    fn entries(&self) -> Vec<StatsEntry> {
        let entries = self.0.iter().flat_map(|snapshot| &snapshot.entries);
        entries
            .map(|entry| StatsEntry(Some(entry.clone())))
            .collect()
    }

    /// The failure table.
    #[getter]
    fn failures(&self) -> Vec<FailureEntry> {
        let rows = self.0.iter().flat_map(|snapshot| &snapshot.failures);
        rows.map(|row| FailureEntry(row.clone())).collect()
    }
}

impl StatsEntry {
    fn get<T: Default>(&self, what: impl Fn(&EntrySnapshot) -> T) -> T {
        self.0.as_ref().map(what).unwrap_or_default()
    }

    fn time(&self, what: impl Fn(&EntrySnapshot) -> Result<f64, NoSamples>) -> f64 {
        self.0
            .as_ref()
            .map_or(0.0, |entry| what(entry).unwrap_or(0.0))
    }
}

#[pymethods]
impl StatsEntry {
    #[getter]
    fn name(&self) -> String {
        self.get(|entry| entry.name.clone())
    }

    #[getter]
    fn method(&self) -> String {
        self.get(|entry| entry.method.clone())
    }

    #[getter]
    fn num_requests(&self) -> u64 {
        self.get(|entry| entry.num_requests)
    }

    #[getter]
    fn num_none_requests(&self) -> u64 {
        self.get(|entry| entry.num_none_requests)
    }

    #[getter]
    fn num_failures(&self) -> u64 {
        self.get(|entry| entry.num_failures)
    }

    #[getter]
    fn total_content_length(&self) -> u64 {
        self.get(|entry| entry.total_content_length)
    }

    #[getter]
    fn total_response_time(&self) -> f64 {
        self.get(|entry| entry.total_response_time_us as f64 / 1000.0)
    }

    /// Failed requests among all, 0.0 to 1.0.
    #[getter]
    fn fail_ratio(&self) -> f64 {
        self.get(EntrySnapshot::fail_ratio)
    }

    #[getter]
    fn median_response_time(&self) -> f64 {
        self.time(EntrySnapshot::median_response_time_ms)
    }

    #[getter]
    fn avg_response_time(&self) -> f64 {
        self.time(EntrySnapshot::avg_response_time_ms)
    }

    #[getter]
    fn min_response_time(&self) -> f64 {
        self.time(EntrySnapshot::min_response_time_ms)
    }

    #[getter]
    fn max_response_time(&self) -> f64 {
        self.time(EntrySnapshot::max_response_time_ms)
    }

    #[getter]
    fn avg_content_length(&self) -> f64 {
        self.get(EntrySnapshot::avg_content_length)
    }

    #[getter]
    fn total_rps(&self) -> f64 {
        self.get(EntrySnapshot::total_rps)
    }

    #[getter]
    fn total_fail_per_sec(&self) -> f64 {
        self.get(EntrySnapshot::total_fail_per_sec)
    }

    #[getter]
    fn current_rps(&self) -> f64 {
        self.get(EntrySnapshot::current_rps)
    }

    #[getter]
    fn current_fail_per_sec(&self) -> f64 {
        self.get(EntrySnapshot::current_fail_per_sec)
    }

    /// The response time in ms that a share of `percent` (0.0 to 1.0) stays within.
    fn get_response_time_percentile(&self, percent: f64) -> f64 {
        self.time(|entry| entry.percentile_ms(percent))
    }
}

#[pymethods]
impl FailureEntry {
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
}
