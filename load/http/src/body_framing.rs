//! Where a body ends, and taking it out of what arrives.
//!
//! Pure: bytes go in as they come, in pieces of any size.

use crate::error::HttpError;

/// A chunk's first line, and a trailer's, may have this many bytes.
const LINE_MAX: usize = 8 * 1024;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// After this many bytes.
    Length(u64),
    /// With a chunk of no bytes.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// Takes one body out of what arrives.
#[derive(Debug)]
pub(crate) struct BodyReader {
    state: State,
    /// Bytes of the body, or of the current chunk, that have come.
    read: u64,
    /// Bytes that may still come.
    room: usize,
    /// Bytes that the body may have.
    max: usize,
}

#[derive(Debug)]
enum State {
    Done,
    Fixed { left: u64 },
    ChunkLine { line: Vec<u8> },
    Chunk { left: u64 },
    ChunkEnd { line: Vec<u8> },
    Trailer { line: Vec<u8> },
    UntilClose,
}

impl BodyReader {
    /// A body of at most `max` bytes.
    pub(crate) fn new(framing: Framing, max: usize) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(left) => State::Fixed { left },
            Framing::Chunked => State::ChunkLine { line: Vec::new() },
            Framing::UntilClose => State::UntilClose,
        };
        Self {
            state,
            read: 0,
            room: max,
            max,
        }
    }

    /// It may be of any size: nobody keeps it.
    pub(crate) fn without_limit(mut self) -> Self {
        (self.room, self.max) = (usize::MAX, usize::MAX);
        self
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Appends what `input` holds of the body to `out`; returns how many bytes of
    /// `input` belong to it.
    pub(crate) fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, HttpError> {
        let mut at = 0;
        while at < input.len() && !self.is_done() {
            at += self.step(&input[at..], out)?;
        }
        Ok(at)
    }

    /// The connection has ended.
    pub(crate) fn end(&mut self) -> Result<(), HttpError> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            State::Fixed { left } | State::Chunk { left } => Err(HttpError::Incomplete {
                read: self.read,
                expected: left,
            }),
            _ => Err(HttpError::EndedPrematurely),
        }
    }

    /// Takes at least one byte of `input`, which is not empty.
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, HttpError> {
        let max = self.max;
        match &mut self.state {
            State::Done => Ok(0),
            State::Fixed { left } | State::Chunk { left } => {
                let count = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                append(out, &input[..count], &mut self.room, max)?;
                *left -= count as u64;
                self.read += count as u64;
                if *left == 0 {
                    self.state = match self.state {
                        State::Chunk { .. } => State::ChunkEnd { line: Vec::new() },
                        _ => State::Done,
                    };
                }
                Ok(count)
            }
            State::UntilClose => {
                append(out, input, &mut self.room, max)?;
                Ok(input.len())
            }
            State::ChunkLine { line } | State::ChunkEnd { line } | State::Trailer { line } => {
                let (count, complete) = take_line(input, line)?;
                if complete {
                    let line = std::mem::take(line);
                    self.line_complete(&line)?;
                }
                Ok(count)
            }
        }
    }

    fn line_complete(&mut self, line: &[u8]) -> Result<(), HttpError> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.state = match self.state {
            State::ChunkLine { .. } => match chunk_length(text) {
                Some(0) => State::Trailer { line: Vec::new() },
                Some(left) => {
                    self.read = 0;
                    State::Chunk { left }
                }
                None => return Err(HttpError::BadChunk(lossy(line))),
            },
            State::ChunkEnd { .. } if text.is_empty() => State::ChunkLine { line: Vec::new() },
            State::ChunkEnd { .. } => return Err(HttpError::BadChunk(lossy(line))),
            _ if text.is_empty() => State::Done,
            _ => State::Trailer { line: Vec::new() },
        };
        Ok(())
    }
}

