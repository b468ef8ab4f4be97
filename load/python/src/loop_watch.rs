//! How late the event loop runs: a timer of it says when it looks, and how late it was.
//!
//! Pure: the time comes in as an argument.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acrida_cli::run::LagReader;

/// What the event loop's timer has told.
#[derive(Debug, Default)]
pub(crate) struct LoopWatch(Mutex<Looks>);

#[derive(Debug, Default)]
struct Looks {
    /// When the next look is due; none before the first one.
    due: Option<Instant>,
    /// The longest delay since the page asked for it last, and since the report did.
    longest: [Duration; 2],
}

impl LoopWatch {
    /// The timer has fired `late` after it was due, and is due again at `due`.
    pub(crate) fn looked(&self, late: Duration, due: Instant) {
        let mut looks = self.lock();
        looks.longest = looks.longest.map(|longest| longest.max(late));
        looks.due = Some(due);
    }

    /// The longest delay since the last call for this reader, one that goes on at `now`
    /// included; none before the event loop has looked.
    pub(crate) fn take_longest(&self, reader: LagReader, now: Instant) -> Option<Duration> {
        let mut looks = self.lock();
        let going_on = now.saturating_duration_since(looks.due?);
        let longest = match reader {
            LagReader::Page => &mut looks.longest[0],
            LagReader::Report => &mut looks.longest[1],
        };
        Some(std::mem::take(longest).max(going_on))
    }

    fn lock(&self) -> MutexGuard<'_, Looks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_is_told_once_and_one_that_goes_on_at_once() {
        let ms = Duration::from_millis;
        let watch = LoopWatch::default();
        let page = |now| watch.take_longest(LagReader::Page, now);
        let start = Instant::now();
        assert_eq!(page(start), None);
        watch.looked(ms(30), start + ms(100));
        watch.looked(ms(2), start + ms(200));
        assert_eq!(page(start + ms(150)), Some(ms(30)));
        assert_eq!(page(start + ms(190)), Some(ms(0)));
        assert_eq!(page(start + ms(1_200)), Some(ms(1_000)));
        watch.looked(ms(1_500), start + ms(1_800));
        assert_eq!(page(start + ms(1_750)), Some(ms(1_500)));
        let report = watch.take_longest(LagReader::Report, start + ms(1_760));
        assert_eq!(report, Some(ms(1_500)), "it has not asked before");
    }
}
