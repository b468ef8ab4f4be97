//! Response times of some requests, from which percentiles are taken.
//!
//! Few times are listed as they are; many are counted in an HDR histogram of
//! three significant digits. So an endpoint that is called now and then costs
//! little memory and is exact, and a busy one is bounded.
//!
//! Invariant: which of the two it is depends on the number of times alone, so
//! merging in any order gives the same result.

use std::collections::HashMap;

use hdrhistogram::Histogram;

/// Longest response time that is told apart, about 12.7 days; longer ones count as
/// this long. It bounds the size of a histogram to 256 KiB.
pub const MAX_RESPONSE_TIME_US: u64 = (1 << 40) - 1;

/// How many times are listed before they are counted.
const MAX_LISTED: usize = 1_024;
/// Significant decimal digits of counted times.
const DIGITS: u8 = 3;
const RESIZES: &str = "the histogram resizes itself up to MAX_RESPONSE_TIME_US";

/// There is no response time to take a percentile or an extreme of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no response times were recorded")]
pub struct NoSamples;

/// Response times in µs.
#[derive(Debug, Clone)]
pub(crate) enum Times {
    /// At most [`MAX_LISTED`], in no particular order.
    Listed(Vec<u64>),
    Counted(Histogram<u64>),
}

impl Default for Times {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Times {
    /// `time_us` is at most [`MAX_RESPONSE_TIME_US`].
    pub(crate) fn record(&mut self, time_us: u64) {
        match self {
            Self::Counted(histogram) => histogram.record(time_us).expect(RESIZES),
            Self::Listed(times) if times.len() < MAX_LISTED => times.push(time_us),
            Self::Listed(_) => self.counted().record(time_us).expect(RESIZES),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match other {
            Self::Listed(times) => times.iter().for_each(|time| self.record(*time)),
            Self::Counted(histogram) => self.counted().add(histogram).expect(RESIZES),
        }
    }

    /// What is here and not in `earlier`, which these times have grown out of.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let Self::Counted(now) = self else {
            return self.listed_since(earlier);
        };
        let mut left = now.clone();
        let mut earlier = earlier.clone();
        if earlier.len() > 0 {
            left.subtract(&*earlier.counted())
                .expect("what was counted before is still counted");
        }
        Self::Counted(left)
    }

    /// There are few times: one is taken out for each that was there before.
    fn listed_since(&self, earlier: &Self) -> Self {
        let mut before = HashMap::new();
        earlier.for_each(|time, count| *before.entry(time).or_insert(0) += count);
        let mut left = Vec::new();
        self.for_each(|time, _| match before.get_mut(&time) {
            Some(count) if *count > 0 => *count -= 1,
            _ => left.push(time),
        });
        Self::Listed(left)
    }

    /// Shortest and longest time.
    pub(crate) fn range_us(&self) -> Option<(u64, u64)> {
        let mut range = None;
        self.for_each(|time, _| {
            let (from, to) = range.unwrap_or((time, time));
            range = Some((time.min(from), time.max(to)));
        });
        range
    }

    /// The histogram, to which times that were listed have moved.
    fn counted(&mut self) -> &mut Histogram<u64> {
        if let Self::Listed(times) = self {
            let longest = times.iter().copied().max().unwrap_or(0);
            let mut histogram = Histogram::new_with_max(longest.max(2), DIGITS)
                .expect("three digits and a maximum of two or more are valid");
            histogram.auto(true);
            for time in times {
                histogram.record(*time).expect(RESIZES);
            }
            *self = Self::Counted(histogram);
        }
        match self {
            Self::Counted(histogram) => histogram,
            Self::Listed(_) => unreachable!("listed times have just moved"),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Listed(times) => times.len() as u64,
            Self::Counted(histogram) => histogram.len(),
        }
    }

    /// Calls `each` with times and how often there are.
    pub(crate) fn for_each(&self, mut each: impl FnMut(u64, u64)) {
        match self {
            Self::Listed(times) => times.iter().for_each(|time| each(*time, 1)),
            Self::Counted(histogram) => histogram
                .iter_recorded()
                .for_each(|step| each(step.value_iterated_to(), step.count_at_value())),
        }
    }

    /// The times at `fractions` (0.0 to 1.0) in µs, in the order of `fractions`.
    ///
    /// Of n times, sorted, it is the one at index ⌊n · fraction⌋, or the last one.
    /// That is Locust's rule: `calculate_response_time_percentile`, locust/stats.py.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if there is no time.
    pub(crate) fn percentiles_us(&self, fractions: &[f64]) -> Result<Vec<u64>, NoSamples> {
        let last = self.len().checked_sub(1).ok_or(NoSamples)?;
        let mut ranks: Vec<(u64, usize)> = fractions
            .iter()
            .enumerate()
            .map(|(at, fraction)| (rank(*fraction, last), at))
            .collect();
        ranks.sort_unstable();
        let mut percentiles = vec![0; fractions.len()];
        let sorted = self.sorted(ranks.iter().map(|(rank, _)| *rank));
        for ((_, at), time) in ranks.iter().zip(sorted) {
            percentiles[*at] = time;
        }
        Ok(percentiles)
    }