fn append(out: &mut Vec<u8>, bytes: &[u8], room: &mut usize, max: usize) -> Result<(), HttpError> {
    let too_large = HttpError::TooLarge {
        what: "body",
        limit: max,
    };
    *room = room.checked_sub(bytes.len()).ok_or(too_large)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Moves bytes into `line` up to the end of the line; whether that was reached.
fn take_line(input: &[u8], line: &mut Vec<u8>) -> Result<(usize, bool), HttpError> {
    let end = input.iter().position(|byte| *byte == b'\n');
    let count = end.map_or(input.len(), |at| at + 1);
    if line.len() + count > LINE_MAX {
        return Err(HttpError::TooLarge {
            what: "chunk line",
            limit: LINE_MAX,
        });
    }
    line.extend_from_slice(&input[..count]);
    Ok((count, end.is_some()))
}

/// The length before any extension (`;name=value`).
fn chunk_length(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let text = std::str::from_utf8(digits).ok()?;
    let hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

fn lossy(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(framing: Framing, input: &[u8], piece: usize) -> Result<(Vec<u8>, usize), HttpError> {
        let (mut reader, mut body, mut taken) = (BodyReader::new(framing, 1000), Vec::new(), 0);
        for piece in input.chunks(piece) {
            taken += reader.take(piece, &mut body)?;
        }
        reader.end()?;
        Ok((body, taken))
    }

    #[test]
    fn bodies_end_where_they_should() {
        let chunks = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: z\r\n\r\nnext";
        for (framing, input, body, rest) in [
            (Framing::Empty, &b"next"[..], &b""[..], 4),
            (Framing::Length(5), b"hellonext", b"hello", 4),
            (Framing::Chunked, chunks, b"hello!", 4),
            (Framing::UntilClose, b"hello", b"hello", 0),
        ] {
            for piece in [1, 2, 3, 100] {
                let (read, taken) = read(framing, input, piece).expect("a body");
                assert_eq!(
                    (read.as_slice(), input.len() - taken),
                    (body, rest),
                    "{framing:?}"
                );
            }
        }
    }

    #[test]
    fn broken_bodies_are_named_as_urllib3_names_them() {
        // Expected texts: Locust 2.47.0 for the same answers.
        for (framing, input, expected) in [
            (
                Framing::Length(100),
                &b"abc"[..],
                "ChunkedEncodingError(ProtocolError('Connection broken: IncompleteRead(3 bytes read, 97 more expected)', IncompleteRead(3 bytes read, 97 more expected)))",
            ),
            (
                Framing::Chunked,
                b"5\r\nab",
                "ChunkedEncodingError(ProtocolError('Connection broken: IncompleteRead(2 bytes read, 3 more expected)', IncompleteRead(2 bytes read, 3 more expected)))",
            ),
            (
                Framing::Chunked,
                b"zz\r\nab",
                r#"ChunkedEncodingError(ProtocolError("Connection broken: InvalidChunkLength(got length b'zz\\r\\n', 0 bytes read)", InvalidChunkLength(got length b'zz\r\n', 0 bytes read)))"#,
            ),
            (
                Framing::Chunked,
                b"2\r\nab\r\n",
                "ChunkedEncodingError(ProtocolError('Response ended prematurely'))",
            ),
        ] {
            let error = read(framing, input, 100).expect_err("a broken body");
            assert_eq!(error.cause(), expected);
        }
    }

    #[test]
    fn a_body_or_line_beyond_its_limit_is_refused() {
        let too_long =
            |what| move |error| matches!(error, HttpError::TooLarge { what: w, .. } if w == what);
        assert!(read(Framing::UntilClose, &[0; 1001], 10).is_err_and(too_long("body")));
        assert!(read(Framing::Chunked, &[b'0'; 9000], 10).is_err_and(too_long("chunk line")));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(input in prop::collection::vec(prop::sample::select(b"0123af\r\n;x".to_vec()), 0..60), piece in 1usize..9) {
            prop_assert_eq!(read(Framing::Chunked, &input, piece), read(Framing::Chunked, &input, 100));
        }
    }
}
