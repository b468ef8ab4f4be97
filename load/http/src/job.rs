//! A request under way, from its submission to its last answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use crate::error::{HttpError, Peer};
use crate::request::Request;
use crate::response::Response;
use crate::session::Shared;
use crate::target::{Scheme, Target};

/// Method and target of a request.
pub(crate) type Asked = (Cow<'static, str>, Arc<Target>);

/// One request, with the redirects that it led to.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) ticket: u64,
    pub(crate) session: Arc<Shared>,
    pub(crate) request: Request,
    /// Why it cannot be sent at all.
    pub(crate) refused: Option<Box<HttpError>>,
    /// Whether it is on its second connection, because nobody read it on the first.
    pub(crate) was_sent_again: bool,
    /// Method and target of the first request, if redirects changed them.
    pub(crate) first: Option<Asked>,
    /// The answers that redirected, oldest first.
    pub(crate) history: Vec<Response>,
    /// When its first byte was written.
    started: Option<Instant>,
    /// When the first byte of the current step was written.
    step_started: Option<Instant>,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}

impl Job {
    pub(crate) fn new(ticket: u64, session: Arc<Shared>, request: Request) -> Self {
        Self {
            ticket,
            session,
            request,
            refused: None,
            was_sent_again: false,
            first: None,
            history: Vec::new(),
            started: None,
            step_started: None,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    /// A request's first byte is being written; only the first time counts.
    pub(crate) fn begins_sending(&mut self, now: Instant) {
        self.started.get_or_insert(now);
        self.step_started.get_or_insert(now);
    }

    /// An attempt to connect begins; without a connection this is its start.
    pub(crate) fn started_or(&self, attempt: Instant) -> Instant {
        self.started.unwrap_or(attempt)
    }

    /// From the current step's first byte to `now`, in µs.
    pub(crate) fn step_us(&self, now: Instant) -> u64 {
        self.step_started.map_or(0, |start| micros(start, now))
    }

    /// Who is spoken to, for messages.
    pub(crate) fn peer(&self) -> Peer {
        let target = &self.request.target;
        if let Some(proxy) = self.request.asked_proxy() {
            return Peer {
                tls: false,
                host: proxy.host.clone(),
                port: proxy.port,
                path: target.url.clone(),
            };
        }
        Peer {
            tls: target.scheme == Scheme::Https,
            host: target.host.clone(),
            port: target.port,
            path: target.path().to_owned(),
        }
    }

    /// Host and port of whom a connection is made to.
    pub(crate) fn dials(&self) -> (&str, u16) {
        match self.request.proxy() {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&self.request.target.host, self.request.target.port),
        }
    }

    /// Redirects followed so far.
    pub(crate) fn redirects(&self) -> usize {
        self.history.len()
    }

    /// Keeps an answer that redirects; `before` is the request that it answered.
    pub(crate) fn redirected(&mut self, response: Response, before: Asked) {
        self.first.get_or_insert(before);
        self.history.push(response);
        self.step_started = None;
        self.was_sent_again = false;
    }
}

/// Whole µs from `start` to `end`.
pub(crate) fn micros(start: Instant, end: Instant) -> u64 {
    u64::try_from(end.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}
