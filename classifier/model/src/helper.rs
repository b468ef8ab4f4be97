//! A second thread for half of a layer.
//!
//! A layer takes some ten microseconds, too little to wait for a sleeping thread. So half of it
//! is only offered: who offers it does it after its own half, unless the helper was awake and
//! took it. Both look for each other without sleeping; work-stealing pools such as `rayon`
//! sleep, and took 10 µs to begin a half and 17 to tell of its end.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::{self, JoinHandle, yield_now};
use std::time::{Duration, Instant};

/// How long one looks for the other before it leaves its core: longer than the work of a layer
/// that is not shared.
const PATIENCE: Duration = Duration::from_micros(50);

/// Nothing is offered.
const EMPTY: u8 = 0;
/// Work is there for whoever takes it.
const OFFERED: u8 = 1;
/// The helper works on it.
const TAKEN: u8 = 2;
/// The helper panicked over it.
const FAILED: u8 = 3;
/// The helper is to end.
const CLOSED: u8 = 4;

/// Another thread that takes half the work of the one that owns it, when it can. It ends when
/// this is dropped.
#[derive(Debug)]
pub struct Helper {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where both threads meet.
#[derive(Debug)]
struct Desk {
    state: AtomicU8,
    /// Written by the owner before it says [`OFFERED`], read by the helper after it said
    /// [`TAKEN`].
    work: UnsafeCell<Option<Work>>,
    /// The helper sleeps, or is about to.
    asleep: AtomicBool,
}

/// Work that lies on the owner's stack.
type Work = *mut (dyn FnMut() + Send);

// SAFETY: `work` is the owner's while nothing is offered, and the helper's once it is taken;
// what it points to may be sent to another thread.
unsafe impl Send for Desk {}
// SAFETY: as above.
unsafe impl Sync for Desk {}

impl Helper {
    /// Starts a thread of that name.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(name: &str) -> io::Result<Helper> {
        let desk = Arc::new(Desk {
            state: AtomicU8::new(EMPTY),
            work: UnsafeCell::new(None),
            asleep: AtomicBool::new(false),
        });
        let its = Arc::clone(&desk);
        let builder = thread::Builder::new().name(name.to_owned());
        let thread = Some(builder.spawn(move || its.help())?);
        Ok(Helper { desk, thread })
    }

    /// Does both, side by side if the helper is free. If one panics, so does this, once neither
    /// runs any more.
    pub(crate) fn join(&mut self, mine: impl FnOnce(), other: impl FnOnce() + Send) {
        let mut other = Some(other);
        let mut work = || other.take().expect("work is done once")();
        let work: &mut (dyn FnMut() + Send) = &mut work;
        // SAFETY: only the lifetime is changed. `Offer` ends before the work does, and not
        // before the helper is done with it.
        let pointer = unsafe { std::mem::transmute::<&mut (dyn FnMut() + Send), Work>(work) };
        let offer = self.offer(pointer);
        mine();
        if offer.take_back() {
            // SAFETY: the helper did not take it, and never will.
            unsafe { (*pointer)() };
        }
    }

    fn offer(&mut self, work: Work) -> Offer<'_> {
        // SAFETY: nothing is offered, so the helper does not look here.
        unsafe { *self.desk.work.get() = Some(work) };
        self.desk.say(OFFERED, self.thread.as_ref());
        Offer { desk: &self.desk }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let thread = self.thread.take();
        self.desk.say(CLOSED, thread.as_ref());
        if let Some(thread) = thread {
            thread.join().expect("a helper catches panics");
        }
    }
}

/// Work that the helper may take; it is over with it when this is dropped.
struct Offer<'a> {
    desk: &'a Desk,
}

impl Offer<'_> {
    /// Whether the helper did not take the work; if it did, waits for its end.
    fn take_back(self) -> bool {
        let taken_back = self.desk.take(EMPTY);
        let failed = !taken_back && self.desk.end() == FAILED;
        assert!(!failed, "a helper's half of the work panicked");
        taken_back
    }
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        if !self.desk.take(EMPTY) {
            self.desk.end();
        }
        self.desk.state.store(EMPTY, Ordering::Relaxed);
    }
}

