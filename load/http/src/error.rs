//! Why there is no answer.

use std::io;
use std::time::Duration;

use crate::locust_text::{errno_error, float, repr};
use crate::proxy::Proxy;

/// What kept a request from getting its answer.
///
/// Its text is what `str()` of the exception says that requests raises in the
/// same case; what Locust's failure table says is [`HttpError::cause`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The host's name has no address. `code` is one of getaddrinfo's.
    Resolve {
        /// Who was looked for.
        peer: Peer,
        /// `EAI_NONAME` and the like.
        code: i32,
        /// The system's words.
        reason: String,
    },
    /// No connection could be made; `errno` says why.
    Connect {
        /// Who was called.
        peer: Peer,
        /// The system's number.
        errno: i32,
    },
    /// The connection was not made in time.
    ConnectTimeout {
        /// Who was called.
        peer: Peer,
        /// The limit.
        limit: Duration,
    },
    /// TLS could not be agreed on, or the certificate is not trusted.
    Tls {
        /// Who was called.
        peer: Peer,
        /// What OpenSSL or, where it has no such word, rustls calls it.
        reason: String,
        /// Whether it was the certificate.
        certificate: bool,
    },
    /// The proxy cannot be reached, or opens no way to the server.
    Proxy {
        /// Who was asked for.
        peer: Peer,
        /// The `repr()` of the exception that says why.
        reason: String,
        /// The `repr()` of the innermost one.
        cause: String,
    },
    /// The server sent nothing for too long.
    ReadTimeout {
        /// Who was asked.
        peer: Peer,
        /// The limit.
        limit: Duration,
    },
    /// The connection ended without an answer.
    Disconnected,
    /// The connection broke; `errno` says how.
    Broken {
        /// The system's number.
        errno: i32,
    },
    /// The first line is no status line.
    BadStatusLine(String),
    /// The headers cannot be read.
    BadHead(String),
    /// The body ended early.
    Incomplete {
        /// Bytes that came.
        read: u64,
        /// Bytes that were still to come.
        expected: u64,
    },
    /// A chunk's length cannot be read.
    BadChunk(String),
    /// A chunked body ended between two chunks.
    EndedPrematurely,
    /// The body cannot be decompressed.
    BadCoding {
        /// The `Content-Encoding`.
        coding: String,
        /// The decoder's words.
        reason: String,
    },
    /// The answer is larger than allowed.
    TooLarge {
        /// Which part of it.
        what: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
    /// More redirects than allowed.
    TooManyRedirects(u32),
    /// A redirect points to what is no URL.
    BadLocation(String),
    /// A header that cannot be sent.
    InvalidHeader(String),
    /// A value that JSON has no form for.
    InvalidJson(String),
}

/// Who is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// The host, as in the URL.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query of the request.
    pub path: String,
}

impl Peer {
    fn named(&self, class: &str) -> String {
        let tls = if self.tls { "HTTPS" } else { "HTTP" };
        format!(
            "{tls}{class}(host={}, port={})",
            repr(&self.host),
            self.port
        )
    }

    fn gave_up(&self, cause: &str) -> String {
        format!(
            "{}: Max retries exceeded with url: {} (Caused by {cause})",
            self.named("ConnectionPool"),
            self.path
        )
    }

    /// The connection to `proxy` on the way to this peer.
    fn connection_to(&self, proxy: &Proxy) -> String {
        let of_proxy = Self {
            host: proxy.host.clone(),
            port: proxy.port,
            ..self.clone()
        };
        of_proxy.named("Connection")
    }

    fn no_connection(&self, reason: &str) -> String {
        let text = format!(
            "{}: Failed to establish a new connection: {reason}",
            self.named("Connection")
        );
        self.gave_up(&format!("NewConnectionError({})", repr(&text)))
    }
}

