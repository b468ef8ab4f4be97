//! An I/O thread: waits for its sockets and its inbox, and nothing else.
//!
//! Invariant: every job that comes in leaves through [`Worker::finish`], or is still
//! there at shutdown.

mod answers;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use mio::{Events, Poll, Token};
use slab::Slab;

use crate::addresses::{self, Addresses, Found};
use crate::client::SHARED;
use crate::clock::Clock;
use crate::connection::{Connection, Fate, Phase, Progress};
use crate::deadlines::Deadlines;
use crate::error::HttpError;
use crate::inbox::{Inbox, Message};
use crate::job::Job;
use crate::limits::Limits;
use crate::observer::Observer;
use crate::outbox::{Finished, Outbox};
use crate::send;

/// The token of the inbox's waker.
pub(crate) const INBOX: Token = Token(usize::MAX);
/// Sockets looked at after one wait.
const EVENTS_MAX: usize = 1024;
/// Bytes read at once.
const BUFFER: usize = 64 * 1024;

pub(crate) struct Worker {
    poll: Poll,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    observer: Arc<dyn Observer>,
    limits: Limits,
    /// See [`crate::Settings`].
    time_field: Option<String>,
    clock: Clock,
    connections: Slab<Connection>,
    /// Idle connections by session, the one used last at the end.
    idle: HashMap<u64, Vec<usize>, RandomState>,
    deadlines: Deadlines,
    addresses: Addresses,
    finished: Vec<Finished>,
    buffer: Box<[u8]>,
    head: Vec<u8>,
    over: bool,
}

impl Worker {
    pub(crate) fn new(
        poll: Poll,
        inbox: Arc<Inbox>,
        outbox: Arc<Outbox>,
        observer: Arc<dyn Observer>,
        limits: Limits,
        time_field: Option<String>,
    ) -> Self {
        Self {
            poll,
            addresses: Addresses::new(Arc::clone(&inbox)),
            inbox,
            outbox,
            observer,
            limits,
            time_field,
            clock: Clock::new(),
            connections: Slab::new(),
            idle: HashMap::default(),
            deadlines: Deadlines::default(),
            finished: Vec::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            head: Vec::new(),
            over: false,
        }
    }

