//! A URL, taken apart and quoted as requests does before it sends one.
//!
//! Pure. Source of the rules: `PreparedRequest.prepare_url` and `requote_uri` of
//! requests 2, and urllib3's `parse_url`.

use std::borrow::Cow;
use std::fmt::Write as _;

use url::Url;

use crate::quoting::{percent_decode, quote};

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The host's name or address, in lower case; IPv6 without brackets.
    pub host: String,
    /// The port, whether or not the URL says it.
    pub port: u16,
    /// The whole URL, quoted, without user and fragment.
    pub url: String,
    /// Where path and query begin in `url`.
    path_at: usize,
    /// What stood behind `#`; it is not sent.
    fragment: Option<String>,
    /// What stood before `@` in the host's place, unquoted.
    pub credentials: Option<(String, String)>,
}

/// A URL that no request can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It does not begin with http:// or https://.
    #[error("No connection adapters were found for {}", crate::repr(.0))]
    Scheme(String),
    /// It does not say http or https, nor anything else.
    #[error("Invalid URL {}: No scheme supplied. Perhaps you meant https://{url}?", crate::repr(.url))]
    NoScheme {
        /// The whole of it.
        url: String,
    },
    /// It has no host.
    #[error("Invalid URL {}: No host supplied", crate::repr(.0))]
    NoHost(String),
    /// Its host or port cannot be read.
    #[error("Failed to parse: {0}")]
    Unreadable(String),
}

impl TargetError {
    /// The class in `requests.exceptions`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Scheme(_) => "InvalidSchema",
            Self::NoScheme { .. } => "MissingSchema",
            Self::NoHost(_) | Self::Unreadable(_) => "InvalidURL",
        }
    }
}

impl Scheme {
    /// `http` or `https`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Target {
    /// Reads an absolute URL.
    ///
    /// # Errors
    ///
    /// [`TargetError`], in requests' words.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        let url = url.trim_start();
        let (scheme, rest) = split_scheme(url)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (path, fragment) = match path.split_once('#') {
            Some((path, fragment)) => (path, Some(fragment.to_owned())),
            None => (path, None),
        };
        let (user, host_port) = match authority.rsplit_once('@') {
            Some((user, host_port)) => (Some(user), host_port),
            None => (None, authority),
        };
        let unreadable = || TargetError::Unreadable(url.to_owned());
        let not_valid = || {
            TargetError::Unreadable(format!(
                "{} is not a valid host or port",
                crate::repr(host_port)
            ))
        };
        check_host(host_port)?;
        let (host, port) = split_port(host_port).ok_or_else(not_valid)?;
        let port = port
            .map(|port| port.parse().map_err(|_| unreadable()))
            .transpose()?;
        if host.is_empty() {
            return Err(TargetError::NoHost(url.to_owned()));
        }
        let host = readable_host(scheme, host).ok_or_else(unreadable)?;
        let mut target = Self {
            scheme,
            host,
            port: port.unwrap_or(scheme.default_port()),
            url: String::with_capacity(url.len() + 1),
            path_at: 0,
            fragment,
            credentials: user.and_then(credentials),
        };
        target.write_url(port.is_some(), path);
        Ok(target)
    }

    /// Path and query, as they stand in the request.
    pub fn path(&self) -> &str {
        &self.url[self.path_at..]
    }

    /// Scheme, host and, if the URL says it, port: `https://example.org:8443`.
    pub fn origin(&self) -> &str {
        &self.url[..self.path_at]
    }

    /// What the `Host` header says.
    pub fn host_header(&self) -> &str {
        &self.origin()[self.scheme.name().len() + 3..]
    }

    /// The URL that `location` means in an answer from here.
    ///
    /// # Errors
    ///
    /// As [`Target::parse`].
    pub fn join(&self, location: &str) -> Result<Self, TargetError> {
        let unreadable = |_| TargetError::Unreadable(location.to_owned());
        let base = Url::parse(&self.url).map_err(unreadable)?;
        let joined = base.join(location).map_err(unreadable)?;
        let mut target = Self::parse(joined.as_str())?;
        target.fragment = target.fragment.or_else(|| self.fragment.clone());
        Ok(target)
    }

    /// The whole URL with its fragment, as an answer shows it.
    pub fn shown(&self) -> Cow<'_, str> {
        match &self.fragment {
            Some(fragment) => format!("{}#{fragment}", self.url).into(),
            None => self.url.as_str().into(),
        }
    }

    fn write_url(&mut self, with_port: bool, path: &str) {
        let out = &mut self.url;
        out.push_str(self.scheme.name());
        out.push_str("://");
        if self.host.contains(':') {
            let _ = write!(out, "[{}]", self.host);
        } else {
            out.push_str(&self.host);
        }
        if with_port {
            let _ = write!(out, ":{}", self.port);
        }
        self.path_at = out.len();
        if !path.starts_with('/') {
            out.push('/');
        }
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        if path.contains("/.") {
            quote(out, &without_dots(path));
        } else {
            quote(out, path);
        }
        if let Some(query) = query {
            out.push('?');
            quote(out, query);
        }
    }
}

