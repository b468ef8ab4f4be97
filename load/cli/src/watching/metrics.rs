//! A page of metrics in Prometheus' text format, as client libraries of it serve them.

use std::time::Duration;

use super::clock::Elapsed;
use super::{Reading, Source, reading};
use crate::web_call;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most bytes of one that are read.
const PAGE_MAX: u64 = 4 << 20;

/// A service that tells of itself.
#[derive(Debug)]
pub(super) struct Metrics {
    url: String,
    name: String,
    cpu_s: Option<f64>,
    start_s: Option<f64>,
    restarts: u32,
    elapsed: Elapsed,
}

impl Metrics {
    pub(super) fn new(url: String) -> Self {
        Self {
            name: web_call::without_password(&url),
            url,
            cpu_s: None,
            start_s: None,
            restarts: 0,
            elapsed: Elapsed::default(),
        }
    }

    fn take(&mut self, page: &str) -> Option<Reading> {
        let value = |name| value(page, name);
        let cpu_s = value("process_cpu_seconds_total");
        let memory = value("process_resident_memory_bytes");
        if cpu_s.is_none() && memory.is_none() {
            return None;
        }
        let seconds = self.elapsed.since_last();
        let start_s = value("process_start_time_seconds");
        let before = std::mem::replace(&mut self.cpu_s, cpu_s);
        let was = self.start_s;
        self.start_s = start_s.or(was);
        // The same second, read again, may differ in its last digits.
        let again = was
            .zip(start_s)
            .is_some_and(|(was, now)| (now - was).abs() > 1.0);
        self.restarts += u32::from(again);
        let grown = cpu_s
            .zip(before)
            .map(|(now, before)| now - before)
            .filter(|grown| *grown >= 0.0);
        let mut reading = reading(&self.name);
        reading.usage.cpu = grown
            .zip(seconds)
            .map(|(grown, seconds)| (100.0 * grown / seconds) as f32);
        reading.usage.memory_mb = memory.map(|bytes| (bytes / f64::from(1 << 20)) as f32);
        reading.usage.restarts = self.restarts;
        Some(reading)
    }
}

impl Source for Metrics {
    fn look(&mut self) -> Vec<Reading> {
        let page = web_call::get(&self.url, PATIENCE, PAGE_MAX);
        page.ok()
            .and_then(|page| self.take(&page))
            .into_iter()
            .collect()
    }
}

/// The sum of a metric over its labels; none if the page does not have it.
fn value(page: &str, name: &str) -> Option<f64> {
    let of_line = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let rest = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        rest.split_whitespace().next()?.parse::<f64>().ok()
    };
    page.lines()
        .filter_map(of_line)
        .reduce(|a, b| a + b)
        .filter(|sum| sum.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cpu: f64, start: f64) -> String {
        format!(
            "# HELP process_cpu_seconds_total x\n# TYPE process_cpu_seconds_total counter\n\
             process_cpu_seconds_total {cpu}\nprocess_resident_memory_bytes 1.048576e+08\n\
             process_start_time_seconds {start}\nprocess_cpu_seconds_total_other 5\n"
        )
    }

    #[test]
    fn a_page_tells_cpu_memory_and_restarts() {
        let mut metrics = Metrics::new("http://me:pw@127.0.0.1:1/metrics".to_owned());
        let first = metrics.take(&page(10.0, 1_700_000_000.1)).expect("known");
        assert_eq!(
            first.name, "http://127.0.0.1:1/metrics",
            "no password is shown"
        );
        assert_eq!(
            (first.usage.cpu, first.usage.memory_mb),
            (None, Some(100.0))
        );
        let second = metrics.take(&page(10.5, 1_700_000_000.2)).expect("known");
        assert!(second.usage.cpu > Some(0.0));
        let third = metrics.take(&page(0.1, 1_700_000_060.0)).expect("known");
        assert_eq!(
            (third.usage.cpu, third.usage.restarts),
            (None, 1),
            "it began anew"
        );
        assert_eq!(metrics.take("something_else 5\n<html>"), None);
    }

    #[test]
    fn labels_are_summed() {
        let page = "a{x=\"}\"} 1 1700000000\na{x=\"2\"} 2\na 4\nab 8\n";
        assert_eq!(value(page, "a"), Some(7.0));
        assert_eq!(value("a NaN\n", "a"), None);
    }
}
