//! Where samples gather on the thread that finished the requests. HOT.
//!
//! Invariant: a request of a known name allocates and formats nothing, beyond
//! what its response time needs to be kept.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::arrivals::Arrivals;
use crate::gathered::Gathered;
use crate::insight::{Answer, Insight, ServerTime};
use crate::key::{FailureKey, Key, hash_of};
use crate::limits::{Limits, OTHER_NAMES, cut};
use crate::overflow::OverflowedNames;
use crate::tally::Tally;

/// Seconds that a recorder holds apart until they are taken. The ledger forgets
/// single seconds sooner, so nothing is lost when older ones are put together.
const MAX_SECONDS: usize = 32;

/// One finished request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'a> {
    /// `GET`, or whatever a client of the user's own gives as `request_type`.
    pub method: &'a str,
    /// What the request is counted under.
    pub name: &'a str,
    /// When it finished, in µs since the Unix epoch.
    pub finished_us: u64,
    /// `None`: the request is counted, but has no time (Locust's
    /// `response_time=None`). More than [`crate::MAX_RESPONSE_TIME_US`] counts as
    /// that much.
    pub response_time_us: Option<u64>,
    /// Length of the answer, in bytes.
    pub content_length: u64,
    /// The error, as it stands in the table of failures; `None` if it succeeded.
    pub failure: Option<&'a str>,
    /// Where the time went, if the server tells.
    pub server: Option<ServerTime>,
    /// What was answered and what should have been, if that is known.
    pub answer: Option<Answer<'a>>,
}

impl Default for Sample<'_> {
    /// A request that succeeded at the epoch, and has neither a name nor a time.
    fn default() -> Self {
        Self {
            method: "",
            name: "",
            finished_us: 0,
            response_time_us: None,
            content_length: 0,
            failure: None,
            server: None,
            answer: None,
        }
    }
}

/// Gathers the samples of one thread.
#[derive(Debug)]
pub struct Recorder {
    limits: Limits,
    entries: Gathered<Key, Seconds>,
    others: Seconds,
    failures: Gathered<FailureKey, Occurrences>,
    other_failures: Occurrences,
    overflowed: OverflowedNames,
    arrivals: Arrivals,
}

impl Recorder {
    /// A recorder that keeps no more than `limits` allow.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: Gathered::new(limits.max_names),
            others: Seconds::default(),
            failures: Gathered::new(limits.max_failures),
            other_failures: Occurrences::default(),
            overflowed: OverflowedNames::default(),
            arrivals: Arrivals::default(),
        }
    }

    /// Counts one request.
    pub fn record(&mut self, sample: &Sample<'_>) {
        let method = cut(sample.method, self.limits.max_name_bytes);
        let name = cut(sample.name, self.limits.max_name_bytes);
        let hash = hash_of((method, name));
        let is_key = |key: &Key| key.is(method, name);
        let known = self
            .entries
            .value(hash, is_key, || Key::new(method, name))
            .map(|seconds| seconds.record(sample))
            .is_some();
        if !known {
            self.others.record(sample);
            self.overflowed
                .insert(hash, self.limits.max_overflowed_names);
        }
        if let Some(error) = sample.failure {
            let (method, name) = if known {
                (method, name)
            } else {
                ("", OTHER_NAMES)
            };
            self.record_failure(method, name, error, sample.finished_us);
        }
    }

    /// Counts a failure at `at_us` (µs since the Unix epoch) of a request that is, or
    /// will be, counted by itself.
    pub fn record_error(&mut self, method: &str, name: &str, error: &str, at_us: u64) {
        let method = cut(method, self.limits.max_name_bytes);
        let name = cut(name, self.limits.max_name_bytes);
        let hash = hash_of((method, name));
        let is_key = |key: &Key| key.is(method, name);
        let entry = self.entries.value(hash, is_key, || Key::new(method, name));
        let known = entry.is_some();
        entry.unwrap_or(&mut self.others).record_error(at_us);
        let (method, name) = if known {
            (method, name)
        } else {
            ("", OTHER_NAMES)
        };
        self.record_failure(method, name, error, at_us);
    }

    fn record_failure(&mut self, method: &str, name: &str, error: &str, at_us: u64) {
        let error = without_addresses(error);
        let error = cut(&error, self.limits.max_error_bytes);
        self.failures
            .value(
                hash_of((method, name, error)),
                |key| key.is(method, name, error),
                || FailureKey::new(method, name, error),
            )
            .unwrap_or(&mut self.other_failures)
            .record(at_us);
    }

    /// Counts an iteration that arrived and began `late_us` after its time.
    pub fn record_begun(&mut self, late_us: u64) {
        self.arrivals.begin(late_us);
    }

    /// Counts iterations that arrived and that no user has taken.
    pub fn record_dropped(&mut self, count: u64) {
        self.arrivals.dropped += count;
    }

    /// What was recorded since the last time. Moves it out, so that a lock around
    /// the recorder is held only briefly.
    pub fn take(&mut self) -> Delta {
        Delta {
            entries: self.entries.take(),
            others: std::mem::take(&mut self.others),
            failures: self.failures.take(),
            other_failures: std::mem::take(&mut self.other_failures),
            overflowed: std::mem::take(&mut self.overflowed),
            arrivals: std::mem::take(&mut self.arrivals),
        }
    }
}

/// A [`Recorder`] shared by the one thread that records and the one that collects.
#[derive(Debug, Clone)]
pub struct Lane(Arc<Mutex<Recorder>>);

