//! The first part of an answer: status line and headers.
//!
//! Pure: bytes in, what they say out.

use crate::body_framing::Framing;
use crate::content_coding::Coding;
use crate::error::HttpError;
use crate::limits::Limits;

/// The most header lines that [`Limits::max_headers`] can allow.
const HEADERS_MAX: usize = 256;

/// What an answer's head says about itself and its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes of the head, its empty line included.
    pub(crate) length: usize,
    pub(crate) framing: Framing,
    pub(crate) coding: Coding,
    /// Whether the connection may serve another request.
    pub(crate) keeps_alive: bool,
    /// Whether it says where the server's time went.
    pub(crate) tells_time: bool,
    /// Whether it sets cookies.
    pub(crate) sets_cookies: bool,
}

/// Reads the head at the beginning of `bytes`; `None` if it is not all there.
/// `to_head` says that the request's method is HEAD, whose answer has no body.
pub(crate) fn read(
    bytes: &[u8],
    to_head: bool,
    limits: &Limits,
) -> Result<Option<Head>, HttpError> {
    let mut lines = [const { std::mem::MaybeUninit::uninit() }; HEADERS_MAX];
    let lines = &mut lines[..limits.max_headers.min(HEADERS_MAX)];
    let mut response = httparse::Response::new(&mut []);
    match lenient().parse_response_with_uninit_headers(&mut response, bytes, lines) {
        Ok(httparse::Status::Complete(length)) => Ok(Some(describe(&response, length, to_head)?)),
        Ok(httparse::Status::Partial) if bytes.len() > limits.max_head => {
            Err(HttpError::TooLarge {
                what: "head",
                limit: limits.max_head,
            })
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(HttpError::BadHead(format!(
            "got more than {} headers",
            limits.max_headers
        ))),
        Err(error @ (httparse::Error::HeaderName | httparse::Error::HeaderValue)) => {
            Err(HttpError::BadHead(error.to_string()))
        }
        Err(_) => Err(HttpError::BadStatusLine(first_line(bytes))),
    }
}

/// Takes what servers in use send, as Python's http.client does.
fn lenient() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    config
}

fn describe(
    response: &httparse::Response<'_, '_>,
    length: usize,
    to_head: bool,
) -> Result<Head, HttpError> {
    let status = response.code.unwrap_or_default();
    let mut keeps_alive = response.version == Some(1);
    let mut content_length = None;
    let mut chunked = false;
    let mut tells_time = false;
    let mut sets_cookies = false;
    let mut coding = Coding::Identity;
    for header in response.headers.iter() {
        let (name, value) = (header.name, header.value.trim_ascii());
        if name.eq_ignore_ascii_case("content-length") {
            content_length = Some(read_length(value)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = has_token(value, b"chunked");
        } else if name.eq_ignore_ascii_case("content-encoding") {
            coding = Coding::named(value);
        } else if name.eq_ignore_ascii_case("server-timing") {
            tells_time = true;
        } else if name.eq_ignore_ascii_case("set-cookie") {
            sets_cookies = true;
        } else if name.eq_ignore_ascii_case("connection") {
            keeps_alive = if has_token(value, b"close") {
                false
            } else {
                keeps_alive || has_token(value, b"keep-alive")
            };
        }
    }
    let framing = match content_length {
        _ if to_head || matches!(status, 100..200 | 204 | 304) => Framing::Empty,
        _ if chunked => Framing::Chunked,
        Some(bytes) => Framing::Length(bytes),
        None => Framing::UntilClose,
    };
    keeps_alive &= framing != Framing::UntilClose;
    Ok(Head {
        status,
        length,
        framing,
        coding,
        keeps_alive,
        tells_time,
        sets_cookies,
    })
}

/// Several equal lengths, as some proxies send them, are one.
fn read_length(value: &[u8]) -> Result<u64, HttpError> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let mut lengths = text.split(',').map(|part| part.trim().parse().ok());
    let first = lengths.next().flatten();
    match first {
        Some(length) if lengths.all(|other| other == first) => Ok(length),
        _ => Err(HttpError::BadHead(format!(
            "Content-Length is no number: {}",
            String::from_utf8_lossy(value)
        ))),
    }
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}

/// For messages, cut to a readable length.
fn first_line(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| at + 1);
    String::from_utf8_lossy(&bytes[..end.min(200)]).into_owned()
}

/// The reason beside the status, and every header in order, as Latin-1.
pub(crate) fn fields(head: &[u8]) -> (String, Vec<(String, String)>) {
    let mut lines = [const { std::mem::MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    if lenient()
        .parse_response_with_uninit_headers(&mut response, head, &mut lines)
        .is_err()
    {
        return Default::default();
    }
    let headers = response.headers.iter();
    let headers = headers.map(|header| (header.name.to_owned(), latin1(header.value)));
    (
        response.reason.unwrap_or_default().to_owned(),
        headers.collect(),
    )
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(text: &str) -> Result<Option<Head>, HttpError> {
        read(text.as_bytes(), false, &Limits::default())
    }

    #[test]
    fn heads_say_how_the_body_ends_and_whether_the_connection_stays() {
        for (why, text, framing, keeps_alive) in [
            (
                "a length",
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
                Framing::Length(3),
                true,
            ),
            (
                "two equal lengths",
                "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
                Framing::Length(3),
                true,
            ),
            (
                "chunks win",
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::Chunked,
                true,
            ),
            (
                "nothing said",
                "HTTP/1.1 200 OK\r\n\r\n",
                Framing::UntilClose,
                false,
            ),
            (
                "no content",
                "HTTP/1.1 204 No Content\r\n\r\n",
                Framing::Empty,
                true,
            ),
            (
                "close",
                "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
                Framing::Length(0),
                false,
            ),
            (
                "old",
                "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                Framing::Length(0),
                false,
            ),
            (
                "old but alive",
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
                Framing::Length(0),
                true,
            ),
        ] {
            let head = head(text).expect(why).expect(why);
            assert_eq!(
                (head.framing, head.keeps_alive),
                (framing, keeps_alive),
                "{why}"
            );
            assert_eq!(head.length, text.len(), "{why}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let line = |text: &str| HttpError::BadStatusLine(text.to_owned());
        assert_eq!(head("garbage\r\n\r\n"), Err(line("garbage\r\n")));
        assert_eq!(
            head("HTTP/1.1 abc OK\r\n\r\n"),
            Err(line("HTTP/1.1 abc OK\r\n"))
        );
        assert_eq!(head("HTTP/1.1 200 OK\r\nContent-Le"), Ok(None));
        assert!(head("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").is_err());
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(300_000));
        assert!(matches!(
            head(&endless),
            Err(HttpError::TooLarge { what: "head", .. })
        ));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(101));
        assert!(matches!(head(&many), Err(HttpError::BadHead(_))));
    }

    #[test]
    fn fields_are_read_as_latin_1() {
        let (reason, headers) =
            fields(b"HTTP/1.1 404 Not here\r\nX: \xe9\r\nSet-Cookie: a=b\r\n\r\n");
        assert_eq!(reason, "Not here");
        let expected =
            [("X", "é"), ("Set-Cookie", "a=b")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(headers, expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, false, &Limits::default());
            let _ = read(&[b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat(), true, &Limits::default());
            fields(&bytes);
        }
    }
}
