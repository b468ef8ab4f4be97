//! What became of a request whose connection ended without a byte of an answer.

use std::time::{Duration, Instant};

use super::{Connection, Phase};
use crate::error::HttpError;

/// How long a reset is waited for that tells that a request was not read; a round
/// trip of any network that load is sent over.
const FATE_WAIT: Duration = Duration::from_millis(100);

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

impl Connection {
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
}

/// `EPIPE` and `ECONNRESET`: the other end takes nothing any more.
fn is_reset(errno: i32) -> bool {
    matches!(errno, 32 | 104)
}
