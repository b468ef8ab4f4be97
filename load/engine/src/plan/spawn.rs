//! When each user of a ramp starts or ends.
//!
//! Locust moves once a second, so the users of a batch march in step. Here the
//! steps are spread evenly: step `i` of a ramp at `rate` is due `i / rate`
//! seconds after its start, the first one at once.

use std::time::{Duration, Instant};

use crate::SpawnRate;

/// The clockwork of one ramp, up or down.
#[derive(Debug, Clone)]
pub struct Ramp {
    started: Instant,
    rate: SpawnRate,
    steps_done: u64,
}

impl Ramp {
    /// A ramp that begins at `now`, with `rate` steps a second.
    pub fn new(now: Instant, rate: SpawnRate) -> Self {
        Self {
            started: now,
            rate,
            steps_done: 0,
        }
    }

    /// When the next step is due; `None` if that is beyond what a clock can tell.
    pub fn next_due(&self) -> Option<Instant> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a ramp has far fewer than 2^52 steps"
        )]
        let seconds = self.steps_done as f64 / self.rate.per_second();
        self.started
            .checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }

    /// Takes the next step if it is due at `now`.
    pub fn step(&mut self, now: Instant) -> bool {
        let due = self.next_due().is_some_and(|due| due <= now);
        self.steps_done += u64::from(due);
        due
    }

    /// Whether the next step begins a batch: Locust's dispatcher acts once per
    /// as many users as fit into a second, and what it does once per batch is
    /// done here before the batch's first user.
    pub fn begins_batch(&self) -> bool {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the rate is above zero, and a saturated batch is a large batch"
        )]
        let batch = (self.rate.per_second().floor() as u64).max(1);
        self.steps_done.is_multiple_of(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: f64) -> SpawnRate {
        SpawnRate::try_from(per_second).expect("a spawn rate")
    }

    fn due_ms(per_second: f64, steps: usize) -> Vec<u128> {
        let start = Instant::now();
        let mut ramp = Ramp::new(start, rate(per_second));
        (0..steps)
            .map(|_| {
                let due = ramp.next_due().expect("a due time");
                assert!(ramp.step(due), "a step is taken when it is due");
                (due - start).as_millis()
            })
            .collect()
    }

    #[test]
    fn steps_are_spread_evenly_from_the_start() {
        for (why, per_second, expected) in [
            ("five a second", 5.0, &[0, 200, 400, 600, 800, 1000][..]),
            ("one in two seconds", 0.5, &[0, 2000, 4000][..]),
            ("one and a half a second", 1.5, &[0, 666, 1333, 2000][..]),
        ] {
            assert_eq!(due_ms(per_second, expected.len()), expected, "{why}");
        }
    }

    #[test]
    fn a_step_is_not_taken_before_it_is_due() {
        let start = Instant::now();
        let mut ramp = Ramp::new(start, rate(10.0));
        assert!(ramp.step(start));
        assert!(!ramp.step(start + Duration::from_millis(99)));
        assert!(ramp.step(start + Duration::from_millis(100)));
    }

    #[test]
    fn a_rate_slower_than_any_clock_is_never_due_again() {
        let start = Instant::now();
        let mut ramp = Ramp::new(start, rate(f64::MIN_POSITIVE));
        assert!(ramp.step(start), "the first user starts at once");
        assert_eq!(ramp.next_due(), None);
        assert!(!ramp.step(start + Duration::from_secs(1 << 40)));
    }

    #[test]
    fn batches_are_what_fits_into_a_second() {
        for (per_second, steps, expected) in [
            (3.7, 7, vec![0, 3, 6]),
            (0.2, 3, vec![0, 1, 2]),
            (1e300, 3, vec![0]),
        ] {
            let start = Instant::now();
            let mut ramp = Ramp::new(start, rate(per_second));
            let mut begins = Vec::new();
            for step in 0..steps {
                if ramp.begins_batch() {
                    begins.push(step);
                }
                ramp.step(start + Duration::from_secs(3600));
            }
            assert_eq!(begins, expected, "rate {per_second}");
        }
    }
}