    /// Works until it is told to shut down.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        // Whether a wake-up came after the messages were taken: the next wait would miss it.
        let mut woken = false;
        while !self.over {
            let due = |at: Instant| at.saturating_duration_since(Instant::now());
            let next = self.deadlines.next().map(due);
            let wait = if woken { Some(Duration::ZERO) } else { next };
            if let Err(error) = self.poll.poll(&mut events, wait) {
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::Interrupted,
                    "waiting for sockets cannot fail"
                );
                continue;
            }
            woken = false;
            self.look_at(&events);
            let messages = self.inbox.take();
            if !messages.is_empty() {
                // What closed meanwhile must not be given a request.
                if self.poll.poll(&mut events, Some(Duration::ZERO)).is_ok() {
                    self.look_at(&events);
                    woken = events.iter().any(|event| event.token() == INBOX);
                }
                messages
                    .into_iter()
                    .for_each(|message| self.read_message(message));
            }
            self.end_overdue();
            if !self.finished.is_empty() {
                self.outbox.put(&mut self.finished);
            }
        }
    }

    fn look_at(&mut self, events: &Events) {
        for event in events.iter().filter(|event| event.token() != INBOX) {
            self.ready(event.token().0, event.is_writable(), event.is_read_closed());
        }
    }

    fn read_message(&mut self, message: Message) {
        match message {
            Message::Start(job) => self.start(job),
            Message::CloseSession(session) => {
                for key in self.idle.remove(&session).unwrap_or_default() {
                    self.connections.remove(key);
                }
            }
            Message::Resolved(resolved) => {
                let now = Instant::now();
                let found = self.addresses.resolved(resolved, now);
                self.connect_all(found, now);
            }
            Message::Resume(body) => {
                let connection = self.connections.get(body.key);
                let streaming = connection.and_then(|connection| connection.streaming.as_ref());
                if streaming.is_some_and(|streaming| Arc::ptr_eq(&streaming.body, &body)) {
                    self.pump(body.key);
                }
            }
            Message::Shutdown => self.over = true,
        }
    }

    fn start(&mut self, mut job: Box<Job>) {
        if let Some(refused) = job.refused.take() {
            return self.finish(job, Err(*refused), Instant::now());
        }
        match self.take_idle(&job) {
            Some(key) => {
                self.connections[key].assign(job);
                self.send(key);
            }
            None => self.start_anew(job, Instant::now()),
        }
    }

    /// Starts a request on a connection of its own.
    fn start_anew(&mut self, job: Box<Job>, now: Instant) {
        if let Some(found) = self.addresses.find(job, now) {
            self.connect_all(found, now);
        }
    }

    /// The idle connection of the job's session to its target that was used last.
    fn take_idle(&mut self, job: &Job) -> Option<usize> {
        let idle = self.idle.get_mut(&job.session.id)?;
        let at = idle
            .iter()
            .rposition(|key| self.connections[*key].serves(&job.request))?;
        Some(idle.swap_remove(at))
    }

    /// Connects jobs to where they lead, or ends them.
    fn connect_all(&mut self, (jobs, addresses): Found, now: Instant) {
        for job in jobs {
            match &addresses {
                Ok(addresses) => self.connect(job, addresses.clone(), now),
                Err(error) => {
                    let error = addresses::no_address(&job, error);
                    self.finish(job, Err(error), now);
                }
            }
        }
    }

    fn connect(&mut self, job: Box<Job>, addresses: VecDeque<SocketAddr>, now: Instant) {
        let mut connection = match Connection::open(job, addresses, now) {
            Ok(connection) => connection,
            Err((job, error)) => return self.finish(job, Err(error), now),
        };
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let registered = connection
            .transport
            .register(self.poll.registry(), Token(key));
        entry.insert(connection);
        if let Err(error) = registered {
            let failed = self.connections[key].failed_to_connect(&error);
            return self.fail(key, failed);
        }
        self.note_deadline(key);
    }

    /// Something can be done on a connection; or could be: an event may be stale.
    /// `closed`: nothing more will come than what is there.
    fn ready(&mut self, key: usize, writable: bool, closed: bool) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if connection.streaming.is_some() {
            return self.pump(key);
        }
        let Some(exchange) = &connection.exchange else {
            if closed || !connection.is_quiet() {
                self.drop_idle(key);
            }
            return;
        };
        match exchange.phase {
            Phase::Connecting(_) => match connection.transport.is_connected() {
                Ok(false) => {}
                Ok(true) => self.connected(key),
                Err(error) => self.try_next_address(key, &error),
            },
            Phase::Tunnelling(_) => self.tunnel(key),
            Phase::Handshaking => self.shake_hands(key),
            Phase::Exchanging => {
                if writable && let Err(error) = connection.send_rest() {
                    return self.fail(key, error);
                }
                self.receive(key, closed);
            }
            Phase::Ended => {
                let fate = connection.fate(&HttpError::Disconnected);
                if fate == Fate::Unread {
                    self.send_again(key);
                }
            }
        }
    }

    fn connected(&mut self, key: usize) {
        match self.connections[key].ask_for_a_way() {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => return self.fail(key, error),
        }
        let exchange = self.connections[key].exchange.as_mut();
        exchange.expect("a request waits for its connection").phase = Phase::Handshaking;
        self.shake_hands(key);
    }

    fn tunnel(&mut self, key: usize) {
        match self.connections[key].is_way_open(&mut self.buffer) {
            Ok(true) => self.shake_hands(key),
            Ok(false) => {}
            Err(error) => self.fail(key, error),
        }
    }

    fn shake_hands(&mut self, key: usize) {
        match self.connections[key].transport.handshake() {
            Ok(true) => self.send(key),
            Ok(false) => {}
            Err(error) => {
                let failed = self.connections[key].failed_to_connect(&error);
                self.fail(key, failed);
            }
        }
    }

    fn try_next_address(&mut self, key: usize, error: &io::Error) {
        let failed = self.connections[key].failed_to_connect(error);
        let connection = self.connections.remove(key);
        let attempted = connection.attempted;
        let exchange = connection
            .exchange
            .expect("a request waits for its connection");
        match exchange.phase {
            Phase::Connecting(addresses) if !addresses.is_empty() => {
                self.connect(exchange.job, addresses, attempted);
            }
            _ => self.finish(exchange.job, Err(failed), attempted),
        }
    }

    fn send(&mut self, key: usize) {
        let mut head = std::mem::take(&mut self.head);
        head.clear();
        let connection = &mut self.connections[key];
        let exchange = connection
            .exchange
            .as_ref()
            .expect("there is a request to send");
        send::write_head(&mut head, &exchange.job);
        let sent = connection.send(&head, Instant::now());
        self.head = head;
        match sent {
            Ok(()) => self.note_deadline(key),
            Err(error) => self.fail(key, error),
        }
    }

    fn receive(&mut self, key: usize, closed: bool) {
        let before = self.connections[key].deadline;
        match self.connections[key].receive(&mut self.buffer, closed, &self.limits) {
            Ok(Progress::Waiting) if self.connections[key].deadline != before => {
                self.note_deadline(key)
            }
            Ok(Progress::Waiting) => {}
            Ok(Progress::Begun) => self.begin_streaming(key),
            Ok(Progress::Complete(received)) => self.received(key, closed, received),
            Err(error) => self.fail(key, error),
        }
    }

    /// Keeps a connection for the session's next request, or closes it.
    fn release(&mut self, key: usize, reusable: bool) {
        let session = self.connections[key].session;
        let idle = self.idle.entry(session).or_default();
        let most = match session & SHARED {
            0 => self.limits.max_idle,
            _ => self.limits.max_shared_idle,
        };
        if reusable && idle.len() < most {
            idle.push(key);
        } else {
            if idle.is_empty() {
                self.idle.remove(&session);
            }
            self.connections.remove(key);
        }
    }

    fn drop_idle(&mut self, key: usize) {
        let connection = self.connections.remove(key);
        if let Some(idle) = self.idle.get_mut(&connection.session) {
            idle.retain(|other| *other != key);
            if idle.is_empty() {
                self.idle.remove(&connection.session);
            }
        }
    }

    /// The request on a connection has failed, and the connection with it; unless
    /// nobody has read it, then it is sent again.
    fn fail(&mut self, key: usize, error: HttpError) {
        if let Some(streaming) = &self.connections[key].streaming {
            if let Some(ticket) = streaming.end(Err(error)) {
                self.outbox.put_piece(ticket);
            }
            self.connections.remove(key);
            return;
        }
        match self.connections[key].fate(&error) {
            Fate::Unread => return self.send_again(key),
            Fate::Open => {
                self.connections[key].await_fate(Instant::now());
                return self.note_deadline(key);
            }
            Fate::InDoubt => {}
        }
        let connection = self.connections.remove(key);
        let exchange = connection.exchange.expect("a failed request");
        self.finish(exchange.job, Err(error), connection.attempted);
    }

    /// Sends the request of a connection that nobody read from on a new one.
    fn send_again(&mut self, key: usize) {
        let connection = self.connections.remove(key);
        let mut job = connection.exchange.expect("an unread request").job;
        job.was_sent_again = true;
        self.start_anew(job, connection.attempted);
    }

    fn note_deadline(&mut self, key: usize) {
        if let Some(deadline) = self.connections[key].deadline {
            self.deadlines.note(deadline, key);
        }
    }

    fn end_overdue(&mut self) {
        if self.deadlines.next().is_none() {
            return;
        }
        let now = Instant::now();
        while let Some(key) = self.deadlines.take_passed(now) {
            let Some(connection) = self.connections.get(key) else {
                continue;
            };
            if connection.deadline.is_some_and(|deadline| deadline <= now) {
                if let Some(error) = connection.timed_out() {
                    self.fail(key, error);
                }
            } else {
                self.note_deadline(key);
            }
        }
    }
}
