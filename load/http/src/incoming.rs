//! An answer on its way in.
//!
//! Pure: pieces go in as they arrive.

use crate::body_framing::{BodyReader, Framing};
use crate::content_coding::Coding;
use crate::error::HttpError;
use crate::head::{self, Head};
use crate::limits::Limits;

/// Memory taken at once for an announced body; longer ones grow as they come.
const RESERVE_MAX: u64 = 1024 * 1024;

/// Collects one answer: its head, then its body, in one piece of memory.
#[derive(Debug)]
pub(crate) struct Incoming {
    raw: Vec<u8>,
    head: Option<Head>,
    body: BodyReader,
    /// Whether something came after the answer's end.
    surplus: bool,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    /// The head, then the body, decompressed.
    pub(crate) raw: Vec<u8>,
    pub(crate) head_length: usize,
    pub(crate) keeps_alive: bool,
    pub(crate) tells_time: bool,
    pub(crate) sets_cookies: bool,
}

impl Incoming {
    pub(crate) fn new() -> Self {
        Self {
            raw: Vec::new(),
            head: None,
            body: BodyReader::new(Framing::Empty, 0),
            surplus: false,
        }
    }

    /// Takes a piece; whether the answer is complete. `to_head`: it answers a HEAD.
    pub(crate) fn take(
        &mut self,
        input: &[u8],
        to_head: bool,
        limits: &Limits,
    ) -> Result<bool, HttpError> {
        let joined;
        let mut rest = input;
        if self.head.is_none() && !self.raw.is_empty() {
            // A head in several pieces is rare: put together and read anew.
            joined = [&std::mem::take(&mut self.raw)[..], input].concat();
            rest = &joined;
        }
        while self.head.is_none() {
            let Some(head) = head::read(rest, to_head, limits)? else {
                self.raw = rest.to_vec();
                return Ok(false);
            };
            let (text, after) = rest.split_at(head.length);
            if !matches!(head.status, 100 | 102 | 103) {
                self.begin(head, text, limits);
            }
            rest = after;
        }
        let taken = self.body.take(rest, &mut self.raw)?;
        self.surplus |= taken < rest.len();
        Ok(self.body.is_done())
    }

    fn begin(&mut self, head: Head, text: &[u8], limits: &Limits) {
        let announced = match head.framing {
            Framing::Length(bytes) => bytes.min(RESERVE_MAX),
            _ => 0,
        };
        self.raw = Vec::with_capacity(text.len() + usize::try_from(announced).unwrap_or(0));
        self.raw.extend_from_slice(text);
        self.body = BodyReader::new(head.framing, limits.max_body);
        self.head = Some(head);
    }

    /// The status, once the head is there.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.status)
    }

    /// The head by itself, and what is needed to go on with its body: what came of that,
    /// the reader, and how it is compressed.
    pub(crate) fn split(self) -> (Received, Vec<u8>, BodyReader, Coding) {
        let head = self.head.expect("a head");
        let mut raw = self.raw;
        let body = raw.split_off(head.length);
        let received = Received {
            status: head.status,
            raw,
            head_length: head.length,
            keeps_alive: head.keeps_alive && !self.surplus,
            tells_time: head.tells_time,
            sets_cookies: head.sets_cookies,
        };
        (received, body, self.body.without_limit(), head.coding)
    }

    /// Whether anything of the answer has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.head.is_some() || !self.raw.is_empty()
    }

    /// The connection has ended.
    pub(crate) fn end(&mut self) -> Result<(), HttpError> {
        match self.head {
            Some(_) => self.body.end(),
            None => Err(HttpError::Disconnected),
        }
    }

    /// The answer, once it is complete.
    pub(crate) fn finish(self, limits: &Limits) -> Result<Received, HttpError> {
        let head = self.head.expect("the answer is complete");
        let mut raw = self.raw;
        if head.coding != Coding::Identity {
            let body = head.coding.decode(&raw[head.length..], limits.max_body)?;
            raw.truncate(head.length);
            raw.extend_from_slice(&body);
        }
        Ok(Received {
            status: head.status,
            raw,
            head_length: head.length,
            keeps_alive: head.keeps_alive && !self.surplus,
            tells_time: head.tells_time,
            sets_cookies: head.sets_cookies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn receive(input: &[u8], piece: usize) -> Result<Received, HttpError> {
        let (mut incoming, limits) = (Incoming::new(), Limits::default());
        for piece in input.chunks(piece) {
            if incoming.take(piece, false, &limits)? {
                return incoming.finish(&limits);
            }
        }
        incoming.end()?;
        incoming.finish(&limits)
    }

    #[test]
    fn pieces_of_any_size_make_the_same_answer() {
        let input =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for piece in [1, 7, 25, 26, 1000] {
            let received = receive(input, piece).expect("an answer");
            assert_eq!(received.status, 200);
            assert_eq!(&received.raw[received.head_length..], b"hello");
            assert!(received.keeps_alive);
        }
    }

    #[test]
    fn a_connection_with_something_left_in_it_is_not_used_again() {
        let input = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab";
        assert!(!receive(input, 1000).expect("an answer").keeps_alive);
    }

    #[test]
    fn an_end_before_the_head_is_a_disconnection() {
        assert_eq!(receive(b"", 1).err(), Some(HttpError::Disconnected));
        assert_eq!(
            receive(b"HTTP/1.1 200 OK\r\nConte", 1).err(),
            Some(HttpError::Disconnected)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..50) {
            let _ = receive(&bytes, piece);
            let _ = receive(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat(), piece);
        }
    }
}
