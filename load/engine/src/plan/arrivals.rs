//! When iterations arrive in an open run: at a rate, whatever the earlier ones do.
//!
//! The expected number of arrivals after `t` seconds is the area below the rate. It
//! is turned around: arrival `k` is due when the area has grown to `k` (evenly spread),
//! or to a sum of `k` exponentially distributed steps (a Poisson process).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

/// The most arrivals per second that can be asked for.
pub const ARRIVALS_PER_SECOND_MAX: f64 = 100_000.0;

/// Arrivals per second: `200`, or `10..200` for a rate that changes evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArrivalRate {
    from: f64,
    to: f64,
}

/// A text that is no [`ArrivalRate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no rate: write arrivals per second such as 200, or 10..200 for a rate that changes over the run time \
     (0 to {ARRIVALS_PER_SECOND_MAX}, not only 0)"
)]
pub struct InvalidArrivalRate(String);

impl ArrivalRate {
    /// Whether the rate changes.
    pub fn is_ramp(self) -> bool {
        (self.from - self.to).abs() > 0.0
    }

    /// Seconds until the expected number of arrivals is `count`, if the rate changes
    /// for `ramp_s` seconds and then stays; `None` if that is never.
    fn seconds_until(self, count: f64, ramp_s: f64) -> Option<f64> {
        let of_ramp = f64::midpoint(self.from, self.to) * ramp_s;
        if count >= of_ramp {
            return (self.to > 0.0).then(|| ramp_s + (count - of_ramp) / self.to);
        }
        // The root of from·t + slope·t²/2 = count, in the form that no slope spoils.
        let slope = (self.to - self.from) / ramp_s;
        let root = (self.from * self.from + 2.0 * slope * count)
            .max(0.0)
            .sqrt();
        Some(if count > 0.0 {
            2.0 * count / (self.from + root)
        } else {
            0.0
        })
    }
}

impl fmt::Display for ArrivalRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ramp() {
            write!(f, "{}..{}", self.from, self.to)
        } else {
            write!(f, "{}", self.to)
        }
    }
}

impl FromStr for ArrivalRate {
    type Err = InvalidArrivalRate;

    fn from_str(text: &str) -> Result<Self, InvalidArrivalRate> {
        let number = |text: &str| {
            let text = text.trim();
            let number = text.parse::<f64>().ok();
            let number = number.filter(|_| text.starts_with(|first: char| first.is_ascii_digit()));
            number.filter(|rate| (0.0..=ARRIVALS_PER_SECOND_MAX).contains(rate))
        };
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        match (number(from), number(to)) {
            (Some(from), Some(to)) if from > 0.0 || to > 0.0 => Ok(Self { from, to }),
            _ => Err(InvalidArrivalRate(text.to_owned())),
        }
    }
}

/// The arrivals of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArrivalPlan {
    /// How many.
    pub rate: ArrivalRate,
    /// How long a rate changes in a test without a time limit; otherwise it changes
    /// until the limit.
    pub ramp: Duration,
    /// The seed of random distances between arrivals (a Poisson process); `None`
    /// spreads them evenly.
    pub poisson: Option<u64>,
}

/// The clockwork of arrivals, in time since the first could come.
#[derive(Debug, Clone)]
pub struct Schedule {
    rate: ArrivalRate,
    ramp_s: f64,
    random: Option<Rng>,
    /// The expected number of arrivals before the next one.
    count: f64,
}

impl Schedule {
    /// As planned, with a rate that changes for `ramp`.
    pub fn new(plan: ArrivalPlan, ramp: Duration) -> Self {
        let mut random = plan.poisson.map(Rng::with_seed);
        Self {
            rate: plan.rate,
            ramp_s: ramp.as_secs_f64(),
            count: random.as_mut().map_or(0.0, exponential),
            random,
        }
    }

    /// When the next arrival is due; `None` if there is none any more.
    pub fn next_due(&self) -> Option<Duration> {
        let seconds = self.rate.seconds_until(self.count, self.ramp_s)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Goes on to the arrival after the next.
    pub fn step(&mut self) {
        self.count += self.random.as_mut().map_or(1.0, exponential);
    }
}

/// Exponentially distributed, 1 on average.
fn exponential(random: &mut Rng) -> f64 {
    -(1.0 - random.f64()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rate: &str, ramp_s: u64, poisson: Option<u64>) -> Schedule {
        let plan = ArrivalPlan {
            rate: rate.parse().expect(rate),
            ramp: Duration::ZERO,
            poisson,
        };
        Schedule::new(plan, Duration::from_secs(ramp_s))
    }

    /// Arrivals in each of the first `seconds`.
    fn counts(mut schedule: Schedule, seconds: usize) -> Vec<u64> {
        let mut counts = vec![0; seconds];
        while let Some(due) = schedule.next_due() {
            let Some(count) = counts.get_mut(due.as_secs_f64() as usize) else {
                break;
            };
            *count += 1;
            schedule.step();
        }
        counts
    }

    #[test]
    fn a_rate_is_one_number_or_two() {
        let rate = |from, to| Ok(ArrivalRate { from, to });
        for (text, expected) in [
            ("200", rate(200.0, 200.0)),
            (" 0.5 ", rate(0.5, 0.5)),
            ("10..200", rate(10.0, 200.0)),
            ("200 .. 0", rate(200.0, 0.0)),
            ("0..7", rate(0.0, 7.0)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
        for text in [
            "", "0", "0..0", "-1", "nan", "inf", "1..", "1...2", "100001", "1..2..3", "x",
        ] {
            assert_eq!(
                text.parse::<ArrivalRate>(),
                Err(InvalidArrivalRate(text.to_owned()))
            );
        }
    }

    #[test]
    fn arrivals_follow_the_rate() {
        for (why, rate, ramp_s, expected) in [
            ("constant", "5", 4, vec![5, 5, 5, 5]),
            ("up, then constant", "0..8", 2, vec![2, 6, 8, 8]),
            ("down to nothing", "8..0", 2, vec![6, 2, 0, 0]),
            ("less than one a second", "0.5", 4, vec![1, 0, 1, 0]),
            ("a ramp that takes no time", "1..3", 0, vec![3, 3, 3, 3]),
        ] {
            assert_eq!(counts(schedule(rate, ramp_s, None), 4), expected, "{why}");
        }
    }

    #[test]
    fn even_arrivals_are_a_period_apart() {
        let mut schedule = schedule("200", 60, None);
        for number in 0..1_000 {
            let due = schedule.next_due().expect("it goes on");
            assert_eq!(due.as_micros(), number * 5_000);
            schedule.step();
        }
    }

    #[test]
    fn random_arrivals_have_a_poisson_processs_mean_and_variance() {
        // The number in a second is distributed like Poisson(50): mean and variance are 50.
        // With 2,000 seconds their standard errors are 0.16 and 1.6.
        let counts = counts(schedule("50", 60, Some(7)), 2_000);
        let mean = counts.iter().sum::<u64>() as f64 / 2_000.0;
        let squares = counts.iter().map(|count| (*count as f64 - mean).powi(2));
        let variance = squares.sum::<f64>() / 1_999.0;
        assert!((mean - 50.0).abs() < 0.7, "mean {mean}");
        assert!((variance - 50.0).abs() < 7.0, "variance {variance}");
    }
}
