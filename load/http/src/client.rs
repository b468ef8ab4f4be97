//! The handle on the I/O threads.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use mio::{Poll, Waker};

use crate::inbox::{Inbox, Message};
use crate::limits::Limits;
use crate::observer::Observer;
use crate::outbox::Outbox;
use crate::session::Session;
use crate::worker::{INBOX, Worker};

/// Set in the numbers of those whose connections are shared; there are fewer sessions.
pub(crate) const SHARED: u64 = 1 << 63;

/// What a client starts from.
pub struct Settings {
    /// One I/O thread for each of these, who is told of that thread's requests.
    pub observers: Vec<Arc<dyn Observer>>,
    /// How much an answer may bring.
    pub limits: Limits,
    /// The JSON field in which answers without `Server-Timing` say how long the server
    /// worked, in ms; `None` looks at headers alone.
    pub time_field: Option<String>,
}

/// Threads that send requests.
#[derive(Debug)]
pub struct Client {
    inboxes: Vec<Arc<Inbox>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    outbox: Arc<Outbox>,
    limits: Limits,
    next_session: AtomicU64,
}

impl Client {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread or a file descriptor.
    ///
    /// # Panics
    ///
    /// Without an observer there is no thread.
    pub fn start(settings: Settings) -> io::Result<Arc<Self>> {
        assert!(
            !settings.observers.is_empty(),
            "a client has a thread at least"
        );
        let outbox = Arc::new(Outbox::new()?);
        let (mut inboxes, mut threads) = (Vec::new(), Vec::new());
        for observer in settings.observers {
            let poll = Poll::new()?;
            let inbox = Arc::new(Inbox::new(Waker::new(poll.registry(), INBOX)?));
            let worker = Worker::new(
                poll,
                Arc::clone(&inbox),
                Arc::clone(&outbox),
                observer,
                settings.limits,
                settings.time_field.clone(),
            );
            let thread = std::thread::Builder::new().name("acrida-io".to_owned());
            threads.push(thread.spawn(move || worker.run())?);
            inboxes.push(inbox);
        }
        Ok(Arc::new(Self {
            inboxes,
            threads: Mutex::new(threads),
            outbox,
            limits: settings.limits,
            next_session: AtomicU64::new(0),
        }))
    }

    /// A new session, on the next of the threads.
    pub fn session(self: &Arc<Self>) -> Session {
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        let threads = self.inboxes.len() as u64;
        let thread = usize::try_from(id % threads).expect("the number of a thread");
        Session::new(id, Arc::clone(&self.inboxes[thread]), Arc::clone(self))
    }

    /// A new session that shares the connections of all sessions of `pool`.
    pub fn session_in(self: &Arc<Self>, pool: u64) -> Session {
        let thread =
            usize::try_from(pool % self.inboxes.len() as u64).expect("the number of a thread");
        let inbox = Arc::clone(&self.inboxes[thread]);
        Session::new(SHARED | pool, inbox, Arc::clone(self))
    }

    /// Lets the I/O threads look at what was queued.
    pub fn wake(&self) {
        for inbox in &self.inboxes {
            inbox.wake();
        }
    }

    /// Where finished requests come out.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// What was set.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Ends the threads; returns how many requests were still in flight. They are
    /// counted nowhere.
    pub fn close(&self) -> u64 {
        for inbox in &self.inboxes {
            inbox.push(Message::Shutdown);
            inbox.wake();
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A panic in the thread was printed when it happened.
            let _ = thread.join();
        }
        self.outbox.in_flight()
    }
}
