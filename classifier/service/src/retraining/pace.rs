//! Whether a training gets anything of the processor: it only gets what nothing else wants.
//!
//! Pure: times arrive as arguments.

use std::time::{Duration, Instant};

/// What is judged: a shorter time tells nothing, a longer one too late.
const WINDOW: Duration = Duration::from_secs(10);
/// Below this share of its threads' time, a training counts as delayed.
const SHARE_MIN: f64 = 0.2;

/// Processor time had, over the last window.
#[derive(Debug)]
pub(crate) struct Pace {
    threads: usize,
    since: Instant,
    /// `None` where the system does not tell.
    busy_then: Option<Duration>,
    /// Of one core, in the last whole window.
    share: Option<f64>,
}

impl Pace {
    /// Of a training on `threads` threads that had `busy` processor time so far.
    pub(crate) fn new(threads: usize, busy: Option<Duration>, now: Instant) -> Pace {
        Pace {
            threads,
            since: now,
            busy_then: busy,
            share: None,
        }
    }

    /// To be told every now and then.
    pub(crate) fn note(&mut self, busy: Option<Duration>, now: Instant) {
        let passed = now.duration_since(self.since);
        if passed < WINDOW {
            return;
        }
        self.share = busy
            .zip(self.busy_then)
            .map(|(now, then)| now.saturating_sub(then).div_duration_f64(passed));
        (self.since, self.busy_then) = (now, busy);
    }

    /// What holds the training up, in a sentence; `None` if nothing does.
    pub(crate) fn delay(&self) -> Option<String> {
        let share = self.share?;
        (share < SHARE_MIN * self.threads as f64).then(|| {
            format!(
                "hardly gets on: other work leaves it {:.0} % of one core",
                100.0 * share
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_that_others_hold_up_says_so_after_a_while() {
        let start = Instant::now();
        let (at, busy) = (
            |s| start + Duration::from_secs(s),
            |ms| Some(Duration::from_millis(ms)),
        );
        let mut pace = Pace::new(1, busy(500), start);
        pace.note(busy(500), at(9));
        assert_eq!(pace.delay(), None, "too early to tell");
        pace.note(busy(800), at(10));
        let expected = "hardly gets on: other work leaves it 3 % of one core";
        assert_eq!(pace.delay().as_deref(), Some(expected));
        pace.note(busy(9_000), at(20));
        assert_eq!(pace.delay(), None);
        pace.note(None, at(30));
        assert_eq!(pace.delay(), None, "nothing is known");
    }
}
