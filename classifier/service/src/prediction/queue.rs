//! The queue between connections and inference threads: [`Batcher`] behind a lock.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::batching::{Batcher, Decision, Policy};

/// Why a request cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// Shared by everything that pushes and by all inference threads.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    batcher: Batcher<T>,
    closed: bool,
    idle: usize,
    busy: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(policy: Policy) -> Queue<T> {
        Queue {
            state: Mutex::new(State {
                batcher: Batcher::new(policy),
                closed: false,
                idle: 0,
                busy: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Never waits for room.
    pub(crate) fn push(&self, item: T) -> Result<(), QueueFull> {
        self.lock()
            .batcher
            .push(item, Instant::now())
            .map_err(|_| QueueFull)?;
        self.changed.notify_one();
        Ok(())
    }

    /// Whether one more could wait.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().batcher.has_room()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().batcher.len()
    }

    /// Whether a single thread works, and nothing waits.
    pub(crate) fn works_on_one_batch_alone(&self) -> bool {
        let state = self.lock();
        state.busy == 1 && state.batcher.is_empty()
    }

    /// Lets the threads end once nothing waits any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Gives batch after batch to `work` on the calling thread, until closed.
    pub(crate) fn work_off(&self, mut work: impl FnMut(Vec<T>)) {
        while let Some(batch) = self.take() {
            work(batch);
            self.lock().busy -= 1;
        }
    }

    /// Waits for a batch; counts the thread as busy from then on.
    fn take(&self) -> Option<Vec<T>> {
        let mut state = self.lock();
        state.idle += 1;
        loop {
            let now = Instant::now();
            let (idle, busy) = (state.idle, state.busy);
            state = match state.batcher.next(idle, busy, now) {
                Decision::Take(batch) => {
                    state.idle -= 1;
                    state.busy += 1;
                    // What is left may be another idle thread's share.
                    if !state.batcher.is_empty() {
                        self.changed.notify_one();
                    }
                    return Some(batch);
                }
                Decision::WaitUntil(due) => {
                    let wait = self.changed.wait_timeout(state, due - now);
                    wait.expect("no thread panics while it holds the queue").0
                }
                Decision::WaitForArrival if state.closed => {
                    state.idle -= 1;
                    return None;
                }
                Decision::WaitForArrival => {
                    let wait = self.changed.wait(state);
                    wait.expect("no thread panics while it holds the queue")
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        let locked = self.state.lock();
        locked.expect("no thread panics while it holds the queue")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    fn queue() -> Queue<usize> {
        Queue::new(Policy {
            batch_size_max: 4,
            batch_wait: Duration::from_micros(50),
            queue_length_max: 1_000,
        })
    }

    #[test]
    fn everything_pushed_is_worked_off_once_before_the_threads_end() {
        let (queue, (done, results)) = (queue(), channel());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let (queue, done) = (&queue, done.clone());
                scope.spawn(move || queue.work_off(|batch| done.send(batch).unwrap()));
            }
            for item in 0..500 {
                queue.push(item).unwrap();
            }
            queue.close();
        });
        drop(done);
        let mut items: Vec<usize> = results.into_iter().flatten().collect();
        items.sort_unstable();
        assert_eq!(items, (0..500).collect::<Vec<_>>());
    }
}