impl Desk {
    fn say(&self, state: u8, helper: Option<&JoinHandle<()>>) {
        // Ordered with `asleep`, which the helper sets before it looks a last time.
        self.state.store(state, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst)
            && let Some(helper) = helper
        {
            helper.thread().unpark();
        }
    }

    /// Whether work was offered; it no longer is.
    fn take(&self, next: u8) -> bool {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        let found = self.state.compare_exchange(OFFERED, next, success, failure);
        found.is_ok()
    }

    /// Waits until the helper is done, and says how it went.
    fn end(&self) -> u8 {
        loop {
            if let Some(state) = self.look(|state| state != TAKEN) {
                return state;
            }
            // The helper may wait for this very core.
            yield_now();
        }
    }

    /// The state, if it is a `wanted` one before patience ends.
    fn look(&self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let since = Instant::now();
        loop {
            let state = self.state.load(Ordering::Acquire);
            if wanted(state) {
                return Some(state);
            }
            if since.elapsed() > PATIENCE {
                return None;
            }
            spin_loop();
        }
    }

    /// The helper's thread.
    fn help(&self) {
        while self.wait() {
            if !self.take(TAKEN) {
                continue;
            }
            // SAFETY: the work was written before it was offered, and is valid until it is
            // said to be done.
            let work = unsafe { (*self.work.get()).expect("work is offered") };
            // SAFETY: as above; nobody else uses it.
            let done = catch_unwind(AssertUnwindSafe(|| unsafe { (*work)() }));
            let state = if done.is_ok() { EMPTY } else { FAILED };
            self.state.store(state, Ordering::Release);
        }
    }

    /// Waits for an offer; false once the helper is to end.
    fn wait(&self) -> bool {
        let news = |state| state == OFFERED || state == CLOSED;
        loop {
            if let Some(state) = self.look(news) {
                return state == OFFERED;
            }
            self.asleep.store(true, Ordering::SeqCst);
            // What was said before that did not wake anybody.
            if !news(self.state.load(Ordering::SeqCst)) {
                thread::park();
            }
            self.asleep.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread::sleep;

    use super::*;

    #[test]
    fn everything_is_done_once_whoever_does_it() {
        let mut helper = Helper::start("helper").unwrap();
        let done = [const { AtomicUsize::new(0) }; 2];
        let count = |half: usize| {
            done[half].fetch_add(1, Ordering::Relaxed);
        };
        for i in 0..20_000 {
            helper.join(|| count(0), || count(1));
            assert_eq!(done[1].load(Ordering::Relaxed), i + 1);
            if i % 2_000 == 0 {
                sleep(3 * PATIENCE);
            }
        }
        assert_eq!(done[0].load(Ordering::Relaxed), 20_000);
    }

    #[test]
    fn a_helper_that_is_awake_helps() {
        let mut helper = Helper::start("helper").unwrap();
        let owner = thread::current().id();
        let other = AtomicBool::new(false);
        for _ in 0..10_000 {
            let began = AtomicBool::new(false);
            let since = Instant::now();
            helper.join(
                || {
                    while !began.load(Ordering::Relaxed) && since.elapsed() < PATIENCE {
                        yield_now();
                    }
                },
                || {
                    began.store(true, Ordering::Relaxed);
                    other.fetch_or(thread::current().id() != owner, Ordering::Relaxed);
                },
            );
            if other.load(Ordering::Relaxed) {
                return;
            }
        }
        panic!("the helper never did anything");
    }

    #[test]
    fn whoever_panics_the_other_half_is_over_and_the_helper_lives_on() {
        let mut helper = Helper::start("helper").unwrap();
        for i in 0..100 {
            let running = AtomicUsize::new(0);
            let half = |panics: bool| {
                running.fetch_add(1, Ordering::SeqCst);
                sleep(Duration::from_micros(i));
                running.fetch_sub(1, Ordering::SeqCst);
                assert!(!panics, "on purpose");
            };
            let result = catch_unwind(AssertUnwindSafe(|| {
                helper.join(|| half(i % 2 == 0), || half(i % 2 == 1));
            }));
            assert!(result.is_err());
            assert_eq!(running.load(Ordering::SeqCst), 0);
        }
        let mut both = (0, 0);
        helper.join(|| both.0 = 1, || both.1 = 2);
        assert_eq!(both, (1, 2));
    }
}