    /// The times at `ranks`, which ascend.
    fn sorted(&self, ranks: impl Iterator<Item = u64>) -> Vec<u64> {
        match self {
            Self::Listed(times) => {
                let mut times = times.clone();
                // Times below this index are at their ranks; there are at most MAX_LISTED.
                let mut placed = 0;
                ranks
                    .map(|rank| {
                        let rank = rank as usize;
                        if rank >= placed {
                            times[placed..].select_nth_unstable(rank - placed);
                            placed = rank + 1;
                        }
                        times[rank]
                    })
                    .collect()
            }
            Self::Counted(histogram) => {
                let mut steps = histogram.iter_recorded();
                let (mut seen, mut value) = (0, 0);
                ranks
                    .map(|rank| {
                        while seen <= rank {
                            let step = steps.next().expect("ranks are below the number of times");
                            seen += step.count_at_value();
                            value = step.value_iterated_to();
                        }
                        value
                    })
                    .collect()
            }
        }
    }
}

/// Index of `fraction` among sorted times, of which `last` is the last index.
fn rank(fraction: f64, last: u64) -> u64 {
    let count = last + 1;
    // Rounds down, and gives 0 for what is not a number.
    ((count as f64 * fraction) as u64).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times_of(values: &[u64]) -> Times {
        let mut times = Times::default();
        values.iter().for_each(|value| times.record(*value));
        times
    }

    #[test]
    fn percentiles_choose_as_locust_does() {
        // Expected indexes: those that Locust 2.47.0 chooses for as many different times.
        for (why, count, fraction, expected) in [
            ("one", 1, 0.5, 0),
            ("the median of two is the later one", 2, 0.5, 1),
            ("the median of three is the middle", 3, 0.5, 1),
            ("p99 of a hundred is the last", 100, 0.99, 99),
            ("p98 of a hundred", 100, 0.98, 98),
            ("p100", 100, 1.0, 99),
            ("p0", 100, 0.0, 0),
            ("not a number", 100, f64::NAN, 0),
        ] {
            let values: Vec<u64> = (0..count).collect();
            assert_eq!(
                times_of(&values).percentiles_us(&[fraction]),
                Ok(vec![expected]),
                "{why}"
            );
        }
        assert_eq!(Times::default().percentiles_us(&[0.5]), Err(NoSamples));
    }

    #[test]
    fn times_are_counted_when_there_are_many() {
        let values: Vec<u64> = (0..MAX_LISTED as u64).collect();
        let mut times = times_of(&values);
        assert!(matches!(times, Times::Listed(_)));
        times.record(MAX_RESPONSE_TIME_US);
        let Times::Counted(histogram) = &times else {
            panic!("one more than is listed");
        };
        assert_eq!(histogram.len(), MAX_LISTED as u64 + 1);
        assert!(histogram.distinct_values() * 8 <= 256 << 10);
    }

    #[test]
    fn every_time_is_told_whether_listed_or_counted() {
        for count in [3, MAX_LISTED as u64 + 5] {
            let values: Vec<u64> = (0..count).map(|at| at % 3).collect();
            let mut told = [0; 3];
            times_of(&values).for_each(|time, count| told[time as usize] += count);
            assert_eq!(told.iter().sum::<u64>(), count);
            assert_eq!(told[0], count.div_ceil(3));
        }
    }

    fn some_times() -> impl Strategy<Value = Vec<u64>> {
        let time = prop_oneof![0..5_000_u64, 0..10_000_000_u64, 0..=MAX_RESPONSE_TIME_US];
        prop_oneof![
            prop::collection::vec(time.clone(), 1..20),
            prop::collection::vec(time, 1_000..3_000),
        ]
    }

    proptest! {
        #[test]
        fn percentiles_are_within_three_digits_of_the_exact_ones(
            mut values in some_times(),
            fractions in prop::collection::vec(0.0..=1.0_f64, 1..5),
        ) {
            let found = times_of(&values).percentiles_us(&fractions).expect("there are times");
            values.sort_unstable();
            for (fraction, found) in fractions.iter().zip(found) {
                let exact = values[rank(*fraction, values.len() as u64 - 1) as usize];
                prop_assert!(found.abs_diff(exact) * 1_000 <= exact, "{found} for {exact}");
            }
        }

        #[test]
        fn merged_times_are_the_times_recorded_one_by_one(values in some_times(), at in 0.0..1.0_f64) {
            let (left, right) = values.split_at((values.len() as f64 * at) as usize);
            let mut merged = times_of(right);
            merged.merge(&times_of(left));
            let fractions = [0.0, 0.1, 0.5, 0.9, 0.99, 1.0];
            prop_assert_eq!(merged.len(), values.len() as u64);
            prop_assert_eq!(
                merged.percentiles_us(&fractions),
                times_of(&values).percentiles_us(&fractions)
            );
        }
    }
}
