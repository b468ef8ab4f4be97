//! The lease on the job that this process runs, renewed by a thread of its own: neither long
//! uploads to a store nor a busy training keep it from that.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use classifier_store::{Lease, Store};

/// A process that is silent for so long has died, as far as others know.
pub(super) const LEASE: Duration = Duration::from_secs(10);
/// How often the lease is renewed, and a wish for the job's end heard of.
const RENEW_EVERY: Duration = Duration::from_millis(500);

/// What to do about the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    /// Somebody asked for its end.
    Cancel,
    /// It is no longer this process's.
    Taken,
}

/// The thread that renews. Dropping this ends it.
#[derive(Debug)]
pub(super) struct Renewal {
    verdict: Arc<AtomicU8>,
    /// Closed to end the thread.
    open: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Renewal {
    pub(super) fn start(store: &Arc<Store>, job: &str, runner: &str) -> Result<Renewal> {
        let verdict = Arc::new(AtomicU8::new(Verdict::GoOn as u8));
        let (open, closed) = channel::<()>();
        let (store, job, runner) = (Arc::clone(store), job.to_owned(), runner.to_owned());
        let heard = Arc::clone(&verdict);
        let renew = move || {
            let mut failing = false;
            while closed.recv_timeout(RENEW_EVERY) == Err(RecvTimeoutError::Timeout) {
                let renewed = store.renew_lease(&job, &runner, LEASE);
                if let (Err(error), false) = (&renewed, failing) {
                    // Said once. A store that comes back in time finds the job where it was.
                    let _ = writeln!(
                        std::io::stderr(),
                        "classifier: retraining: cannot renew the lease on {job}: {error}"
                    );
                }
                failing = renewed.is_err();
                let told = match renewed {
                    Ok(Lease::Lost) => Verdict::Taken,
                    Ok(Lease::CancelRequested) => Verdict::Cancel,
                    Ok(Lease::Held) | Err(_) => continue,
                };
                heard.store(told as u8, Ordering::Relaxed);
            }
        };
        let thread = thread::Builder::new()
            .name("retrain-lease".to_owned())
            .spawn(renew)
            .context("cannot start a thread")?;
        Ok(Renewal {
            verdict,
            open: Some(open),
            thread: Some(thread),
        })
    }

    /// The latest that is known.
    pub(super) fn verdict(&self) -> Verdict {
        match self.verdict.load(Ordering::Relaxed) {
            verdict if verdict == Verdict::Cancel as u8 => Verdict::Cancel,
            verdict if verdict == Verdict::Taken as u8 => Verdict::Taken,
            _ => Verdict::GoOn,
        }
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        drop(self.open.take());
        let thread = self.thread.take();
        // A panic of it was reported when it happened.
        let _ = thread.map(JoinHandle::join);
    }
}
