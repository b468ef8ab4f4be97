//! What becomes of an answer: a redirect, a body handed over while it arrives, or the
//! end of a request.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Worker;
use crate::error::HttpError;
use crate::incoming::Received;
use crate::job::{Asked, Job, micros};
use crate::outbox::Finished;
use crate::redirect;
use crate::response::Response;
use crate::server_time;
use crate::stream::BodyStream;
use crate::streaming::Flow;

impl Worker {
    /// An answer's head is there: handed over, with the body to follow.
    pub(super) fn begin_streaming(&mut self, key: usize) {
        let now = Instant::now();
        let body = Arc::new(BodyStream::new(key, Arc::clone(&self.inbox)));
        let connection = &mut self.connections[key];
        let (job, received) = connection.begin_streaming(Arc::clone(&body));
        let target = Arc::clone(&job.request.target);
        let response = Response::new(received, target, job.step_us(now));
        self.take_cookies(&job, &response);
        let attempted = self.connections[key].attempted;
        let mut finished = self.counted(job, Ok(response), attempted, now);
        finished.stream = Some(body);
        self.finished.push(finished);
        self.pump(key);
    }

    /// Hands over what has come of a body.
    pub(super) fn pump(&mut self, key: usize) {
        let connection = &mut self.connections[key];
        let Some(streaming) = &mut connection.streaming else {
            return;
        };
        let (flow, ticket) = streaming.pump(&mut connection.transport, &mut self.buffer);
        if let Some(ticket) = ticket {
            self.outbox.put_piece(ticket);
        }
        match flow {
            Flow::Open => {
                connection.deadline = streaming.deadline(Instant::now());
                self.note_deadline(key);
            }
            Flow::Over { reusable } => {
                let is_over = streaming.session.is_over();
                connection.streaming = None;
                connection.deadline = None;
                self.release(key, reusable && !is_over);
            }
        }
    }

    /// An answer is complete: redirect, or done.
    pub(super) fn received(&mut self, key: usize, closed: bool, received: Received) {
        let now = Instant::now();
        let reusable = received.keeps_alive && !closed && self.connections[key].is_sent();
        let connection = &mut self.connections[key];
        let attempted = connection.attempted;
        let exchange = connection.exchange.take().expect("an answered request");
        let mut job = exchange.job;
        connection.deadline = None;
        self.release(key, reusable && !job.session.is_over());
        let target = Arc::clone(&job.request.target);
        let response = Response::new(received, target, job.step_us(now));
        self.take_cookies(&job, &response);
        match self.next_step(&mut job, &response) {
            Ok(Some(before)) => {
                job.redirected(response, before);
                self.start(job);
            }
            Ok(None) => self.finish_at(job, Ok(response), attempted, now),
            Err(error) => self.finish_at(job, Err(error), attempted, now),
        }
    }

    /// If `response` redirects and that is to be followed: the request as it was
    /// before, and `job` with the one that follows.
    pub(super) fn next_step(
        &self,
        job: &mut Job,
        response: &Response,
    ) -> Result<Option<Asked>, HttpError> {
        let Some(limit) = job.request.max_redirects else {
            return Ok(None);
        };
        if !matches!(response.status, 301..=308) {
            return Ok(None);
        }
        let Some(location) = response.header("location").into_iter().next() else {
            return Ok(None);
        };
        let before = (job.request.method.clone(), Arc::clone(&job.request.target));
        if !redirect::follow(&mut job.request, response.status, &location)? {
            return Ok(None);
        }
        if job.redirects() >= limit as usize {
            return Err(HttpError::TooManyRedirects(limit));
        }
        Ok(Some(before))
    }

    pub(super) fn take_cookies(&self, job: &Job, response: &Response) {
        if !response.sets_cookies() {
            return;
        }
        let now = SystemTime::now();
        let mut jar = job.session.jar();
        for cookie in response.header("set-cookie") {
            jar.take_in(&cookie, &job.request.target, now, self.limits.max_cookies);
        }
    }

    /// Counts a request that is over at `now`, unless its verdict is open.
    fn counted(
        &self,
        job: Box<Job>,
        result: Result<Response, HttpError>,
        attempted: Instant,
        now: Instant,
    ) -> Finished {
        let began = job.request.due.unwrap_or_else(|| job.started_or(attempted));
        let response_time_us = micros(began, now);
        let finished_us = self.clock.since_epoch_us(now);
        let mut finished = Finished::new(job, result, response_time_us, finished_us);
        if let Ok(response) = &finished.result {
            finished.server = server_time::of(response, self.time_field.as_deref());
        }
        if !finished.request().verdict_is_open {
            let failure = finished.failure();
            self.observer.record(&finished.record(failure.as_deref()));
        }
        finished
    }

    /// Counts a request that is over, unless its verdict is open, and gives it back.
    pub(super) fn finish(
        &mut self,
        job: Box<Job>,
        result: Result<Response, HttpError>,
        attempted: Instant,
    ) {
        self.finish_at(job, result, attempted, Instant::now());
    }

    fn finish_at(
        &mut self,
        job: Box<Job>,
        result: Result<Response, HttpError>,
        attempted: Instant,
        now: Instant,
    ) {
        let finished = self.counted(job, result, attempted, now);
        self.finished.push(finished);
    }
}