impl HttpError {
    /// The class in `requests.exceptions`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Disconnected
            | Self::Broken { .. }
            | Self::BadHead(_)
            | Self::TooLarge { .. }
            | Self::BadStatusLine(_) => "ConnectionError",
            Self::ConnectTimeout { .. } => "ConnectTimeout",
            Self::Proxy { .. } => "ProxyError",
            Self::Tls { .. } => "SSLError",
            Self::ReadTimeout { .. } => "ReadTimeout",
            Self::Incomplete { .. } | Self::BadChunk(_) | Self::EndedPrematurely => {
                "ChunkedEncodingError"
            }
            Self::BadCoding { .. } => "ContentDecodingError",
            Self::TooManyRedirects(_) => "TooManyRedirects",
            Self::BadLocation(_) => "InvalidURL",
            Self::InvalidHeader(_) => "InvalidHeader",
            Self::InvalidJson(_) => "InvalidJSONError",
        }
    }

    /// What stands in the failure table: the `repr()` of the innermost exception
    /// that Locust digs out.
    /// Source: printed by Locust 2.47 for the same cases.
    pub fn cause(&self) -> String {
        match self {
            Self::Resolve { code, reason, .. } => format!("gaierror({code}, {})", repr(reason)),
            Self::Connect { errno, .. } | Self::Broken { errno } => errno_error(*errno),
            Self::ConnectTimeout { peer, limit } => {
                let text = format!(
                    "{}: Connection to {} timed out. (connect timeout={})",
                    peer.named("Connection"),
                    peer.host,
                    float(*limit)
                );
                format!("ConnectTimeoutError({})", repr(&text))
            }
            Self::Tls {
                reason,
                certificate,
                ..
            } => format!("SSLError({})", tls_error(reason, *certificate)),
            Self::Proxy { cause, .. } => cause.clone(),
            Self::ReadTimeout { .. } => {
                format!("ReadTimeout(ReadTimeoutError({}))", repr(&self.to_string()))
            }
            Self::Disconnected => {
                "RemoteDisconnected('Remote end closed connection without response')".to_owned()
            }
            Self::BadStatusLine(line) => format!("BadStatusLine({})", repr(line)),
            Self::BadHead(reason) => format!("HTTPException({})", repr(reason)),
            Self::Incomplete { .. } => {
                format!("ChunkedEncodingError(ProtocolError{self})")
            }
            Self::BadChunk(_) => format!("ChunkedEncodingError(ProtocolError{self})"),
            Self::EndedPrematurely => {
                "ChunkedEncodingError(ProtocolError('Response ended prematurely'))".to_owned()
            }
            Self::BadCoding { .. } => format!("ContentDecodingError(DecodeError{self})"),
            Self::InvalidJson(reason) => format!("InvalidJSONError(ValueError({}))", repr(reason)),
            other => format!("{}({})", other.class(), repr(&other.to_string())),
        }
    }

    /// No connection to `proxy`.
    pub(crate) fn proxy_refused(peer: Peer, proxy: &Proxy, errno: i32) -> Self {
        let text = format!(
            "{}: Failed to establish a new connection: [Errno {errno}] {}",
            peer.connection_to(proxy),
            crate::locust_text::os_message(errno)
        );
        Self::Proxy {
            peer,
            reason: format!("NewConnectionError({})", repr(&text)),
            cause: errno_error(errno),
        }
    }

    /// The name of `proxy` has no address.
    pub(crate) fn proxy_without_address(
        peer: Peer,
        proxy: &Proxy,
        code: i32,
        reason: &str,
    ) -> Self {
        let text = format!(
            "{}: Failed to resolve {} ([Errno {code}] {reason})",
            peer.connection_to(proxy),
            repr(&proxy.host)
        );
        Self::Proxy {
            peer,
            reason: format!("NameResolutionError({})", repr(&text)),
            cause: format!("gaierror({code}, {})", repr(reason)),
        }
    }

    /// The proxy opens no way, for the reason that it gives.
    pub(crate) fn no_way(peer: Peer, reason: &str) -> Self {
        let cause = format!("OSError({})", repr(reason));
        Self::Proxy {
            peer,
            reason: cause.clone(),
            cause,
        }
    }

    pub(crate) fn broken(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::Broken { errno },
            None => Self::Disconnected,
        }
    }
}

fn tls_error(reason: &str, certificate: bool) -> String {
    let class = if certificate {
        "SSLCertVerificationError"
    } else {
        "SSLError"
    };
    format!("{class}(1, {})", repr(reason))
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::Resolve { peer, code, reason } => {
                let text = format!(
                    "{}: Failed to resolve {} ([Errno {code}] {reason})",
                    peer.named("Connection"),
                    repr(&peer.host)
                );
                peer.gave_up(&format!("NameResolutionError({})", repr(&text)))
            }
            Self::Connect { peer, errno } => {
                let reason = crate::locust_text::os_message(*errno);
                peer.no_connection(&format!("[Errno {errno}] {reason}"))
            }
            Self::ConnectTimeout { peer, .. } => peer.gave_up(&self.cause()),
            Self::Tls {
                peer,
                reason,
                certificate,
            } => peer.gave_up(&format!("SSLError({})", tls_error(reason, *certificate))),
            Self::Proxy { peer, reason, .. } => peer.gave_up(&format!(
                "ProxyError('Unable to connect to proxy', {reason})"
            )),
            Self::ReadTimeout { peer, limit } => format!(
                "{}: Read timed out. (read timeout={})",
                peer.named("ConnectionPool"),
                float(*limit)
            ),
            Self::Disconnected
            | Self::Broken { .. }
            | Self::BadStatusLine(_)
            | Self::BadHead(_) => {
                format!("('Connection aborted.', {})", self.cause())
            }
            Self::Incomplete { read, expected } => {
                let inner = format!("IncompleteRead({read} bytes read, {expected} more expected)");
                format!("('Connection broken: {inner}', {inner})")
            }
            Self::BadChunk(line) => {
                let inner = format!(
                    "InvalidChunkLength(got length b{}, 0 bytes read)",
                    repr(line)
                );
                format!(
                    "({}, {inner})",
                    repr(&format!("Connection broken: {inner}"))
                )
            }
            Self::EndedPrematurely => "Response ended prematurely".to_owned(),
            Self::BadCoding { coding, reason } => format!(
                "('Received response with content-encoding: {coding}, but failed to decode it.', error({}))",
                repr(reason)
            ),
            Self::TooLarge { what, limit } => {
                format!("the answer's {what} exceeds the limit of {limit} bytes")
            }
            Self::TooManyRedirects(limit) => format!("Exceeded {limit} redirects."),
            Self::BadLocation(reason) | Self::InvalidHeader(reason) | Self::InvalidJson(reason) => {
                reason.clone()
            }
        };
        f.write_str(&text)
    }
}

impl std::error::Error for HttpError {}
