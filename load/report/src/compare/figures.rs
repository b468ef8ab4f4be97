//! The figures that are compared, and how far each may be from what a longer run shows.

use super::resample::{block_length, resamples};
use crate::windows::Window;

/// Resamples that a standard error is taken from, which is then known to about 2 %, and what
/// the widest of many deviations is.
pub(super) const RESAMPLES: usize = 1_000;
/// More than this a window is not taken to have of the one before.
const MEMORY_MAX: f64 = 0.7;

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

impl Metric {
    /// Ratios of times are differences of logarithms.
    fn scale(&self, value: f64) -> f64 {
        if self.is_ratio { value } else { value.ln() }
    }
}

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
    /// Degrees of freedom of the error.
    pub(super) freedom: f64,
    /// How far each resample is from their middle; 0 where the figure is missing.
    pub(super) deviations: Vec<f64>,
}

/// Everything about the windows of one name.
pub(super) struct Figures {
    whole: Sums,
    windows: usize,
    /// What each window has of each of [`METRICS`].
    single: [Vec<Option<f64>>; METRICS.len()],
    /// What each resample has of each of them.
    resampled: [Vec<Option<f64>>; METRICS.len()],
}

impl Figures {
    /// Runs that are compared have seeds of their own, which all their names share.
    pub(super) fn of(windows: &[Window], seed: u64) -> Self {
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
        let figures = |picked: &mut dyn Iterator<Item = Vec<usize>>| {
            let mut figures = [const { Vec::new() }; METRICS.len()];
            for windows in picked {
                let sums = sums(&mut windows.into_iter());
                for (metric, found) in METRICS.iter().zip(&mut figures) {
                    found.push((metric.of)(&sums));
                }
            }
            figures
        };
        let single = figures(&mut (0..windows.len()).map(|at| vec![at]));
        let resampled = figures(&mut resamples(windows.len(), RESAMPLES, seed));
        Self {
            whole: sums(&mut (0..windows.len())),
            windows: windows.len(),
            single,
            resampled,
        }
    }

    pub(super) fn windows(&self) -> usize {
        self.windows
    }

    pub(super) fn value(&self, metric: &Metric) -> Option<f64> {
        (metric.of)(&self.whole)
    }

    /// Of the metric at this place in [`METRICS`]; none if the figure is missing in the whole,
    /// or in most resamples.
    pub(super) fn spread(&self, at: usize) -> Option<Spread> {
        let metric = &METRICS[at];
        let scaled = |value: &Option<f64>| {
            value
                .map(|value| metric.scale(value))
                .filter(|value| value.is_finite())
        };
        let values: Vec<Option<f64>> = self.resampled[at].iter().map(scaled).collect();
        let count = values.iter().flatten().count() as f64;
        if count < RESAMPLES as f64 / 2.0 {
            return None;
        }
        let mean = values.iter().flatten().sum::<f64>() / count;
        let deviations = values
            .iter()
            .map(|value| value.map_or(0.0, |value| value - mean));
        let mut deviations: Vec<f64> = deviations.collect();
        let squares: f64 = deviations.iter().map(|value| value.powi(2)).sum();
        let length = block_length(self.windows);
        let blocks = self.windows as f64 / length as f64;
        let single: Vec<f64> = self.single[at].iter().filter_map(scaled).collect();
        // Resampling n blocks shows (n - 1) / n of their variance.
        let correction = blocks / (blocks - 1.0).max(1.0) * lost_between_blocks(&single, length);
        deviations
            .iter_mut()
            .for_each(|value| *value *= correction.sqrt());
        let variance = squares / (count - 1.0) * correction;
        Some(Spread {
            middle: metric.scale(self.value(metric)?),
            error: variance.max(self.least_variance(metric)).sqrt(),
            freedom: (blocks - 1.0).max(1.0),
            deviations,
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

/// What the variance of a mean of these values is, as a multiple of what blocks of `length`
/// neighbours show of it.
///
/// Blocks forget what the last window of one has to do with the first of the next. How much
/// that is follows from what each value has of the one before, as in a process of that memory
/// alone (AR(1), as in Andrews and Monahan's prewhitening, Econometrica 60, 1992).
pub(super) fn lost_between_blocks(values: &[f64], length: usize) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let product = |pair: &[f64]| (pair[0] - mean) * (pair[1] - mean);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if squares <= 0.0 {
        return 1.0;
    }
    let memory = values.windows(2).map(product).sum::<f64>() / squares;
    let memory = memory.clamp(0.0, MEMORY_MAX);
    let whole = (1.0 + memory) / (1.0 - memory);
    let within = |apart: usize| (1.0 - apart as f64 / length as f64) * memory.powi(apart as i32);
    whole / (1.0 + 2.0 * (1..length).map(within).sum::<f64>())
}
