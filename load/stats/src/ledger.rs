//! The one account of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::arrivals::Arrivals;
use crate::entry::{Entry, EntrySnapshot, RunClock};
use crate::key::{FailureKey, Key, hash_of};
use crate::limits::{Limits, OTHER_EXCEPTIONS, cut};
use crate::overflow::OverflowedNames;
use crate::recorder::{Delta, Occurrences, Seconds};
use crate::snapshot::{ExceptionRow, FailureRow, Snapshot};

/// Everything measured in a run: sums since its start, and the newest seconds.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
    start_us: u64,
    entries: BTreeMap<Arc<Key>, Entry>,
    others: Option<Entry>,
    total: Entry,
    overflowed: OverflowedNames,
    failures: HashMap<Arc<FailureKey>, Occurrences>,
    other_failures: Occurrences,
    exceptions: HashMap<Box<str>, Exceptions>,
    other_exceptions: Exceptions,
    cut_off: u64,
    arrivals: Arrivals,
}

/// Exceptions with the same traceback.
#[derive(Debug, Default)]
struct Exceptions {
    /// Text of the first one.
    message: Box<str>,
    occurrences: Occurrences,
    nodes: BTreeSet<Box<str>>,
}

impl Ledger {
    /// An empty ledger of a run that starts at `start_us` (µs since the Unix epoch).
    pub fn new(limits: Limits, start_us: u64) -> Self {
        Self {
            limits,
            start_us,
            entries: BTreeMap::new(),
            others: None,
            total: Entry::default(),
            overflowed: OverflowedNames::default(),
            failures: HashMap::new(),
            other_failures: Occurrences::default(),
            exceptions: HashMap::new(),
            other_exceptions: Exceptions::default(),
            cut_off: 0,
            arrivals: Arrivals::default(),
        }
    }

    /// Adds what a recorder gathered. The order of deltas does not matter.
    pub fn absorb(&mut self, delta: Delta) {
        for (key, seconds) in delta.entries {
            self.total.absorb(&seconds);
            self.entry(key).absorb(&seconds);
        }
        self.absorb_others(&delta.others);
        self.overflowed
            .merge(&delta.overflowed, self.limits.max_overflowed_names);
        for (key, occurrences) in delta.failures {
            self.failure(key).merge(occurrences);
        }
        self.other_failures.merge(delta.other_failures);
        self.arrivals.merge(&delta.arrivals);
    }

    fn absorb_others(&mut self, seconds: &Seconds) {
        if !seconds.is_empty() {
            self.total.absorb(seconds);
            self.others.get_or_insert_default().absorb(seconds);
        }
    }

    fn entry(&mut self, key: Arc<Key>) -> &mut Entry {
        if self.entries.len() < self.limits.max_names || self.entries.contains_key(&key) {
            return self.entries.entry(key).or_default();
        }
        let hash = hash_of((&*key.method, &*key.name));
        self.overflowed
            .insert(hash, self.limits.max_overflowed_names);
        self.others.get_or_insert_default()
    }

    fn failure(&mut self, key: Arc<FailureKey>) -> &mut Occurrences {
        if self.failures.len() < self.limits.max_failures || self.failures.contains_key(&key) {
            return self.failures.entry(key).or_default();
        }
        &mut self.other_failures
    }

    /// Counts an exception that a task raised on `node` at `at_us`. Exceptions with
    /// the same traceback share a row, which shows the message of the first, as in
    /// Locust.
    pub fn record_exception(&mut self, message: &str, traceback: &str, node: &str, at_us: u64) {
        let limits = self.limits;
        let traceback = cut(traceback, limits.max_traceback_bytes);
        let is_full = self.exceptions.len() >= limits.max_exceptions;
        let row = if is_full && !self.exceptions.contains_key(traceback) {
            &mut self.other_exceptions
        } else {
            self.exceptions
                .entry(traceback.into())
                .or_insert_with(|| Exceptions {
                    message: cut(message, limits.max_error_bytes).into(),
                    ..Exceptions::default()
                })
        };
        row.occurrences.record(at_us);
        if row.nodes.len() < limits.max_nodes {
            row.nodes.insert(cut(node, limits.max_name_bytes).into());
        }
    }

    /// Counts requests that were still open when the run ended.
    pub fn record_cut_off(&mut self, requests: u64) {
        self.cut_off += requests;
    }

    /// Counts iterations that arrived and that no user has taken.
    pub fn record_dropped(&mut self, count: u64) {
        self.arrivals.dropped += count;
    }

    /// Forgets what was measured and starts anew at `now_us`. Names stay listed,
    /// with no requests, as in Locust.
    pub fn reset(&mut self, now_us: u64) {
        let names = std::mem::take(&mut self.entries);
        *self = Self::new(self.limits, now_us);
        self.entries = names
            .into_keys()
            .map(|key| (key, Entry::default()))
            .collect();
    }

