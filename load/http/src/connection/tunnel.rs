//! The way through a proxy to a server that is spoken to over TLS.

use std::io::{self, Read as _, Write as _};

use super::{Connection, Phase};
use crate::error::HttpError;
use crate::proxy;

impl Connection {
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
}
