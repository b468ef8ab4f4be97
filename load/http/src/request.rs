//! What is sent.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::content_coding::ACCEPTED;
use crate::error::HttpError;
use crate::locust_text::repr;
use crate::proxy::{Proxies, Proxy};
use crate::target::{Scheme, Target};
use crate::tls::Tls;

/// One request, ready to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET` and the like.
    pub method: Cow<'static, str>,
    /// Where it goes.
    pub target: Arc<Target>,
    /// What it is counted under; the path and query if there is none.
    pub name: Option<String>,
    /// Its headers, as far as they are not derived from what is below.
    pub headers: Headers,
    /// The body's type, unless `headers` say it.
    pub content_type: Option<String>,
    /// The body; `None` differs from an empty one only in what a locustfile sees.
    pub body: Option<Bytes>,
    /// Cookies beside the session's.
    pub cookies: Vec<(String, String)>,
    /// The value of `Authorization`, unless `headers` say it.
    pub authorization: Option<String>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How many redirects to follow; `None` gives the first answer back.
    pub max_redirects: Option<u32>,
    /// Whom it goes through.
    pub proxies: Option<Arc<Proxies>>,
    /// Whom to trust, if TLS is spoken; `None` is the default.
    pub tls: Option<Tls>,
    /// Whose words its failure is told in.
    pub wording: Wording,
    /// Whether the answer is handed over once its head is there, and its body while it
    /// arrives.
    pub streams: bool,
    /// When it should have been sent, if that is known: its response time counts from
    /// there, so that what kept it waiting is in it.
    pub due: Option<Instant>,
    /// Whether the submitter will decide about failure and count it; it is then not
    /// told to the observer.
    pub verdict_is_open: bool,
}

/// The client whose words a failure is told in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wording {
    /// requests, behind Locust's HttpUser.
    #[default]
    Requests,
    /// geventhttpclient, behind Locust's FastHttpUser.
    Geventhttpclient,
}

/// Limits of waiting; `None` waits as long as the system does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Option<Duration>,
    /// Between any two pieces of the answer.
    pub read: Option<Duration>,
}

/// Header lines, written once and shared by all requests that have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers(Arc<Written>);

#[derive(Debug, PartialEq, Eq)]
struct Written {
    fields: Vec<(String, String)>,
    lines: Vec<u8>,
    present: Present,
}

/// Which of the headers that are derived from a request are given explicitly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Present {
    pub(crate) host: bool,
    pub(crate) content_type: bool,
    pub(crate) content_length: bool,
    pub(crate) cookie: bool,
    pub(crate) authorization: bool,
    pub(crate) transfer_encoding: bool,
}

