//! One connection: bytes in, bytes out. Pure; [`crate::server`] owns the socket.

use crate::request::{self, Refused};
use crate::site::{Answer, SMALL, Site};

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next head, or the rest of it.
    Head,
    /// The rest of a body that is not kept.
    Body { left: u64 },
    /// The time to answer; later requests wait.
    Sleep { arrived_ns: u64, until_ns: u64 },
    /// Nothing: requests pile up unanswered.
    Hang,
    /// The end, once everything has been sent.
    End,
}

#[derive(Debug)]
pub(crate) struct Connection {
    state: State,
    keep_alive: bool,
    /// The head whose body is being read, and bytes behind it.
    received: Vec<u8>,
    out: Vec<u8>,
}

/// What the server has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Read,
    /// Call [`Connection::wake`] at this time.
    SleepUntil(u64),
    Close,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Head,
            keep_alive: true,
            received: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Takes what has arrived.
    pub(crate) fn receive(&mut self, bytes: &[u8], site: &mut Site, now_ns: u64) -> Next {
        match self.state {
            State::Body { left } => {
                let body = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.received.extend_from_slice(&bytes[body..]);
                self.state = State::Body {
                    left: left - body as u64,
                };
            }
            State::Head => self.received.extend_from_slice(bytes),
            State::Sleep { .. } => {
                self.received.extend_from_slice(bytes);
                return Next::Read;
            }
            // Bytes that nobody will ever look at are not kept.
            State::Hang | State::End => return Next::Read,
        }
        self.advance(site, now_ns)
    }

    /// Answers the request that slept.
    pub(crate) fn wake(&mut self, site: &mut Site, now_ns: u64) -> Next {
        if let State::Sleep { .. } = self.state {
            self.respond(200, SMALL);
        }
        self.advance(site, now_ns)
    }

    /// When the request that is being answered late arrived.
    pub(crate) fn sleeps_since_ns(&self) -> Option<u64> {
        match self.state {
            State::Sleep { arrived_ns, .. } => Some(arrived_ns),
            _ => None,
        }
    }

    /// What is to be sent; the server removes what it has sent.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn advance(&mut self, site: &mut Site, now_ns: u64) -> Next {
        loop {
            match self.state {
                State::Head | State::Body { left: 0 } => {
                    if !self.take_request(site, now_ns) {
                        return Next::Read;
                    }
                }
                State::Body { .. } | State::Hang => return Next::Read,
                State::Sleep { until_ns, .. } => return Next::SleepUntil(until_ns),
                State::End => return Next::Close,
            }
        }
    }

    /// Reads one head, and answers if its body is there too; false if bytes are missing.
    ///
    /// While a body is read, its head stays at the beginning of `received`.
    fn take_request(&mut self, site: &mut Site, now_ns: u64) -> bool {
        let received = std::mem::take(&mut self.received);
        let head = match request::parse(&received) {
            Ok(Some(head)) => head,
            Ok(None) => {
                self.received = received;
                return false;
            }
            Err(Refused(status)) => {
                self.keep_alive = false;
                self.respond(status, "{}");
                return true;
            }
        };
        let behind = received.len() - head.bytes;
        let (body_here, missing) = match self.state {
            State::Body { .. } => (0, 0), // It has passed already.
            _ => {
                let wanted = usize::try_from(head.body_bytes).unwrap_or(usize::MAX);
                let here = behind.min(wanted);
                (here, head.body_bytes - here as u64)
            }
        };
        if missing > 0 {
            self.state = State::Body { left: missing };
            self.received = received[..head.bytes].to_vec();
            return true;
        }
        self.keep_alive = head.keep_alive;
        match site.answer(&head, now_ns) {
            Answer::Now { status, body } => self.respond(status, &body),
            Answer::At(until_ns) => {
                self.state = State::Sleep {
                    arrived_ns: now_ns,
                    until_ns,
                }
            }
            Answer::Never => self.state = State::Hang,
        }
        let rest = head.bytes + body_here;
        self.received = received;
        self.received.drain(..rest);
        true
    }

    fn respond(&mut self, status: u16, body: &str) {
        let connection = if self.keep_alive {
            "keep-alive"
        } else {
            "close"
        };
        let head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
            reason(status),
            body.len()
        );
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(body.as_bytes());
        self.state = if self.keep_alive {
            State::Head
        } else {
            State::End
        };
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        500 => "Internal Server Error",
        400..500 => "Refused",
        501..600 => "Failed",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "POST /upload HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody";
    const GET: &str = "GET / HTTP/1.1\r\n\r\n";

    fn answers(connection: &mut Connection) -> usize {
        let out = String::from_utf8(std::mem::take(connection.out())).expect("text");
        out.matches("HTTP/1.1 200 OK").count()
    }

    #[test]
    fn requests_are_answered_however_they_are_cut() {
        let text = format!("{POST}{GET}{POST}{POST}{GET}");
        for size in 1..text.len() {
            let mut site = Site::default();
            let mut connection = Connection::new();
            for piece in text.as_bytes().chunks(size) {
                let next = connection.receive(piece, &mut site, 1);
                assert_eq!(next, Next::Read, "in pieces of {size}");
            }
            assert_eq!(answers(&mut connection), 5, "in pieces of {size}");
        }
    }

    #[test]
    fn what_follows_a_sleeping_request_waits() {
        use crate::site::SLEEP;
        let mut site = Site::default();
        let mut connection = Connection::new();
        let text = format!("GET /sleep20 HTTP/1.1\r\n\r\n{GET}");
        let next = connection.receive(text.as_bytes(), &mut site, 100);
        assert_eq!(next, Next::SleepUntil(100 + SLEEP));
        assert_eq!(connection.sleeps_since_ns(), Some(100));
        assert_eq!(answers(&mut connection), 0);
        assert_eq!(connection.wake(&mut site, 200), Next::Read);
        assert_eq!(answers(&mut connection), 2);
    }

    #[test]
    fn a_connection_ends_when_it_is_asked_to_or_makes_no_sense() {
        for text in ["GET / HTTP/1.0\r\n\r\n", "nonsense\r\n\r\n"] {
            let mut connection = Connection::new();
            let next = connection.receive(text.as_bytes(), &mut Site::default(), 1);
            assert_eq!(next, Next::Close, "{text}");
            assert!(!connection.out().is_empty(), "{text}");
        }
    }
}
