//! What an I/O thread is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

use crate::job::Job;
use crate::resolver::Resolved;
use crate::stream::BodyStream;

/// A message to an I/O thread.
#[derive(Debug)]
pub(crate) enum Message {
    /// Send a request.
    Start(Box<Job>),
    /// A session has ended: close its idle connections.
    CloseSession(u64),
    /// An answer of the resolver.
    Resolved(Resolved),
    /// A body is read again, or wanted no more.
    Resume(Arc<BodyStream>),
    /// Leave everything and end.
    Shutdown,
}

/// Messages for one I/O thread. Not bounded: there is at most one request for each
/// waiting user.
#[derive(Debug)]
pub(crate) struct Inbox {
    messages: Mutex<Vec<Message>>,
    waker: Waker,
    /// Whether the thread will look before it waits.
    awake: AtomicBool,
}

impl Inbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            messages: Mutex::default(),
            waker,
            awake: AtomicBool::new(false),
        }
    }

    /// Adds a message, which is read after the next [`Inbox::wake`].
    pub(crate) fn push(&self, message: Message) {
        self.lock().push(message);
    }

    /// Wakes the thread if there is something for it, unless it is going to look anyway.
    pub(crate) fn wake(&self) {
        let has_messages = !self.lock().is_empty();
        if has_messages && !self.awake.swap(true, Ordering::SeqCst) {
            // The poll that the waker belongs to lives as long as its thread.
            let _ = self.waker.wake();
        }
    }

    pub(crate) fn take(&self) -> Vec<Message> {
        self.awake.store(false, Ordering::SeqCst);
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
