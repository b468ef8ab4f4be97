//! The figures that are compared, and how far each may be from what a longer run shows.

use super::resample::{block_length, resamples};
use crate::windows::Window;

/// Resamples that a standard error is taken from: it is then known to about 4 %.
const RESAMPLES: usize = 300;

/// A figure of some windows.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) less_is_better: bool,
    /// Whether it may be 0 and is compared by difference, not by ratio.
    pub(super) is_ratio: bool,
    of: fn(&Sums) -> Option<f64>,
}

pub(super) const METRICS: [Metric; 5] = [
    time("median", |sums| sums.percentile_ms(0.5)),
    time("p95", |sums| sums.percentile_ms(0.95)),
    time("average", Sums::average_ms),
    Metric {
        name: "fail ratio",
        less_is_better: true,
        is_ratio: true,
        of: |sums| (sums.requests > 0).then(|| sums.failures as f64 / sums.requests as f64),
    },
    Metric {
        name: "requests/s",
        less_is_better: false,
        is_ratio: false,
        of: |sums| (sums.requests > 0).then(|| sums.requests as f64 / sums.seconds.max(1) as f64),
    },
];

const fn time(name: &'static str, of: fn(&Sums) -> Option<f64>) -> Metric {
    Metric {
        name,
        less_is_better: true,
        is_ratio: false,
        of,
    }
}

/// Windows put together.
struct Sums {
    seconds: u64,
    requests: u64,
    failures: u64,
    /// By the index in [`Figures::values`].
    counts: Vec<u64>,
    timed: u64,
    values: std::rc::Rc<[u64]>,
}

impl Sums {
    fn percentile_ms(&self, fraction: f64) -> Option<f64> {
        let last = self.timed.checked_sub(1)?;
        let rank = ((self.timed as f64 * fraction) as u64).min(last);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen > rank
        });
        found.map(|at| self.values[at] as f64 / 1e3)
    }

    fn average_ms(&self) -> Option<f64> {
        let times = self.values.iter().zip(&self.counts);
        let sum: f64 = times
            .map(|(time, count)| *time as f64 * *count as f64)
            .sum();
        (self.timed > 0).then(|| sum / self.timed as f64 / 1e3)
    }
}

/// Where a figure lies: in its logarithm, unless it is a ratio.
pub(super) struct Spread {
    pub(super) middle: f64,
    /// Its standard error.
    pub(super) error: f64,
    /// Blocks of windows that it rests on.
    pub(super) blocks: f64,
}

/// Everything about the windows of one name.
pub(super) struct Figures {
    whole: Sums,
    windows: usize,
    /// What each resample has, made once for all figures.
    resampled: Vec<Sums>,
}

impl Figures {
    pub(super) fn of(windows: &[Window]) -> Self {
        let times = windows.iter().flat_map(|window| &window.times);
        let mut values: Vec<u64> = times.map(|(time, _)| *time).collect();
        values.sort_unstable();
        values.dedup();
        let values: std::rc::Rc<[u64]> = values.into();
        let indexed: Vec<_> = windows
            .iter()
            .map(|window| indexed(window, &values))
            .collect();
        let sums = |picked: &mut dyn Iterator<Item = usize>| {
            let mut sums = Sums {
                seconds: 0,
                requests: 0,
                failures: 0,
                counts: vec![0; values.len()],
                timed: 0,
                values: values.clone(),
            };
            for at in picked {
                sums.seconds += u64::from(windows[at].seconds);
                sums.requests += windows[at].requests;
                sums.failures += windows[at].failures;
                for (index, count) in &indexed[at] {
                    sums.counts[*index] += count;
                    sums.timed += count;
                }
            }
            sums
        };
        let resampled =
            resamples(windows.len(), RESAMPLES).map(|picked| sums(&mut picked.into_iter()));
        Self {
            whole: sums(&mut (0..windows.len())),
            windows: windows.len(),
            resampled: resampled.collect(),
        }
    }

    pub(super) fn windows(&self) -> usize {
        self.windows
    }

    pub(super) fn value(&self, metric: &Metric) -> Option<f64> {
        (metric.of)(&self.whole)
    }

    /// None if the figure is missing in the whole, or in most resamples.
    pub(super) fn spread(&self, metric: &Metric) -> Option<Spread> {
        let scale = |value: f64| if metric.is_ratio { value } else { value.ln() };
        let values = self.resampled.iter().filter_map(metric.of).map(scale);
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        if values.len() < RESAMPLES / 2 {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let blocks = self.windows as f64 / block_length(self.windows) as f64;
        // Resampling n blocks shows (n - 1) / n of their variance.
        let variance = squares / (count - 1.0) * blocks / (blocks - 1.0).max(1.0);
        Some(Spread {
            middle: scale(self.value(metric)?),
            error: variance.max(self.least_variance(metric)).sqrt(),
            blocks: blocks.max(2.0),
        })
    }

    /// No failure in a run does not mean that there never is one: what as many independent
    /// requests can say at best.
    fn least_variance(&self, metric: &Metric) -> f64 {
        if !metric.is_ratio {
            return 0.0;
        }
        let requests = self.whole.requests as f64;
        let ratio = (self.whole.failures as f64 + 1.0) / (requests + 2.0);
        ratio * (1.0 - ratio) / (requests + 2.0)
    }
}

/// A window's times by their index in `values`, which holds all of them.
fn indexed(window: &Window, values: &[u64]) -> Vec<(usize, u64)> {
    let times = window.times.iter();
    times
        .map(|(time, count)| (values.partition_point(|value| value < time), *count))
        .collect()
}