impl Headers {
    /// What every request has unless the locustfile says otherwise.
    pub fn default_fields() -> Vec<(String, String)> {
        [
            ("User-Agent", concat!("acrida/", env!("CARGO_PKG_VERSION"))),
            ("Accept-Encoding", ACCEPTED),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Writes `fields`, in their order.
    ///
    /// # Errors
    ///
    /// [`HttpError::InvalidHeader`] for what would break the request.
    pub fn new(fields: Vec<(String, String)>) -> Result<Self, HttpError> {
        let mut lines = Vec::new();
        let mut present = Present::default();
        for (name, value) in &fields {
            check(name, value)?;
            present.note(name);
            lines.extend_from_slice(name.as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend(value.chars().flat_map(latin1_or_utf8));
            lines.extend_from_slice(b"\r\n");
        }
        Ok(Self(Arc::new(Written {
            fields,
            lines,
            present,
        })))
    }

    /// Names and values.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0.fields
    }

    pub(crate) fn lines(&self) -> &[u8] {
        &self.0.lines
    }

    pub(crate) fn present(&self) -> Present {
        self.0.present
    }

    /// The same without the fields that `names` lists.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let kept = |name: &str| !names.iter().any(|gone| gone.eq_ignore_ascii_case(name));
        let fields = self.0.fields.iter().filter(|(name, _)| kept(name)).cloned();
        Self::new(fields.collect()).expect("valid headers stay valid")
    }
}

impl Present {
    fn note(&mut self, name: &str) {
        for (known, flag) in [
            ("host", &mut self.host),
            ("content-type", &mut self.content_type),
            ("content-length", &mut self.content_length),
            ("cookie", &mut self.cookie),
            ("authorization", &mut self.authorization),
            ("transfer-encoding", &mut self.transfer_encoding),
        ] {
            *flag |= known.eq_ignore_ascii_case(name);
        }
    }
}

/// A character as Python's http.client sends it: one byte where Latin-1 has it.
fn latin1_or_utf8(c: char) -> Vec<u8> {
    match u8::try_from(u32::from(c)) {
        Ok(byte) => vec![byte],
        Err(_) => c.to_string().into_bytes(),
    }
}

/// Source of the rule and the words: `check_header_validity`, requests/utils.py.
fn check(name: &str, value: &str) -> Result<(), HttpError> {
    let is_bad = |c: char| matches!(c, '\r' | '\n');
    let token = |c: char| !c.is_whitespace() && c != ':' && !c.is_control();
    let (part, text) = if name.is_empty() || !name.chars().all(token) {
        ("name", name)
    } else if value.contains(is_bad) || value.starts_with(char::is_whitespace) {
        ("value", value)
    } else {
        return Ok(());
    };
    Err(HttpError::InvalidHeader(format!(
        "Invalid leading whitespace, reserved character(s), or return character(s) in header {part}: {}",
        repr(text)
    )))
}

/// The value of `Authorization` for user and password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    let mut pair: Vec<u8> = user.chars().flat_map(latin1_or_utf8).collect();
    pair.push(b':');
    pair.extend(password.chars().flat_map(latin1_or_utf8));
    format!("Basic {}", STANDARD.encode(pair))
}

impl Request {
    /// Sets basic credentials, which win over those in the headers.
    pub fn set_basic_auth(&mut self, user: &str, password: &str) {
        if self.headers.present().authorization {
            self.headers = self.headers.without(&["authorization"]);
        }
        self.authorization = Some(basic(user, password));
    }

    /// Whom it goes through to its target, if anybody.
    pub(crate) fn proxy(&self) -> Option<&Arc<Proxy>> {
        self.proxies.as_ref()?.for_target(&self.target)
    }

    /// The proxy that is asked for the target's URL: over TLS, the target itself is asked.
    pub(crate) fn asked_proxy(&self) -> Option<&Arc<Proxy>> {
        self.proxy().filter(|_| self.target.scheme == Scheme::Http)
    }

    /// Path and query, or the name that it was given.
    pub fn counted_as(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.target.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_would_break_a_request_are_refused_in_requests_words() {
        let refused = |name: &str, value: &str| {
            Headers::new(vec![(name.to_owned(), value.to_owned())])
                .map_err(|error| error.to_string())
        };
        let words =
            "Invalid leading whitespace, reserved character(s), or return character(s) in header";
        assert_eq!(
            refused("a", "b\r\nc"),
            Err(format!("{words} value: 'b\\r\\nc'"))
        );
        assert_eq!(refused("a b", "c"), Err(format!("{words} name: 'a b'")));
        assert!(refused("X-Ü", "").is_ok());
    }

    #[test]
    fn headers_know_what_is_among_them() {
        let fields = [("CONTENT-type", "a"), ("X", "é")];
        let headers = Headers::new(fields.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec());
        let headers = headers.expect("valid headers");
        assert!(headers.present().content_type && !headers.present().cookie);
        assert_eq!(headers.lines(), b"CONTENT-type: a\r\nX: \xe9\r\n");
        let without = headers.without(&["content-type"]);
        assert!(!without.present().content_type);
        assert_eq!(without.fields().len(), 1);
    }

    #[test]
    fn credentials_are_encoded_as_in_rfc_7617() {
        assert_eq!(
            basic("Aladdin", "open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }
}