    /// Forgets what the row of `method` and `name` counted. The row over all requests and
    /// the failures stay, as in Locust.
    pub fn reset_entry(&mut self, method: &str, name: &str) {
        let key = Key::new(method, name);
        if let Some(entry) = self.entries.get_mut(&key) {
            *entry = Entry::default();
        } else if key == Key::others() {
            self.others = None;
        }
    }

    /// Forgets what the row over all requests counted, whose rates start anew at
    /// `now_us`. The other rows stay, as in Locust.
    pub fn reset_total(&mut self, now_us: u64) {
        self.total = Entry::default();
        self.start_us = now_us;
    }

    /// Adds what another ledger's row counted to the row of `method` and `name`.
    pub fn absorb_row(&mut self, method: &str, name: &str, row: &EntrySnapshot) {
        self.start_us = self.start_us.min(row.start_us());
        self.total.absorb_row(row);
        self.entry(Arc::new(Key::new(method, name))).absorb_row(row);
    }

    /// Forgets what was measured, the names too, and starts anew at `now_us`.
    pub fn clear(&mut self, now_us: u64) {
        *self = Self::new(self.limits, now_us);
    }

    /// One row as it is at `now_us`; empty if nothing was counted under these names.
    pub fn entry_snapshot(&self, method: &str, name: &str, now_us: u64) -> EntrySnapshot {
        let key = Key::new(method, name);
        let known = self.entries.get(&key);
        let others = (key == Key::others()).then_some(self.others.as_ref());
        match known.or(others.flatten()) {
            Some(entry) => entry.snapshot(&key, self.clock(now_us)),
            None => Entry::default().snapshot(&key, self.clock(now_us)),
        }
    }

    /// The row over all requests as it is at `now_us`.
    pub fn total_snapshot(&self, now_us: u64) -> EntrySnapshot {
        let key = Key::new("", "Aggregated");
        self.total.snapshot(&key, self.clock(now_us))
    }

    fn clock(&self, now_us: u64) -> RunClock {
        RunClock {
            start_us: self.start_us,
            last_request_us: self.total.last_us(),
            taken_us: now_us,
        }
    }

    /// Everything as it is at `now_us`, when `user_count` users are running.
    pub fn snapshot(&self, now_us: u64, user_count: u64) -> Snapshot {
        let clock = self.clock(now_us);
        let entries = self.entries.iter();
        let entries = entries.map(|(key, entry)| entry.snapshot(key, clock));
        let others = self.others.iter();
        let others = others.map(|entry| entry.snapshot(&Key::others(), clock));
        let mut entries: Vec<_> = entries.chain(others).collect();
        entries.sort_by(|a, b| (&a.name, &a.method).cmp(&(&b.name, &b.method)));
        Snapshot {
            start_us: self.start_us,
            last_request_us: clock.last_request_us,
            taken_us: now_us,
            user_count,
            entries,
            total: self.total_snapshot(now_us),
            failures: self.failure_rows(),
            exceptions: self.exception_rows(),
            cut_off: self.cut_off,
            arrivals: self.arrivals.clone(),
            overflowed_names: self.overflowed.count(),
            more_overflowed_names: self.overflowed.has_more(),
        }
    }

    /// One row of the failure table, if there is one.
    pub fn failure_row(&self, method: &str, name: &str, error: &str) -> Option<FailureRow> {
        let key = FailureKey::new(method, name, error);
        let counted = self.failures.get(&key);
        counted.map(|occurrences| failure_row(&key, *occurrences))
    }

    fn failure_rows(&self) -> Vec<FailureRow> {
        let mut rows: Vec<_> = self.failures.iter().collect();
        rows.sort_by_key(|(key, occurrences)| (occurrences.first_us, *key));
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|(key, occurrences)| failure_row(key, *occurrences))
            .collect();
        if self.other_failures.count > 0 {
            rows.push(failure_row(&FailureKey::others(), self.other_failures));
        }
        rows
    }

    fn exception_rows(&self) -> Vec<ExceptionRow> {
        let mut rows: Vec<_> = self.exceptions.iter().collect();
        rows.sort_by_key(|(traceback, row)| (row.occurrences.first_us, *traceback));
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|(traceback, row)| exception_row(&row.message, traceback, row))
            .collect();
        if self.other_exceptions.occurrences.count > 0 {
            rows.push(exception_row(OTHER_EXCEPTIONS, "", &self.other_exceptions));
        }
        rows
    }
}

fn failure_row(key: &FailureKey, occurrences: Occurrences) -> FailureRow {
    FailureRow {
        method: key.key.method.to_string(),
        name: key.key.name.to_string(),
        error: key.error.to_string(),
        occurrences: occurrences.count,
        first_seen_us: occurrences.first_us,
        last_seen_us: occurrences.last_us,
    }
}

fn exception_row(message: &str, traceback: &str, row: &Exceptions) -> ExceptionRow {
    ExceptionRow {
        count: row.occurrences.count,
        message: message.to_owned(),
        traceback: traceback.to_owned(),
        nodes: row.nodes.iter().map(|node| node.to_string()).collect(),
        first_seen_us: row.occurrences.first_us,
        last_seen_us: row.occurrences.last_us,
    }
}
