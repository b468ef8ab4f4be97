//! Finished requests on their way to whoever submitted them.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acrida_stats::ServerTime;
use mio::unix::pipe;

use crate::error::HttpError;
use crate::geventhttpclient_text;
use crate::job::Job;
use crate::locust_text::failure_of_status;
use crate::observer::Record;
use crate::request::{Request, Wording};
use crate::response::Response;
use crate::stream::BodyStream;
use crate::target::Target;

/// A finished request.
#[derive(Debug)]
pub struct Finished {
    job: Box<Job>,
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
    /// Where the time went, if the server tells.
    pub server: Option<ServerTime>,
}

impl Finished {
    /// `job` has come to its end, with `result`.
    pub(crate) fn new(
        job: Box<Job>,
        result: Result<Response, HttpError>,
        response_time_us: u64,
        finished_us: u64,
    ) -> Self {
        Self {
            job,
            result,
            stream: None,
            response_time_us,
            finished_us,
            server: None,
        }
    }

    /// What it was submitted with.
    pub fn ticket(&self) -> u64 {
        self.job.ticket
    }

    /// The request; after redirects, the last one.
    pub fn request(&self) -> &Request {
        &self.job.request
    }

    /// The answers that redirected, oldest first.
    pub fn history(&self) -> &[Response] {
        &self.job.history
    }

    /// Bytes sent, see [`Record`].
    pub fn bytes_sent(&self) -> u64 {
        self.job.bytes_sent
    }

    /// The method that was asked for.
    pub fn method(&self) -> &str {
        let first = self.job.first.as_ref();
        first.map_or(&self.job.request.method, |(method, _)| method)
    }

    /// The URL that was asked for.
    pub fn target(&self) -> &Target {
        let first = self.job.first.as_ref();
        first.map_or(&self.job.request.target, |(_, target)| target)
    }

    /// What it is counted under.
    pub fn name(&self) -> &str {
        let name = self.job.request.name.as_deref();
        name.unwrap_or_else(|| self.target().path())
    }

    /// Bytes of the answer's body; where that is handed over while it arrives, as its
    /// head announces them.
    pub fn content_length(&self) -> u64 {
        let Ok(response) = &self.result else {
            return 0;
        };
        if self.job.request.streams {
            let announced = response.header("content-length").into_iter().next();
            return announced.and_then(|text| text.parse().ok()).unwrap_or(0);
        }
        response.body().len() as u64
    }

    /// What the failure table says unless somebody decides otherwise.
    pub fn failure(&self) -> Option<String> {
        match (&self.result, self.job.request.wording) {
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
            bytes_sent: self.job.bytes_sent,
            bytes_received: self.job.bytes_received,
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
    /// Requests submitted and not yet put here.
    in_flight: AtomicU64,
    changed: Condvar,
    bell: pipe::Sender,
    bell_end: pipe::Receiver,
}

#[derive(Debug, Default)]
struct State {
    finished: Vec<Finished>,
    /// Tickets of who waits for a piece of a body that has come.
    pieces: Vec<u64>,
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
            in_flight: AtomicU64::new(0),
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
    pub fn take(&self) -> Vec<Finished> {
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
        while self.in_flight() > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.in_flight()
    }

    /// Requests submitted and not yet finished.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn submitted(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts in what has finished, and rings once.
    pub(crate) fn put(&self, finished: &mut Vec<Finished>) {
        let mut state = self.lock();
        let rings = state.finished.is_empty();
        let count = finished.len() as u64;
        state.finished.append(finished);
        let idle = self.in_flight.fetch_sub(count, Ordering::AcqRel) == count;
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
