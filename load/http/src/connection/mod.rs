//! One connection, and the request that is on it.

mod fate;
mod tunnel;

pub(crate) use fate::Fate;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::content_coding::Decoder;
use crate::error::HttpError;
use crate::incoming::{Incoming, Received};
use crate::job::Job;
use crate::limits::Limits;
use crate::proxy::Proxy;
use crate::request::Request;
use crate::stream::BodyStream;
use crate::streaming::Streaming;
use crate::target::{Scheme, Target};
use crate::tls::{self, Tls};
use crate::transport::Transport;

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
    /// `None`: it is idle, or streams.
    pub(crate) exchange: Option<Exchange>,
    /// The rest of an answer that is handed over while it arrives.
    pub(crate) streaming: Option<Streaming>,
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
    /// The head is there, and is handed over before its body.
    Begun,
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
                streaming: None,
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
                    if exchange.hands_over() {
                        return Ok(Progress::Begun);
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

    /// From now on the answer's body is handed over while it arrives; gives the request
    /// and the answer's head.
    pub(crate) fn begin_streaming(&mut self, body: Arc<BodyStream>) -> (Box<Job>, Received) {
        let exchange = self.exchange.take().expect("an answer that has begun");
        let (received, begun, reader, coding) = exchange.incoming.split();
        let job = exchange.job;
        let streaming = Streaming {
            body,
            session: Arc::clone(&job.session),
            reader,
            decoder: Decoder::new(coding),
            keeps_alive: received.keeps_alive,
            read_timeout: job.request.timeouts.read,
            peer: job.peer(),
        };
        self.streaming = Some(streaming.having_begun(&begun));
        (job, received)
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
        if let Some(streaming) = &self.streaming {
            return Some(HttpError::ReadTimeout {
                peer: streaming.peer.clone(),
                limit: streaming.read_timeout?,
            });
        }
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

    /// Whether the answer is handed over now: its head is there, and leads nowhere else.
    fn hands_over(&self) -> bool {
        let request = &self.job.request;
        let redirects = |status| matches!(status, 301 | 302 | 303 | 307 | 308);
        let status = self.incoming.status();
        request.streams
            && status.is_some_and(|status| request.max_redirects.is_none() || !redirects(status))
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
