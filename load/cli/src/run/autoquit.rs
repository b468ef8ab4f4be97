//! `--autoquit`: the program ends a while after the test that it started with.

use std::io;
use std::time::{Duration, Instant};

use acrida_engine::{Command, Control};
use log::info;

use super::ticker::Ticker;

/// Between two looks at whether the test has ended; the program may end so much late.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Ends the program `after` the test has ended.
pub(super) fn start(control: &Control, after: Duration) -> io::Result<Ticker> {
    let control = control.clone();
    let mut autoquit = Autoquit::new(after);
    Ticker::start("acrida-autoquit", LOOK_INTERVAL, move || {
        if autoquit.is_due(control.state().is_active(), Instant::now()) {
            info!(target: "locust.main", "--autoquit time reached, shutting down");
            control.send(Command::Quit);
        }
    })
}

/// Whether it is time to go.
#[derive(Debug)]
struct Autoquit {
    after: Duration,
    began: bool,
    ended: Option<Instant>,
}

impl Autoquit {
    fn new(after: Duration) -> Self {
        Self {
            after,
            began: false,
            ended: None,
        }
    }

    /// Whether it is time to go, for a run that is `active` or not; said once after
    /// each test. A test that starts in the meantime is waited for.
    fn is_due(&mut self, active: bool, now: Instant) -> bool {
        self.began |= active;
        if active || !self.began {
            self.ended = None;
            return false;
        }
        let ended = *self.ended.get_or_insert(now);
        let is_due = now.duration_since(ended) >= self.after;
        self.began = !is_due;
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_quits_a_while_after_its_test() {
        let mut autoquit = Autoquit::new(Duration::from_secs(2));
        let start = Instant::now();
        for (at, active, expected) in [
            (0, false, false),
            (1, true, false),
            (2, false, false),
            (3, false, false),
            (4, false, true),
            (5, false, false),
            (5, true, false),
            (6, false, false),
            (8, false, true),
        ] {
            let now = start + Duration::from_secs(at);
            assert_eq!(autoquit.is_due(active, now), expected, "at {at} s");
        }
    }
}
