//! Finished requests on their way to whoever submitted them.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acrida_stats::ServerTime;
use mio::unix::pipe;

use crate::error::HttpError;
use crate::geventhttpclient_text;
use crate::locust_text::failure_of_status;
use crate::observer::Record;
use crate::request::{Request, Wording};
use crate::response::Response;
use crate::stream::BodyStream;
use crate::target::Target;

/// A finished request.
#[derive(Debug)]
pub struct Finished {
    /// What it was submitted with.
    pub ticket: u64,
    /// The request; after redirects, the last one.
    pub request: Request,
    /// Method and target of the first request, if redirects changed them.
    pub first: Option<(String, Target)>,
    /// The answers that redirected, oldest first.
    pub history: Vec<Response>,
    /// The answer, or why there is none.
    pub result: Result<Response, HttpError>,
    /// The body, if it is handed over while it arrives.
    pub stream: Option<Arc<BodyStream>>,
    /// From when it was due, or from the first byte written, to the last byte read, in
    /// µs; without a
    /// connection, from the attempt to its end; where the body is handed over while
    /// it arrives, to the head.
    pub response_time_us: u64,
    /// When it finished, in µs since the Unix epoch.
    pub finished_us: u64,
    /// Bytes sent, see [`Record`].
    pub bytes_sent: u64,
    /// Bytes received, see [`Record`].
    pub bytes_received: u64,
    /// Where the time went, if the server tells.
    pub server: Option<ServerTime>,
}

impl Finished {
    /// The method that was asked for.
    pub fn method(&self) -> &str {
        self.first
            .as_ref()
            .map_or(&self.request.method, |(method, _)| method)
    }

    /// The URL that was asked for.
    pub fn target(&self) -> &Target {
        self.first
            .as_ref()
            .map_or(&self.request.target, |(_, target)| target)
    }

    /// What it is counted under.
    pub fn name(&self) -> &str {
        self.request
            .name
            .as_deref()
            .unwrap_or_else(|| self.target().path())
    }

    /// Bytes of the answer's body; where that is handed over while it arrives, as its
    /// head announces them.
    pub fn content_length(&self) -> u64 {
        let Ok(response) = &self.result else {
            return 0;
        };
        if self.request.streams {
            let announced = response.header("content-length").into_iter().next();
            return announced.and_then(|text| text.parse().ok()).unwrap_or(0);
        }
        response.body().len() as u64
    }

    /// What the failure table says unless somebody decides otherwise.
    pub fn failure(&self) -> Option<String> {
        match (&self.result, self.request.wording) {
            (Ok(response), Wording::Requests) if response.status < 400 => None,
            (Ok(response), Wording::Requests) => {
                failure_of_status(response.status, &response.reason(), self.name())
            }
            (Err(error), Wording::Requests) => Some(error.cause()),
            (Ok(response), Wording::Geventhttpclient) => {
                geventhttpclient_text::failure_of_status(response.status)
            }
            (Err(error), Wording::Geventhttpclient) => {
                Some(geventhttpclient_text::cause(error, &self.target().url))
            }
        }
    }

    /// How it is counted, with `failure` decided.
    pub fn record<'a>(&'a self, failure: Option<&'a str>) -> Record<'a> {
        Record {
            method: self.method(),
            name: self.name(),
            finished_us: self.finished_us,
            response_time_us: Some(self.response_time_us),
            content_length: self.content_length(),
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            failure,
            server: self.server,
            answer: None,
        }
    }
}

/// Where I/O threads put finished requests. One file descriptor becomes readable
/// when something is there.
#[derive(Debug)]
pub struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
    bell: pipe::Sender,
    bell_end: pipe::Receiver,
}

#[derive(Debug, Default)]
struct State {
    #[expect(clippy::vec_box, reason = "they are moved several times, and large")]
    finished: Vec<Box<Finished>>,
    /// Tickets of who waits for a piece of a body that has come.
    pieces: Vec<u64>,
    /// Requests submitted and not yet put here.
    in_flight: u64,
}

impl Outbox {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// If the system has no file descriptors left.
    pub fn new() -> io::Result<Self> {
        let (bell, bell_end) = pipe::new()?;
        Ok(Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            bell,
            bell_end,
        })
    }

    /// Becomes readable when there is something to take.
    pub fn fd(&self) -> RawFd {
        self.bell_end.as_raw_fd()
    }

    /// Takes what is there, and silences the file descriptor.
    pub fn take(&self) -> Vec<Box<Finished>> {
        // More rings than these can be left only if they come in right now; they
        // make the descriptor readable again.
        let _ = (&self.bell_end).read(&mut [0; 64]);
        std::mem::take(&mut self.lock().finished)
    }

    /// Takes the tickets of who waits for a piece of a body that has come.
    pub fn take_pieces(&self) -> Vec<u64> {
        std::mem::take(&mut self.lock().pieces)
    }

    /// A piece of a body has come for whoever waits with `ticket`.
    pub(crate) fn put_piece(&self, ticket: u64) {
        self.lock().pieces.push(ticket);
        self.ring();
    }

    /// Makes the file descriptor readable, for whatever else is waiting to be taken.
    pub fn ring(&self) {
        // A full pipe is readable already.
        let _ = (&self.bell).write(&[1]);
    }

    /// Waits until nothing is in flight, at most until `deadline`; returns how many
    /// still are.
    pub fn wait_until_idle(&self, deadline: Instant) -> u64 {
        let mut state = self.lock();
        while state.in_flight > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.in_flight
    }

    /// Requests submitted and not yet finished.
    pub fn in_flight(&self) -> u64 {
        self.lock().in_flight
    }

    pub(crate) fn submitted(&self) {
        self.lock().in_flight += 1;
    }

    /// Puts in what has finished, and rings once.
    #[expect(clippy::vec_box, reason = "they are moved several times, and large")]
    pub(crate) fn put(&self, finished: &mut Vec<Box<Finished>>) {
        let mut state = self.lock();
        let rings = state.finished.is_empty();
        state.in_flight -= finished.len() as u64;
        state.finished.append(finished);
        let idle = state.in_flight == 0;
        drop(state);
        if rings {
            self.ring();
        }
        if idle {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
