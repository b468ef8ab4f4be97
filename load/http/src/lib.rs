//! The HTTP client that users drive: HTTP/1.1 over TCP or TLS, on threads of its own.
//!
//! ```text
//! submit -> I/O thread: connect, send, receive, follow redirects -> Finished -> outbox
//! ```
//!
//! A [`Client`] owns I/O threads that never wait for whoever submits: requests go
//! into an inbox, finished ones come out of an [`Outbox`], each with one wake-up for
//! many. Times are taken on the I/O thread, from the first byte written to the
//! last byte read, so a busy interpreter cannot lengthen them; an [`Observer`] is told
//! there, too.
//!
//! A [`Session`] keeps connections and cookies of one user to itself. It lives on
//! one I/O thread, which owns its connections without a lock.

mod addresses;
mod body_framing;
mod client;
mod clock;
mod connection;
mod content_coding;
mod cookies;
mod deadlines;
mod error;
mod geventhttpclient_text;
mod head;
mod inbox;
mod incoming;
mod job;
mod limits;
mod locust_text;
mod observer;
mod outbox;
mod proxy;
mod quoting;
mod redirect;
mod request;
mod resolver;
mod response;
mod send;
mod server_time;
mod session;
mod stream;
mod streaming;
mod target;
mod targets;
mod tls;
mod transport;
mod worker;

pub use client::{Client, Settings};
pub use cookies::CookieRow;
pub use error::HttpError;
pub use limits::Limits;
pub use locust_text::{failure_of_status, repr};
pub use observer::{Observer, Record};
pub use outbox::{Finished, Outbox};
pub use proxy::{Proxies, Proxy, ProxyError};
pub use request::{Headers, Request, Timeouts, Wording};
pub use response::Response;
pub use session::Session;
pub use stream::{BodyStream, Piece};
pub use target::{Scheme, Target, TargetError};
pub use targets::Targets;
pub use tls::{Tls, TlsChoice, TlsError, Trust};