fn split_scheme(url: &str) -> Result<(Scheme, &str), TargetError> {
    let begins = |prefix: &str| {
        url.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if begins("http://") {
        Ok((Scheme::Http, &url[7..]))
    } else if begins("https://") {
        Ok((Scheme::Https, &url[8..]))
    } else if url.contains(':') {
        Err(TargetError::Scheme(url.to_owned()))
    } else {
        // The first word could be a host, and is looked at as one.
        check_host(url.split(['/', '?', '#']).next().unwrap_or_default())?;
        Err(TargetError::NoScheme {
            url: url.to_owned(),
        })
    }
}

/// Refuses characters that end a host's name in no URL.
fn check_host(host_port: &str) -> Result<(), TargetError> {
    match host_port.chars().find(|c| *c <= ' ' || *c == '\x7f') {
        Some(bad) => Err(TargetError::Unreadable(format!(
            "Host {} contains invalid character {}",
            crate::repr(host_port),
            crate::repr(&bad.to_string())
        ))),
        None => Ok(()),
    }
}

/// Host and the port's digits; `None` if the port has none.
fn split_port(host_port: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = if let Some(rest) = host_port.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        match after.strip_prefix(':') {
            None if !after.is_empty() => return None,
            port => (host, port),
        }
    } else {
        match host_port.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host_port, None),
        }
    };
    match port {
        Some("") | None => Some((host, None)),
        Some(port) => port
            .bytes()
            .all(|c| c.is_ascii_digit())
            .then_some((host, Some(port))),
    }
}

/// The host in lower case, and in ASCII.
fn readable_host(scheme: Scheme, host: &str) -> Option<String> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._:%".contains(&c);
    if host.bytes().all(plain) {
        return Some(host.to_ascii_lowercase());
    }
    if host.is_ascii() {
        return None;
    }
    let url = Url::parse(&format!("{}://{host}", scheme.name())).ok()?;
    url.host_str().map(str::to_owned)
}

/// User and password; both have to be there, as for requests.
fn credentials(user: &str) -> Option<(String, String)> {
    let (user, password) = user.split_once(':')?;
    let unquoted = |text| String::from_utf8_lossy(&percent_decode(text)).into_owned();
    Some((unquoted(user), unquoted(password)))
}

/// The path without `.` and `..`. Source: RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let last = path.rsplit('/').next().unwrap_or_default();
    for segment in path.split('/').skip(usize::from(path.starts_with('/'))) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let end = if matches!(last, "." | "..") && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_are_quoted_as_requests_does() {
        // Expected values: `requests.Request("GET", url).prepare().url` of requests 2.34 with urllib3 2.0 and 2.8.
        for (url, expected) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
            ("HTTP://Example.ORG/A?b=c#d", "http://example.org/A?b=c"),
            ("http://h?x=1", "http://h/?x=1"),
            ("http://h/a b?c d", "http://h/a%20b?c%20d"),
            ("http://h/é?ü", "http://h/%C3%A9?%C3%BC"),
            ("http://h/%7e%2f%5b", "http://h/~%2F%5B"),
            ("http://h/%7e%2f%zz", "http://h/%257E%252F%25zz"),
            ("http://h/100%?x=50%25", "http://h/100%25?x=50%25"),
            (
                "http://h/p[1]{x}?q=[1]&b={y}",
                "http://h/p%5B1%5D%7Bx%7D?q=%5B1%5D&b=%7By%7D",
            ),
            (
                "http://h/'()*!;,:@$&=+?u=http://x/y?z",
                "http://h/'()*!;,:@$&=+?u=http://x/y?z",
            ),
            ("http://h/a/../b/./c", "http://h/b/c"),
            ("http://h/<script>|\"", "http://h/%3Cscript%3E%7C%22"),
            ("http://u:p%40@h:81/x", "http://h:81/x"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ] {
            let target = Target::parse(url).expect(url);
            assert_eq!(target.url, expected, "{url}");
        }
        let target = Target::parse("http://u:p%40@h:81/x?y").expect("a URL");
        assert_eq!(target.credentials, Some(("u".to_owned(), "p@".to_owned())));
        assert_eq!((target.host_header(), target.path()), ("h:81", "/x?y"));
    }

    #[test]
    fn what_is_no_url_is_refused_in_requests_words() {
        for (url, expected) in [
            (
                "127.0.0.1:1/x",
                "No connection adapters were found for '127.0.0.1:1/x'",
            ),
            (
                "ftp://x/x",
                "No connection adapters were found for 'ftp://x/x'",
            ),
            (
                "x/y",
                "Invalid URL 'x/y': No scheme supplied. Perhaps you meant https://x/y?",
            ),
            ("http:///x", "Invalid URL 'http:///x': No host supplied"),
            (
                "http://h:81x/y",
                "Failed to parse: 'h:81x' is not a valid host or port",
            ),
            ("http://h:99999/x", "Failed to parse: http://h:99999/x"),
            (
                "http://a b/",
                "Failed to parse: Host 'a b' contains invalid character ' '",
            ),
            (
                "a b/c",
                "Failed to parse: Host 'a b' contains invalid character ' '",
            ),
        ] {
            let error = Target::parse(url).expect_err(url);
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn locations_are_relative_to_where_they_came_from() {
        let base = Target::parse("http://h:81/a/b?c").expect("a URL");
        for (location, expected) in [
            ("/x", "http://h:81/x"),
            ("y?z", "http://h:81/a/y?z"),
            ("/x#f", "http://h:81/x"),
            ("//other/x", "http://other/x"),
            ("https://s/", "https://s/"),
        ] {
            assert_eq!(base.join(location).expect(location).url, expected);
        }
        let with_fragment = base.join("/x#f").expect("a URL");
        assert_eq!(with_fragment.shown(), "http://h:81/x#f");
        let kept = with_fragment.join("/y").expect("a URL");
        assert_eq!(kept.shown(), "http://h:81/y#f");
    }

    proptest! {
        #[test]
        fn quoting_a_quoted_url_changes_nothing(rest in ".{0,40}") {
            if let Ok(once) = Target::parse(&format!("http://h/{rest}")) {
                let twice = Target::parse(&once.url).expect("a quoted URL");
                prop_assert_eq!(&once.url, &twice.url);
                prop_assert!(once.url.is_ascii());
                prop_assert!(once.url.bytes().all(|b| b > 32));
            }
        }
    }
}
