//! The one ledger of an environment, as Python holds it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use acrida_cli::run::{Collector, Counter, RequestLog};
use acrida_http::{Observer, Record};
use acrida_stats::{Lane, Limits};
use pyo3::prelude::*;

use crate::arguments::Text;
use crate::exchange::{bytes, checked, micros};
use crate::statistics::{Failure, Row, Statistics};

/// Cores for which one I/O thread is enough: a busy interpreter feeds one.
const CORES_PER_IO_THREAD: usize = 8;
const IO_THREADS_MAX: usize = 4;

/// Everything that is counted: by I/O threads, by locustfiles, by listeners.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Ledger {
    collector: Arc<Collector>,
    /// Counts what Python's side finishes.
    counter: Arc<Counter>,
    /// Count what I/O threads finish, one each.
    of_threads: Vec<Counter>,
}

impl Ledger {
    /// An empty one; `request_log` gets a line for each request.
    pub(crate) fn with_log(request_log: Option<&RequestLog>) -> Self {
        let counter = || Counter {
            lane: Lane::new(Limits::default()),
            log: request_log.cloned(),
        };
        let of_threads: Vec<_> = (0..io_threads()).map(|_| counter()).collect();
        let of_python = counter();
        let mut lanes = vec![of_python.lane.clone()];
        lanes.extend(of_threads.iter().map(|counter| counter.lane.clone()));
        Self {
            collector: Arc::new(Collector::new(lanes, Limits::default())),
            counter: Arc::new(of_python),
            of_threads,
        }
    }

    pub(crate) fn collector(&self) -> &Arc<Collector> {
        &self.collector
    }

    pub(crate) fn counter(&self) -> &Arc<Counter> {
        &self.counter
    }

    /// One observer for each I/O thread that there should be.
    pub(crate) fn observers(&self) -> Vec<Arc<dyn Observer>> {
        let counters = self.of_threads.iter();
        counters
            .map(|counter| Arc::new(counter.clone()) as Arc<dyn Observer>)
            .collect()
    }
}

#[pymethods]
impl Ledger {
    /// An empty one.
    #[new]
    fn new() -> Self {
        Self::with_log(None)
    }

    /// Counts a request of a client of the locustfile's own; `answer` as in [`checked`].
    #[pyo3(signature = (method, name, response_time_ms, content_length, failure, answer))]
    fn record(
        &self,
        method: Text,
        name: Text,
        response_time_ms: Option<f64>,
        content_length: f64,
        failure: Option<&str>,
        answer: Option<(String, String, bool)>,
    ) -> PyResult<()> {
        self.counter.record(&Record {
            method: &method.0,
            name: &name.0,
            finished_us: now_us(),
            response_time_us: response_time_ms.map(micros).transpose()?,
            content_length: bytes(content_length),
            bytes_sent: 0,
            bytes_received: bytes(content_length),
            failure,
            server: None,
            answer: answer.as_ref().map(checked),
        });
        Ok(())
    }

    /// Counts a failure of a request that is counted by itself.
    fn record_error(&self, method: Text, name: Text, error: &str) {
        self.counter
            .lane
            .record_error(&method.0, &name.0, error, now_us());
    }

    /// Counts an exception that a task raised on `node`.
    fn record_exception(&self, message: &str, traceback: &str, node: &str) {
        self.collector.record_exception(message, traceback, node);
    }

    /// Adds what a row of another ledger counted.
    fn absorb_row(&self, method: &str, name: &str, row: &Bound<'_, Row>) {
        self.collector.absorb_row(method, name, row.get().entry());
    }

    /// Everything as it is now.
    fn snapshot(&self, py: Python<'_>) -> Statistics {
        py.detach(|| Statistics::new(self.collector.snapshot()))
    }

    /// One row as it is now; empty if nothing was counted under these names.
    fn entry(&self, method: &str, name: &str) -> Row {
        Row::new(self.collector.entry(method, name))
    }

    /// The row over all requests as it is now.
    fn total(&self) -> Row {
        Row::new(self.collector.total())
    }

    /// One row of the failure table as it is now; None if there is none.
    fn failure(&self, method: &str, name: &str, error: &str) -> Option<Failure> {
        let row = self.collector.failure(method, name, error);
        row.map(Failure::new)
    }

    /// Forgets what one row counted.
    fn reset_entry(&self, method: &str, name: &str) {
        self.collector.reset_entry(method, name);
    }

    /// Forgets what the row over all requests counted.
    fn reset_total(&self) {
        self.collector.reset_total();
    }

    /// Forgets what was measured; names stay, with no requests.
    fn reset(&self) {
        self.collector.reset();
    }

    /// Forgets what was measured, and the names.
    fn clear(&self) {
        self.collector.clear();
    }
}

fn io_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.div_ceil(CORES_PER_IO_THREAD).min(IO_THREADS_MAX)
}

/// µs since the Unix epoch.
fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
