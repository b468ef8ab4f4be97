//! Going through somebody else: whom, and how a way through to a server is opened.
//!
//! Pure: texts in, texts out.

use std::sync::Arc;

use crate::request::basic;
use crate::target::{Scheme, Target, TargetError};

/// What a proxy may answer to `CONNECT`, in bytes.
const REPLY_MAX: usize = 16 * 1024;

/// Somebody who passes requests on, spoken to in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `Proxy-Authorization`.
    pub(crate) authorization: Option<String>,
}

/// Proxies by how the server is spoken to; `None` goes straight to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For servers spoken to in the clear.
    pub http: Option<Arc<Proxy>>,
    /// For servers spoken to over TLS.
    pub https: Option<Arc<Proxy>>,
}

/// A URL that names no proxy that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is no URL.
    #[error("the proxy's URL cannot be read: {0}")]
    Url(#[from] TargetError),
    /// It wants to be spoken to over TLS.
    #[error("a proxy is spoken to in the clear (http://…), not over TLS: {0}")]
    Tls(String),
}

impl Proxy {
    /// The proxy at `url`: `http://user:password@host:port`, of which only the host has
    /// to be there.
    ///
    /// # Errors
    ///
    /// If no proxy can be spoken to there.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let target = if url.contains("://") {
            Target::parse(url)?
        } else {
            Target::parse(&format!("http://{url}"))?
        };
        if target.scheme == Scheme::Https {
            return Err(ProxyError::Tls(target.url));
        }
        let credentials = target.credentials.as_ref();
        Ok(Self {
            authorization: credentials.map(|(user, password)| basic(user, password)),
            host: target.host,
            port: target.port,
        })
    }
}

impl Proxies {
    /// The one that requests to `target` go through.
    pub(crate) fn for_target(&self, target: &Target) -> Option<&Arc<Proxy>> {
        match target.scheme {
            Scheme::Http => self.http.as_ref(),
            Scheme::Https => self.https.as_ref(),
        }
    }
}

/// What asks `proxy` for a way through to `target`.
pub(crate) fn connect_request(target: &Target, proxy: &Proxy) -> String {
    let host = match target.host.contains(':') {
        true => format!("[{}]", target.host),
        false => target.host.clone(),
    };
    let place = format!("{host}:{}", target.port);
    let authorization = proxy.authorization.iter();
    let lines: String = authorization
        .map(|value| format!("Proxy-Authorization: {value}\r\n"))
        .collect();
    format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{lines}\r\n")
}

/// Whether the way is open, from what came so far; `None` if there is more to come,
/// the proxy's refusal in http.client's words if it is not.
pub(crate) fn read_reply(reply: &[u8]) -> Option<Result<(), String>> {
    let is_whole = reply.windows(4).any(|end| end == b"\r\n\r\n");
    if !is_whole && reply.len() < REPLY_MAX {
        return None;
    }
    let line = reply
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line).trim_end().to_owned();
    let status = line.split_once(' ').map_or("", |(_, status)| status);
    if is_whole && status.starts_with("200") {
        return Some(Ok(()));
    }
    Some(Err(format!("Tunnel connection failed: {status}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_a_url_or_less() {
        for (url, host, port, authorization) in [
            ("http://127.0.0.1:3128", "127.0.0.1", 3128, None),
            ("localhost:8080/", "localhost", 8080, None),
            ("http://u:p%40@h", "h", 80, Some("Basic dTpwQA==")),
        ] {
            let proxy = Proxy::parse(url).expect("a proxy");
            assert_eq!((&*proxy.host, proxy.port), (host, port));
            assert_eq!(proxy.authorization.as_deref(), authorization);
        }
        assert!(matches!(Proxy::parse("https://h"), Err(ProxyError::Tls(_))));
        assert!(matches!(
            Proxy::parse("socks5://h"),
            Err(ProxyError::Url(_))
        ));
    }

    #[test]
    fn a_way_is_open_once_the_proxy_has_said_so() {
        assert_eq!(read_reply(b"HTTP/1.1 200 OK\r\nA: b\r\n"), None);
        assert_eq!(read_reply(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), Some(Ok(())));
        let refused = Some(Err("Tunnel connection failed: 407 No".to_owned()));
        assert_eq!(read_reply(b"HTTP/1.1 407 No\r\n\r\n"), refused);
        assert!(matches!(read_reply(&[b'x'; REPLY_MAX]), Some(Err(_))));
    }
}
