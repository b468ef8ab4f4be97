//! The head of a request, read from bytes.

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'b> {
    pub(crate) method: &'b str,
    /// Without the query.
    pub(crate) path: &'b str,
    pub(crate) body_bytes: u64,
    pub(crate) keep_alive: bool,
    /// How many bytes the head takes.
    pub(crate) bytes: usize,
}

/// A head that cannot be answered, and the status that says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) u16);

/// Longer heads are refused with 431.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;

/// The head at the beginning of `bytes`, once all of it has arrived.
///
/// Bodies in chunks are refused with 411: the generators say how long a body is.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Head<'_>>, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES_MAX => return Ok(None),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Err(Refused(431));
        }
        Err(_) => return Err(Refused(400)),
    };
    let target = request.path.unwrap_or("/");
    let mut head = Head {
        method: request.method.unwrap_or_default(),
        path: target.split_once('?').map_or(target, |(path, _)| path),
        body_bytes: 0,
        keep_alive: request.version == Some(1),
        bytes: length,
    };
    for header in request.headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = str::from_utf8(header.value).ok();
            let length = text.and_then(|text| text.trim().parse().ok());
            head.body_bytes = length.ok_or(Refused(400))?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Refused(411));
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.keep_alive = !header.value.eq_ignore_ascii_case(b"close")
                && (head.keep_alive || header.value.eq_ignore_ascii_case(b"keep-alive"));
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_complete() {
        const GET: Head<'_> = Head {
            method: "GET",
            path: "/",
            body_bytes: 0,
            keep_alive: true,
            bytes: 18,
        };
        for (text, expected) in [
            ("GET / HTTP/1.1\r\n", Ok(None)),
            ("GET / HTTP/1.1\r\n\r\nGET", Ok(Some(GET))),
            (
                "GET /?a=b HTTP/1.1\r\n\r\n",
                Ok(Some(Head { bytes: 22, ..GET })),
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 12\r\nconnection: Close\r\n\r\n",
                Ok(Some(Head {
                    method: "POST",
                    body_bytes: 12,
                    keep_alive: false,
                    bytes: 58,
                    ..GET
                })),
            ),
            (
                "GET / HTTP/1.0\r\n\r\n",
                Ok(Some(Head {
                    keep_alive: false,
                    ..GET
                })),
            ),
            ("nonsense\r\n\r\n", Err(Refused(400))),
            (
                "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                Err(Refused(400)),
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                Err(Refused(411)),
            ),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let mut text = b"GET / HTTP/1.1\r\nx: ".to_vec();
        text.resize(HEAD_BYTES_MAX, b'x');
        assert_eq!(parse(&text), Err(Refused(431)));
    }
}
