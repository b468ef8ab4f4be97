//! What only some requests tell: how long the server says that it worked, and whether the
//! answer was the right one.

use std::collections::BTreeMap;

use crate::limits::{OTHER_LABELS, cut};
use crate::times::{MAX_RESPONSE_TIME_US, NoSamples, Times};

/// Pairs of labels that are told apart for each name; others are counted as
/// [`OTHER_LABELS`].
pub const LABEL_PAIRS_MAX: usize = 200;
/// Labels are cut to this many bytes.
const LABEL_BYTES_MAX: usize = 100;

/// Where the time of one request went, by its server's own account (`Server-Timing`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerTime {
    /// Waiting in the server, in µs, if it tells that apart.
    pub queue_us: Option<u64>,
    /// Working there, in µs.
    pub compute_us: u64,
    /// What is left of the response time, in µs: network, and what the server does not tell.
    pub rest_us: u64,
}

/// An answer that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// What the right answer says.
    pub expected: &'a str,
    /// What this one says.
    pub answered: &'a str,
    /// Whether it is known to be the answer of another request.
    pub mixed_up: bool,
}

/// A part of the response time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Waiting in the server.
    Queue,
    /// Working there.
    Compute,
    /// Network, and what the server does not tell.
    Rest,
}

/// Of the requests of one name, or of all.
#[derive(Debug, Clone, Default)]
pub struct Insight {
    times: [Times; 3],
    answers: Answers,
}

/// Answers that were checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// All of them.
    pub checked: u64,
    /// Those that said what was expected.
    pub right: u64,
    /// Those that were the answer of another request.
    pub mixed_up: u64,
    /// How often which answer came for which expectation: `(expected, answered)`.
    pub pairs: BTreeMap<(Box<str>, Box<str>), u64>,
}

impl Insight {
    pub(crate) fn record_time(&mut self, time: ServerTime) {
        let parts = [time.queue_us, Some(time.compute_us), Some(time.rest_us)];
        for (times, us) in self.times.iter_mut().zip(parts) {
            if let Some(us) = us {
                times.record(us.min(MAX_RESPONSE_TIME_US));
            }
        }
    }

    pub(crate) fn record_answer(&mut self, answer: &Answer<'_>) {
        let expected = cut(answer.expected, LABEL_BYTES_MAX);
        let answered = cut(answer.answered, LABEL_BYTES_MAX);
        let answers = &mut self.answers;
        answers.checked += 1;
        answers.right += u64::from(expected == answered);
        answers.mixed_up += u64::from(answer.mixed_up);
        answers.count((expected.into(), answered.into()), 1);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (times, other) in self.times.iter_mut().zip(&other.times) {
            times.merge(other);
        }
        let (mine, others) = (&mut self.answers, &other.answers);
        mine.checked += others.checked;
        mine.right += others.right;
        mine.mixed_up += others.mixed_up;
        for (pair, count) in &others.pairs {
            mine.count(pair.clone(), *count);
        }
    }

    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let times = |at: usize| self.times[at].since(&earlier.times[at]);
        let (now, before) = (&self.answers, &earlier.answers);
        let left = now.pairs.iter().map(|(pair, count)| {
            let before = before.pairs.get(pair).copied().unwrap_or(0);
            (pair.clone(), count - before)
        });
        Self {
            times: [times(0), times(1), times(2)],
            answers: Answers {
                checked: now.checked - before.checked,
                right: now.right - before.right,
                mixed_up: now.mixed_up - before.mixed_up,
                pairs: left.filter(|(_, count)| *count > 0).collect(),
            },
        }
    }

    /// How many requests told of the server's time.
    pub fn timed(&self) -> u64 {
        self.times[Part::Compute as usize].len()
    }

    /// That part of the response time, in ms, at each of `fractions` (0.0 to 1.0).
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request told of it.
    pub fn part_ms(&self, part: Part, fractions: &[f64]) -> Result<Vec<f64>, NoSamples> {
        let times = self.times[part as usize].percentiles_us(fractions)?;
        Ok(times.into_iter().map(|us| us as f64 / 1e3).collect())
    }

    /// The answers that were checked; `None` if there were none.
    pub fn answers(&self) -> Option<&Answers> {
        (self.answers.checked > 0).then_some(&self.answers)
    }
}

impl Answers {
    fn count(&mut self, pair: (Box<str>, Box<str>), count: u64) {
        let is_full = self.pairs.len() >= LABEL_PAIRS_MAX;
        let pair = if is_full && !self.pairs.contains_key(&pair) {
            (OTHER_LABELS.into(), OTHER_LABELS.into())
        } else {
            pair
        };
        *self.pairs.entry(pair).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(insight: &mut Insight, expected: &str, answered: &str, mixed_up: bool) {
        insight.record_answer(&Answer {
            expected,
            answered,
            mixed_up,
        });
    }

    #[test]
    fn answers_are_counted_by_label_and_a_window_has_its_own() {
        let mut insight = Insight::default();
        answered(&mut insight, "a", "a", false);
        let earlier = insight.clone();
        answered(&mut insight, "a", "b", true);
        let window = insight.since(&earlier);
        let answers = window.answers().expect("one was checked");
        assert_eq!(
            (answers.checked, answers.right, answers.mixed_up),
            (1, 0, 1)
        );
        assert_eq!(answers.pairs, [(("a".into(), "b".into()), 1)].into());
        assert!(earlier.since(&earlier).answers().is_none());
    }

    #[test]
    fn the_table_of_labels_is_bounded_and_loses_no_count() {
        let mut insight = Insight::default();
        for number in 0..3 * LABEL_PAIRS_MAX {
            answered(&mut insight, "a", &number.to_string(), false);
        }
        let answers = insight.answers().expect("they were checked");
        assert_eq!(answers.pairs.len(), LABEL_PAIRS_MAX + 1);
        assert_eq!(answers.pairs.values().sum::<u64>(), answers.checked);
        let mut merged = insight.clone();
        merged.merge(&insight);
        assert_eq!(
            merged.answers().expect("both").pairs.len(),
            LABEL_PAIRS_MAX + 1
        );
    }

    #[test]
    fn the_parts_of_a_time_are_told_apart() {
        let mut insight = Insight::default();
        assert_eq!(insight.part_ms(Part::Queue, &[0.5]), Err(NoSamples));
        for us in [1_000, 2_000, 3_000] {
            insight.record_time(ServerTime {
                queue_us: (us > 1_000).then_some(us),
                compute_us: 10 * us,
                rest_us: 0,
            });
        }
        assert_eq!(insight.timed(), 3);
        assert_eq!(
            insight.part_ms(Part::Queue, &[0.0, 1.0]),
            Ok(vec![2.0, 3.0])
        );
        assert_eq!(insight.part_ms(Part::Compute, &[0.5]), Ok(vec![20.0]));
        assert_eq!(insight.part_ms(Part::Rest, &[1.0]), Ok(vec![0.0]));
    }
}