impl Lane {
    /// A lane of its own; clones of it share the recorder.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(Recorder::new(limits))))
    }

    /// Counts one request.
    pub fn record(&self, sample: &Sample<'_>) {
        self.recorder().record(sample);
    }

    /// Counts a failure of a request that is counted by itself; see
    /// [`Recorder::record_error`].
    pub fn record_error(&self, method: &str, name: &str, error: &str, at_us: u64) {
        self.recorder().record_error(method, name, error, at_us);
    }

    /// Counts an iteration; see [`Recorder::record_begun`].
    pub fn record_begun(&self, late_us: u64) {
        self.recorder().record_begun(late_us);
    }

    /// Counts iterations; see [`Recorder::record_dropped`].
    pub fn record_dropped(&self, count: u64) {
        self.recorder().record_dropped(count);
    }

    /// What was recorded since the last time.
    pub fn take(&self) -> Delta {
        self.recorder().take()
    }

    /// Never contended but while the collector takes.
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        // A panic in between leaves at most one sample half counted.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a recorder gathered between two times that it was asked.
#[derive(Debug, Default)]
pub struct Delta {
    pub(crate) entries: Vec<(Arc<Key>, Seconds)>,
    pub(crate) others: Seconds,
    pub(crate) failures: Vec<(Arc<FailureKey>, Occurrences)>,
    pub(crate) other_failures: Occurrences,
    pub(crate) overflowed: OverflowedNames,
    pub(crate) arrivals: Arrivals,
}

/// Requests by the second in which they finished, and what only some of them tell.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    tallies: Vec<(u64, Tally)>,
    pub(crate) insight: Option<Box<Insight>>,
}

impl Seconds {
    fn record(&mut self, sample: &Sample<'_>) {
        self.at(sample.finished_us).record(sample);
        if let Some(time) = sample.server {
            self.insight.get_or_insert_default().record_time(time);
        }
        if let Some(answer) = &sample.answer {
            self.insight.get_or_insert_default().record_answer(answer);
        }
    }

    fn record_error(&mut self, at_us: u64) {
        self.at(at_us).failures += 1;
    }

    fn at(&mut self, at_us: u64) -> &mut Tally {
        let second = at_us / 1_000_000;
        // Nearly always the last one.
        let at = self.tallies.iter().rposition(|(other, _)| *other == second);
        let at = at.unwrap_or_else(|| self.begin(second));
        &mut self.tallies[at].1
    }

    fn begin(&mut self, second: u64) -> usize {
        if self.tallies.len() == MAX_SECONDS {
            self.tallies.sort_unstable_by_key(|(second, _)| *second);
            let (_, oldest) = self.tallies.remove(0);
            self.tallies[0].1.merge(&oldest);
        }
        self.tallies.push((second, Tally::default()));
        self.tallies.len() - 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Tally)> {
        self.tallies.iter().map(|(second, tally)| (*second, tally))
    }
}

/// How often something happened, and when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Occurrences {
    pub(crate) count: u64,
    /// The first and the last time, in µs since the Unix epoch; 0 if it never did.
    pub(crate) first_us: u64,
    pub(crate) last_us: u64,
}

impl Occurrences {
    pub(crate) fn record(&mut self, at_us: u64) {
        self.merge(Self {
            count: 1,
            first_us: at_us,
            last_us: at_us,
        });
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if self.count == 0 {
            *self = other;
        } else if other.count > 0 {
            self.count += other.count;
            self.first_us = self.first_us.min(other.first_us);
            self.last_us = self.last_us.max(other.last_us);
        }
    }
}

/// `error` with the memory address in it replaced by `0x....`, so that errors
/// which differ in nothing else are counted together.
/// Source of the rule: `StatsError.parse_error`, locust/stats.py.
fn without_addresses(error: &str) -> Cow<'_, str> {
    const BEFORE: &str = "object at ";
    let address = error
        .split_once("object at 0x")
        .and_then(|(before, _)| error.get(before.len() + BEFORE.len()..))
        .and_then(|from| from.split_once('>'))
        .map(|(address, _)| address);
    match address {
        Some(address) => error.replace(address, "0x....").into(),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_out_of_errors() {
        // Expected texts: given by Locust 2.47.0's StatsError.parse_error.
        for (error, expected) in [
            ("<A object at 0x7f12>", "<A object at 0x....>"),
            (
                "E(<A object at 0x7f12>, <A object at 0x7f12>)",
                "E(<A object at 0x....>, <A object at 0x....>)",
            ),
            ("an object at 0x7f12", "an object at 0x7f12"),
            ("é object at 0x", "é object at 0x"),
            ("ValueError('no')", "ValueError('no')"),
        ] {
            assert_eq!(without_addresses(error), expected);
        }
    }

    #[test]
    fn seconds_beyond_the_bound_are_put_together_with_the_next() {
        let mut seconds = Seconds::default();
        let count = MAX_SECONDS as u64 + 8;
        for second in (0..count).rev() {
            seconds.record(&Sample {
                method: "GET",
                name: "/",
                finished_us: second * 1_000_000,
                response_time_us: None,
                content_length: 0,
                failure: None,
                ..Sample::default()
            });
        }
        assert_eq!(seconds.tallies.len(), MAX_SECONDS);
        assert_eq!(
            seconds.iter().map(|(_, tally)| tally.requests).sum::<u64>(),
            count
        );
        let newest = seconds.iter().map(|(second, _)| second).max();
        assert_eq!(newest, Some(count - 1));
    }
}
