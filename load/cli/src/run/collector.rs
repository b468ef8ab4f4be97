//! The one ledger of a run: takes what the lanes have gathered, and shows it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use acrida_engine::{Action, Control};
use acrida_stats::{EntrySnapshot, FailureRow, Lane, Ledger, Limits, Snapshot};

/// Where samples go and snapshots come from.
#[derive(Debug)]
pub struct Collector {
    lanes: Vec<Lane>,
    ledger: Mutex<Ledger>,
    control: Mutex<Option<Control>>,
}

impl Collector {
    /// An empty ledger, of what `lanes` gather from now on.
    pub fn new(lanes: Vec<Lane>, limits: Limits) -> Self {
        Self {
            lanes,
            ledger: Mutex::new(Ledger::new(limits, now_us())),
            control: Mutex::default(),
        }
    }

    /// From now on snapshots tell the number of users of this run.
    pub fn watch(&self, control: Control) {
        *self.control() = Some(control);
    }

    /// Everything that was measured up to now.
    pub fn snapshot(&self) -> Snapshot {
        let user_count = self.control().as_ref().map_or(0, Control::user_count);
        self.up_to_date().snapshot(now_us(), user_count)
    }

    /// One row as it is now; empty if nothing was counted under these names.
    pub fn entry(&self, method: &str, name: &str) -> EntrySnapshot {
        self.up_to_date().entry_snapshot(method, name, now_us())
    }

    /// The row over all requests as it is now.
    pub fn total(&self) -> EntrySnapshot {
        self.up_to_date().total_snapshot(now_us())
    }

    /// One row of the failure table as it is now, if there is one.
    pub fn failure(&self, method: &str, name: &str, error: &str) -> Option<FailureRow> {
        self.up_to_date().failure_row(method, name, error)
    }

    /// Whether a test goes on.
    pub(super) fn is_active(&self) -> bool {
        let control = self.control();
        control
            .as_ref()
            .is_some_and(|control| control.state().is_active())
    }

    fn control(&self) -> MutexGuard<'_, Option<Control>> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an exception that a task raised; `node` is who ran it.
    pub fn record_exception(&self, message: &str, traceback: &str, node: &str) {
        self.ledger()
            .record_exception(message, traceback, node, now_us());
    }

    /// Adds what a row of another ledger counted.
    pub fn absorb_row(&self, method: &str, name: &str, row: &EntrySnapshot) {
        self.up_to_date().absorb_row(method, name, row);
    }

    /// Counts requests that were still open when the run ended.
    pub fn record_cut_off(&self, requests: u64) {
        self.ledger().record_cut_off(requests);
    }

    /// Takes out of `actions` what is for the statistics to do, and does it.
    pub fn execute(&self, actions: &mut Vec<Action>) {
        actions.retain(|action| {
            match action {
                Action::ResetStats => self.reset(),
                Action::Dropped { arrivals } => self.ledger().record_dropped(*arrivals),
                _ => return true,
            }
            false
        });
    }

    /// Forgets what was measured up to now.
    pub fn reset(&self) {
        self.up_to_date().reset(now_us());
    }

    /// Forgets what one row counted up to now.
    pub fn reset_entry(&self, method: &str, name: &str) {
        self.up_to_date().reset_entry(method, name);
    }

    /// Forgets what the row over all requests counted up to now.
    pub fn reset_total(&self) {
        self.up_to_date().reset_total(now_us());
    }

    /// Forgets what was measured up to now, the names too.
    pub fn clear(&self) {
        self.up_to_date().clear(now_us());
    }

    /// The ledger, with what the lanes hold taken in.
    fn up_to_date(&self) -> MutexGuard<'_, Ledger> {
        let mut ledger = self.ledger();
        for lane in &self.lanes {
            ledger.absorb(lane.take());
        }
        ledger
    }

    /// A panic while the ledger was locked leaves it as good as it was.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Microseconds since the Unix epoch.
fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
