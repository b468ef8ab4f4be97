//! A connection whose answer is handed over while it arrives.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::body_framing::BodyReader;
use crate::content_coding::Decoder;
use crate::error::{HttpError, Peer};
use crate::session::Shared;
use crate::stream::BodyStream;
use crate::transport::Transport;

/// The rest of an answer whose head was handed over.
#[derive(Debug)]
pub(crate) struct Streaming {
    pub(crate) body: Arc<BodyStream>,
    pub(crate) session: Arc<Shared>,
    pub(crate) reader: BodyReader,
    pub(crate) decoder: Decoder,
    pub(crate) keeps_alive: bool,
    /// How long to wait for the next piece, and whom for.
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) peer: Peer,
}

/// How far a body has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// There is more to come.
    Open,
    /// It is over; whether the connection can serve another request.
    Over { reusable: bool },
}

impl Streaming {
    /// The same, with what came of the body together with the head, which is read
    /// already and only has to be decompressed.
    pub(crate) fn having_begun(mut self, begun: &[u8]) -> Self {
        match self.decoder.decode(begun) {
            Ok(decoded) => self.body.put(&decoded, None),
            Err(error) => self.end(Err(error)),
        };
        self
    }

    /// Moves what has come to whoever asked; the ticket is of who waited for it.
    pub(crate) fn pump(
        &mut self,
        transport: &mut Transport,
        buffer: &mut [u8],
    ) -> (Flow, Option<u64>) {
        let mut ticket = None;
        if self.body.is_abandoned() {
            return (Flow::Over { reusable: false }, None);
        }
        while !self.body.pauses() {
            let step = match transport.read(buffer) {
                Ok(0) => self.reader.end().map(|()| (true, false)),
                Ok(count) => {
                    let taken = self.take(&buffer[..count], &mut ticket);
                    taken.map(|surplus| (self.reader.is_done(), !surplus))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(HttpError::broken(&error)),
            };
            match step {
                Ok((false, _)) => {}
                Ok((true, is_clean)) => {
                    let reusable = is_clean && self.keeps_alive;
                    return (Flow::Over { reusable }, self.end(Ok(())).or(ticket));
                }
                Err(error) => {
                    return (
                        Flow::Over { reusable: false },
                        self.end(Err(error)).or(ticket),
                    );
                }
            }
        }
        (Flow::Open, ticket)
    }

    /// Takes a piece of the body as it came; whether something came after its end.
    pub(crate) fn take(
        &mut self,
        input: &[u8],
        ticket: &mut Option<u64>,
    ) -> Result<bool, HttpError> {
        let mut plain = Vec::new();
        let taken = self.reader.take(input, &mut plain)?;
        let decoded = self.decoder.decode(&plain)?;
        if let Some(told) = self.body.put(&decoded, None) {
            *ticket = Some(told);
        }
        Ok(taken < input.len())
    }

    /// Nothing more comes; the ticket of who waited.
    pub(crate) fn end(&self, how: Result<(), HttpError>) -> Option<u64> {
        self.body.put(&[], Some(how))
    }

    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.read_timeout?)
    }
}
