//! An I/O thread: waits for its sockets and its inbox, and nothing else.
//!
//! Invariant: every job that comes in leaves through [`Worker::finish`], or is still
//! there at shutdown.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Poll, Token};
use slab::Slab;

use crate::addresses::{self, Addresses, Found};
use crate::clock::Clock;
use crate::connection::{Connection, Fate, Phase, Progress};
use crate::deadlines::Deadlines;
use crate::error::HttpError;
use crate::inbox::{Inbox, Message};
use crate::incoming::Received;
use crate::job::{Job, micros};
use crate::limits::Limits;
use crate::observer::Observer;
use crate::outbox::{Finished, Outbox};
use crate::redirect;
use crate::response::Response;
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
    clock: Clock,
    connections: Slab<Connection>,
    /// Idle connections by session, the one used last at the end.
    idle: HashMap<u64, Vec<usize>>,
    deadlines: Deadlines,
    addresses: Addresses,
    #[expect(clippy::vec_box, reason = "they are moved several times, and large")]
    finished: Vec<Box<Finished>>,
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
    ) -> Self {
        Self {
            poll,
            addresses: Addresses::new(Arc::clone(&inbox)),
            inbox,
            outbox,
            observer,
            limits,
            clock: Clock::new(),
            connections: Slab::new(),
            idle: HashMap::new(),
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
        while !self.over {
            let wait = self
                .deadlines
                .next()
                .map(|at| at.saturating_duration_since(Instant::now()));
            if let Err(error) = self.poll.poll(&mut events, wait) {
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::Interrupted,
                    "waiting for sockets cannot fail"
                );
                continue;
            }
            self.look_at(&events);
            let messages = self.inbox.take();
            if !messages.is_empty() {
                // What closed meanwhile must not be given a request.
                if self.poll.poll(&mut events, Some(Duration::ZERO)).is_ok() {
                    self.look_at(&events);
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
            Message::Shutdown => self.over = true,
        }
    }

    fn start(&mut self, mut job: Box<Job>) {
        let now = Instant::now();
        if let Some(refused) = job.refused.take() {
            return self.finish(*job, Err(refused), now);
        }
        match self.take_idle(&job) {
            Some(key) => {
                self.connections[key].assign(job);
                self.send(key);
            }
            None => self.start_anew(job, now),
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
                    self.finish(*job, Err(error), now);
                }
            }
        }
    }

    fn connect(&mut self, job: Box<Job>, addresses: VecDeque<SocketAddr>, now: Instant) {
        let mut connection = match Connection::open(job, addresses, now) {
            Ok(connection) => connection,
            Err((job, error)) => return self.finish(*job, Err(error), now),
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
            _ => self.finish(*exchange.job, Err(failed), attempted),
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
            Ok(Progress::Complete(received)) => self.received(key, closed, received),
            Err(error) => self.fail(key, error),
        }
    }

    /// An answer is complete: redirect, or done.
    fn received(&mut self, key: usize, closed: bool, received: Received) {
        let now = Instant::now();
        let reusable = received.keeps_alive && !closed && self.connections[key].is_sent();
        let connection = &mut self.connections[key];
        let attempted = connection.attempted;
        let exchange = connection.exchange.take().expect("an answered request");
        let mut job = exchange.job;
        connection.deadline = None;
        self.release(key, reusable && !job.session.is_over());
        let url = job.request.target.shown();
        let response = Response::new(received, url, job.step_us(now));
        self.take_cookies(&job, &response);
        match self.next_step(&mut job, &response) {
            Ok(Some(before)) => {
                job.redirected(response, before);
                self.start(job);
            }
            Ok(None) => self.finish(*job, Ok(response), attempted),
            Err(error) => self.finish(*job, Err(error), attempted),
        }
    }

    /// If `response` redirects and that is to be followed: the request as it was
    /// before, and `job` with the one that follows.
    fn next_step(
        &self,
        job: &mut Job,
        response: &Response,
    ) -> Result<Option<(String, crate::Target)>, HttpError> {
        let Some(limit) = job.request.max_redirects else {
            return Ok(None);
        };
        if !matches!(response.status, 301..=308) {
            return Ok(None);
        }
        let Some(location) = response.header("location").into_iter().next() else {
            return Ok(None);
        };
        let before = (job.request.method.clone(), job.request.target.clone());
        if !redirect::follow(&mut job.request, response.status, &location)? {
            return Ok(None);
        }
        if job.redirects() >= limit as usize {
            return Err(HttpError::TooManyRedirects(limit));
        }
        Ok(Some(before))
    }

    fn take_cookies(&self, job: &Job, response: &Response) {
        if !response.mentions("set-cookie:") {
            return;
        }
        let now = SystemTime::now();
        let mut jar = job.session.jar();
        for cookie in response.header("set-cookie") {
            jar.take_in(&cookie, &job.request.target, now, self.limits.max_cookies);
        }
    }

    /// Keeps a connection for the session's next request, or closes it.
    fn release(&mut self, key: usize, reusable: bool) {
        let session = self.connections[key].session;
        let idle = self.idle.entry(session).or_default();
        if reusable && idle.len() < self.limits.max_idle {
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
        self.finish(*exchange.job, Err(error), connection.attempted);
    }

    /// Sends the request of a connection that nobody read from on a new one.
    fn send_again(&mut self, key: usize) {
        let connection = self.connections.remove(key);
        let mut job = connection.exchange.expect("an unread request").job;
        job.was_sent_again = true;
        self.start_anew(job, connection.attempted);
    }

    /// Counts a request, unless its verdict is open, and gives it back.
    fn finish(&mut self, job: Job, result: Result<Response, HttpError>, attempted: Instant) {
        let now = Instant::now();
        let response_time_us = micros(job.started_or(attempted), now);
        let finished = job.finish(result, response_time_us, self.clock.since_epoch_us(now));
        if !finished.request.verdict_is_open {
            let failure = finished.failure();
            self.observer.record(&finished.record(failure.as_deref()));
        }
        self.finished.push(Box::new(finished));
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
        while let Some((at, key)) = self.deadlines.take_passed(now) {
            let connection = self.connections.get(key);
            let overdue = connection.filter(|connection| connection.deadline == Some(at));
            if let Some(error) = overdue.and_then(Connection::timed_out) {
                self.fail(key, error);
            }
        }
    }
}
