//! A thread that does one thing again and again, until it is told to stop.

use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Ticker {
    /// Dropped to stop the thread.
    alive: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Ticker {
    /// Calls `tick` at once, and then every `interval`. Ticks that come due while
    /// one is still at work are left out.
    pub(super) fn start(
        name: &str,
        interval: Duration,
        mut tick: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (alive, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let mut due = Instant::now();
                loop {
                    tick();
                    due = next_due(due, interval, Instant::now());
                    let wait = due.saturating_duration_since(Instant::now());
                    if stopped.recv_timeout(wait) != Err(mpsc::RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })?;
        Ok(Self { alive, thread })
    }

    /// Ends the thread, after the tick that may be at work.
    pub(super) fn stop(self) {
        drop(self.alive);
        // A panic in the thread was printed when it happened.
        let _ = self.thread.join();
    }
}

/// The first moment of the beat `due`, `due + interval`, … that is after `now`.
fn next_due(due: Instant, interval: Duration, now: Instant) -> Instant {
    let mut next = due + interval;
    if next <= now {
        let missed = (now - next).as_nanos() / interval.as_nanos() + 1;
        next += interval * u32::try_from(missed).unwrap_or(u32::MAX);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_ticks_are_left_out_and_the_beat_is_kept() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        for (now_ms, expected_ms) in [
            (0, 1000),
            (999, 1000),
            (1000, 2000),
            (1001, 2000),
            (5500, 6000),
        ] {
            let next = next_due(start, ms(1000), start + ms(now_ms));
            assert_eq!(next - start, ms(expected_ms), "at {now_ms} ms");
        }
    }

    #[test]
    fn a_ticker_ticks_until_it_is_stopped() {
        let (ticked, ticks) = mpsc::channel();
        let ticker = Ticker::start("test", Duration::from_millis(1), move || {
            let _ = ticked.send(());
        });
        let ticker = ticker.expect("a thread");
        for _ in 0..3 {
            ticks.recv().expect("a tick");
        }
        ticker.stop();
        assert!(
            ticks.iter().count() < usize::MAX,
            "the channel closes with the thread"
        );
    }
}
