//! One connection, and the request that is on it.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::HttpError;
use crate::incoming::{Incoming, Received};
use crate::job::Job;
use crate::limits::Limits;
use crate::proxy::{self, Proxy};
use crate::request::Request;
use crate::target::{Scheme, Target};
use crate::tls::{self, Tls};
use crate::transport::Transport;

/// How long a reset is waited for that tells that a request was not read; a round
/// trip of any network that load is sent over.
const FATE_WAIT: Duration = Duration::from_millis(100);

/// A connection of one session.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) transport: Transport,
    pub(crate) session: u64,
    peer: PeerKey,
    /// When the attempt to connect began.
    pub(crate) attempted: Instant,
    /// Whether it has brought an answer before.
    is_reused: bool,
    /// `None`: it is idle.
    pub(crate) exchange: Option<Exchange>,
    /// When the current wait is over, and what it was for.
    pub(crate) deadline: Option<Instant>,
}

/// What connections are told apart by.
#[derive(Debug, PartialEq, Eq)]
struct PeerKey {
    proxy: Option<Arc<Proxy>>,
    scheme: Scheme,
    host: String,
    port: u16,
    tls: Option<Tls>,
}

/// A request on a connection.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) job: Box<Job>,
    pub(crate) phase: Phase,
    incoming: Incoming,
    unsent: Unsent,
    /// Whether anything of the request went out.
    is_written: bool,
}

/// How far a request has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Until then; these addresses can still be tried.
    Connecting(VecDeque<SocketAddr>),
    /// The proxy is asked for a way to the server; this has come of its answer.
    Tunnelling(Vec<u8>),
    Handshaking,
    /// Being sent, or answered.
    Exchanging,
    /// The connection has ended without an answer; whether the request was read may
    /// still be found out until the deadline.
    Ended,
}

/// What is known of a request whose connection ended without a byte of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nobody has read it: the connection was on its end when it was sent.
    Unread,
    /// That may come out.
    Open,
    /// It may have been read.
    InDoubt,
}

/// What did not fit into the socket yet.
#[derive(Debug, Default)]
struct Unsent {
    head: Bytes,
    body: Bytes,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There is more to come.
    Waiting,
    /// The answer is complete.
    Complete(Received),
}

impl Connection {
    /// Begins to connect to the first of `addresses` for `job`.
    pub(crate) fn open(
        job: Box<Job>,
        mut addresses: VecDeque<SocketAddr>,
        now: Instant,
    ) -> Result<Self, (Box<Job>, HttpError)> {
        let target = &job.request.target;
        let tls = (target.scheme == Scheme::Https)
            .then(|| job.request.tls.clone().unwrap_or_else(Tls::default_choice));
        let Some(address) = addresses.pop_front() else {
            return Err((job, HttpError::Disconnected));
        };
        let proxy = job.request.proxy();
        let with = tls.as_ref().map(|tls| (tls, target.host.as_str()));
        match Transport::connect(address, with) {
            Ok(transport) => Ok(Self {
                transport,
                session: job.session.id,
                peer: PeerKey::new(target, tls, proxy.cloned()),
                attempted: now,
                is_reused: false,
                deadline: after(now, job.request.timeouts.connect),
                exchange: Some(Exchange::new(job, Phase::Connecting(addresses))),
            }),
            Err(error) => {
                let failed = connect_error(&error, &job);
                Err((job, failed))
            }
        }
    }

    /// Whether `request` can use this connection.
    pub(crate) fn serves(&self, request: &Request) -> bool {
        let (target, tls) = (&request.target, request.tls.as_ref());
        let same_tls = || match (&self.peer.tls, tls) {
            (Some(mine), Some(wanted)) => mine == wanted,
            (Some(mine), None) => *mine == Tls::default_choice(),
            (None, _) => true,
        };
        self.peer.port == target.port
            && self.peer.scheme == target.scheme
            && self.peer.host == target.host
            && self.peer.proxy.as_ref() == request.proxy()
            && same_tls()
    }

    /// Asks the proxy for a way to the server; false if there is nobody to ask.
    pub(crate) fn ask_for_a_way(&mut self) -> Result<bool, HttpError> {
        let (Some(exchange), Some(proxy), true) = (
            &mut self.exchange,
            &self.peer.proxy,
            self.peer.tls.is_some(),
        ) else {
            return Ok(false);
        };
        let asked = proxy::connect_request(&exchange.job.request.target, proxy);
        exchange.phase = Phase::Tunnelling(Vec::new());
        match self.transport.below_tls().write(asked.as_bytes()) {
            // A new connection takes this much at once.
            Ok(written) if written == asked.len() => Ok(true),
            Ok(_) => Err(HttpError::Disconnected),
            Err(error) => Err(HttpError::broken(&error)),
        }
    }

