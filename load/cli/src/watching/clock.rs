//! How much time has passed between two looks.

use std::time::Instant;

/// A look that comes sooner than this after another tells no rate, in seconds: the kernel
/// counts CPU in hundredths.
const SHORTEST_S: f64 = 0.000_001;

#[derive(Debug, Default)]
pub(super) struct Elapsed(Option<Instant>);

impl Elapsed {
    /// Seconds since the last call; none at the first one.
    pub(super) fn since_last(&mut self) -> Option<f64> {
        let now = Instant::now();
        let before = self.0.replace(now)?;
        let seconds = now.duration_since(before).as_secs_f64();
        (seconds > SHORTEST_S).then_some(seconds)
    }
}
