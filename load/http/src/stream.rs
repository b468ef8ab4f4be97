//! A body that is handed over while it arrives.
//!
//! Two sides share it: the I/O thread puts in what has come, whoever asked takes it
//! out. Bounded: from [`BUFFERED_MAX`] bytes that nobody took, the I/O thread stops to
//! read until somebody does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::HttpError;
use crate::inbox::{Inbox, Message};

/// Bytes that may wait to be taken.
const BUFFERED_MAX: usize = 1024 * 1024;

/// The body of one answer.
#[derive(Debug)]
pub struct BodyStream {
    /// The connection, on its I/O thread.
    pub(crate) key: usize,
    inbox: Arc<Inbox>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// How it ended, once it has.
    end: Option<Result<(), HttpError>>,
    /// Who waits for something to take.
    ticket: Option<u64>,
    /// Whether the I/O thread has stopped to read.
    is_paused: bool,
    /// Whether nobody wants the rest.
    is_abandoned: bool,
}

/// What can be taken out of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The bytes that have come since the last time.
    Bytes(Vec<u8>),
    /// Nothing: the body is complete.
    End,
    /// Nothing: the rest will not come.
    Failed(HttpError),
    /// Nothing yet: the ticket comes out of the outbox when there is something.
    Later,
}

impl State {
    fn take(&mut self) -> Piece {
        if !self.bytes.is_empty() {
            return Piece::Bytes(std::mem::take(&mut self.bytes));
        }
        match &self.end {
            Some(Ok(())) => Piece::End,
            Some(Err(error)) => Piece::Failed(error.clone()),
            None => Piece::Later,
        }
    }
}

impl BodyStream {
    pub(crate) fn new(key: usize, inbox: Arc<Inbox>) -> Self {
        Self {
            key,
            inbox,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Takes what has come; if there is nothing, `ticket` is handed out once there is.
    pub fn take(self: &Arc<Self>, ticket: impl FnOnce() -> u64) -> Piece {
        let mut state = self.lock();
        let piece = state.take();
        if piece == Piece::Later {
            state.ticket = Some(ticket());
        }
        let resumes = std::mem::take(&mut state.is_paused);
        drop(state);
        if resumes {
            self.tell();
        }
        piece
    }

    /// Waits until there is something to take.
    pub fn wait(self: &Arc<Self>) -> Piece {
        let mut state = self.lock();
        loop {
            let piece = state.take();
            if piece != Piece::Later {
                let resumes = std::mem::take(&mut state.is_paused);
                drop(state);
                if resumes {
                    self.tell();
                }
                return piece;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody wants the rest: the connection is closed unless the body is complete.
    pub fn abandon(self: &Arc<Self>) {
        let mut state = self.lock();
        state.is_abandoned = true;
        let has_ended = state.end.is_some();
        drop(state);
        if !has_ended {
            self.tell();
        }
    }

    fn tell(self: &Arc<Self>) {
        self.inbox.push(Message::Resume(Arc::clone(self)));
        self.inbox.wake();
    }

    /// Puts in what has come, and how the body ended if it has; the ticket of who is to
    /// be told.
    pub(crate) fn put(&self, bytes: &[u8], end: Option<Result<(), HttpError>>) -> Option<u64> {
        let mut state = self.lock();
        state.bytes.extend_from_slice(bytes);
        state.end = end.or(state.end.take());
        self.changed.notify_all();
        state.ticket.take()
    }

    /// Whether to stop reading; if so, [`Message::Resume`] comes when to go on.
    pub(crate) fn pauses(&self) -> bool {
        let mut state = self.lock();
        state.is_paused = state.bytes.len() >= BUFFERED_MAX;
        state.is_paused
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    /// A panic while bytes were moved leaves them as good as they were.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