    /// Reads what the proxy answers; whether the way is open, and TLS can begin.
    pub(crate) fn is_way_open(&mut self, buffer: &mut [u8]) -> Result<bool, HttpError> {
        let Some(exchange) = &mut self.exchange else {
            return Ok(false);
        };
        let Phase::Tunnelling(reply) = &mut exchange.phase else {
            return Ok(false);
        };
        loop {
            match self.transport.below_tls().read(buffer) {
                Ok(0) => {
                    return Err(HttpError::no_way(
                        exchange.job.peer(),
                        "Tunnel connection failed: ",
                    ));
                }
                Ok(count) => reply.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(HttpError::broken(&error)),
            }
            match proxy::read_reply(reply) {
                None => {}
                Some(Err(refusal)) => return Err(HttpError::no_way(exchange.job.peer(), &refusal)),
                Some(Ok(())) => {
                    exchange.phase = Phase::Handshaking;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Gives an idle connection a request.
    pub(crate) fn assign(&mut self, job: Box<Job>) {
        self.is_reused = true;
        self.exchange = Some(Exchange::new(job, Phase::Exchanging));
    }

    /// Starts to send; `head` is the request's head. Returns when nothing more fits.
    pub(crate) fn send(&mut self, head: &[u8], now: Instant) -> Result<(), HttpError> {
        let exchange = self.exchange.as_mut().expect("there is a request to send");
        exchange.phase = Phase::Exchanging;
        let job = &mut exchange.job;
        let body = job.request.body.clone().unwrap_or_default();
        job.begins_sending(now);
        self.deadline = after(now, job.request.timeouts.read);
        let written = match self.transport.write(head, &body) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            // Somebody who closes early may have answered before.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(HttpError::broken(&error)),
        };
        job.bytes_sent += written as u64;
        exchange.is_written = written > 0;
        if written < head.len() + body.len() {
            exchange.unsent = Unsent {
                head: Bytes::copy_from_slice(&head[written.min(head.len())..]),
                body: body.slice(written.saturating_sub(head.len())..),
            };
            return self.send_rest();
        }
        Ok(())
    }

    /// Sends what did not fit before.
    pub(crate) fn send_rest(&mut self) -> Result<(), HttpError> {
        let exchange = self.exchange.as_mut().expect("there is a request to send");
        while !exchange.unsent.is_empty() {
            let unsent = &exchange.unsent;
            match self.transport.write(&unsent.head, &unsent.body) {
                Ok(written) => {
                    exchange.unsent.advance(written);
                    exchange.job.bytes_sent += written as u64;
                    exchange.is_written = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    exchange.unsent = Unsent::default();
                }
                Err(error) => return Err(HttpError::broken(&error)),
            }
        }
        self.transport
            .flush()
            .map_err(|error| HttpError::broken(&error))
    }

    /// Reads what has come of the answer; `closed`: nothing more will come.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        closed: bool,
        limits: &Limits,
    ) -> Result<Progress, HttpError> {
        let exchange = self.exchange.as_mut().expect("there is an answer to read");
        let to_head = exchange.job.request.method == "HEAD";
        let mut some = false;
        loop {
            match self.transport.read(buffer) {
                Ok(0) => {
                    exchange.incoming.end()?;
                    return exchange.complete(limits);
                }
                Ok(count) => {
                    some = true;
                    exchange.job.bytes_received += count as u64;
                    if exchange.incoming.take(&buffer[..count], to_head, limits)? {
                        return exchange.complete(limits);
                    }
                    if !closed && self.transport.is_drained(count, buffer.len()) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(HttpError::broken(&error)),
            }
        }
        let timeout = exchange.job.request.timeouts.read;
        if some && timeout.is_some() {
            self.deadline = after(Instant::now(), timeout);
        }
        Ok(Progress::Waiting)
    }

    /// What became of the request on a connection that fails with `error`.
    ///
    /// A server that closes a connection which it could have kept does so while the
    /// next request is on its way. Its system then refuses what comes with a reset,
    /// which it does not where the server has read the request before it closed.
    /// Only a request on a connection that has brought an answer before, and of whose
    /// own answer nothing has come, can be one of those; with a body, only if
    /// nothing of it went out, because the server may have read a part of it.
    pub(crate) fn fate(&mut self, error: &HttpError) -> Fate {
        let Some(exchange) = &self.exchange else {
            return Fate::InDoubt;
        };
        let is_first = !self.is_reused || exchange.job.was_sent_again;
        let is_read = exchange.incoming.has_begun();
        let has_body = exchange
            .job
            .request
            .body
            .as_ref()
            .is_some_and(|body| !body.is_empty());
        if is_first || is_read || (has_body && exchange.is_written) {
            return Fate::InDoubt;
        }
        match error {
            HttpError::Broken { errno } if is_reset(*errno) => Fate::Unread,
            HttpError::Disconnected => match self.transport.take_error() {
                Some(errno) if is_reset(errno) => Fate::Unread,
                _ if !exchange.is_written => Fate::Unread,
                _ if exchange.phase == Phase::Ended => Fate::InDoubt,
                _ => Fate::Open,
            },
            _ => Fate::InDoubt,
        }
    }

    /// The connection has ended; waits a little for what tells the request's fate.
    pub(crate) fn await_fate(&mut self, now: Instant) {
        if let Some(exchange) = &mut self.exchange {
            exchange.phase = Phase::Ended;
            self.deadline = Some(now + FATE_WAIT);
        }
    }

    /// Whether an idle connection is still good: nothing may come on one.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let read = self.transport.read(&mut [0; 1]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The request on it is answered in full, down to its own last byte.
    pub(crate) fn is_sent(&self) -> bool {
        self.exchange
            .as_ref()
            .is_none_or(|exchange| exchange.unsent.is_empty())
    }

    /// What it means that the deadline has passed.
    pub(crate) fn timed_out(&self) -> Option<HttpError> {
        let exchange = self.exchange.as_ref()?;
        let timeouts = exchange.job.request.timeouts;
        let peer = exchange.job.peer();
        Some(match exchange.phase {
            Phase::Exchanging => HttpError::ReadTimeout {
                peer,
                limit: timeouts.read?,
            },
            Phase::Ended => HttpError::Disconnected,
            _ => HttpError::ConnectTimeout {
                peer,
                limit: timeouts.connect?,
            },
        })
    }

    /// What a failed attempt to connect means.
    pub(crate) fn failed_to_connect(&self, error: &io::Error) -> HttpError {
        match &self.exchange {
            Some(exchange) if exchange.phase == Phase::Handshaking => {
                tls::handshake_error(error, exchange.job.peer())
            }
            Some(exchange) => connect_error(error, &exchange.job),
            None => HttpError::broken(error),
        }
    }
}

impl Exchange {
    fn new(job: Box<Job>, phase: Phase) -> Self {
        Self {
            job,
            phase,
            incoming: Incoming::new(),
            unsent: Unsent::default(),
            is_written: false,
        }
    }

    fn complete(&mut self, limits: &Limits) -> Result<Progress, HttpError> {
        let incoming = std::mem::replace(&mut self.incoming, Incoming::new());
        Ok(Progress::Complete(incoming.finish(limits)?))
    }
}

impl PeerKey {
    fn new(target: &Target, tls: Option<Tls>, proxy: Option<Arc<Proxy>>) -> Self {
        Self {
            proxy,
            scheme: target.scheme,
            host: target.host.clone(),
            port: target.port,
            tls,
        }
    }
}

impl Unsent {
    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }

    fn advance(&mut self, written: usize) {
        let of_head = written.min(self.head.len());
        self.head = self.head.slice(of_head..);
        self.body = self.body.slice(written - of_head..);
    }
}

/// `EPIPE` and `ECONNRESET`: the other end takes nothing any more.
fn is_reset(errno: i32) -> bool {
    matches!(errno, 32 | 104)
}

fn connect_error(error: &io::Error, job: &Job) -> HttpError {
    match error.raw_os_error() {
        Some(errno) if let Some(proxy) = job.request.proxy() => {
            HttpError::proxy_refused(job.peer(), proxy, errno)
        }
        Some(errno) => HttpError::Connect {
            peer: job.peer(),
            errno,
        },
        None => tls::handshake_error(error, job.peer()),
    }
}

/// `None` also for what no clock can say.
fn after(now: Instant, limit: Option<Duration>) -> Option<Instant> {
    limit.and_then(|limit| now.checked_add(limit))
}
