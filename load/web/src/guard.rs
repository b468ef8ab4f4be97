//! Who may talk to the page.
//!
//! Any page in the browser of somebody who runs a test can send requests to
//! 127.0.0.1. So the name under which this server was called has to be one of its
//! own (a foreign name that resolves to it is refused), what changes something has
//! to come from this page or from no page at all, and no page elsewhere may read
//! an answer.

use std::net::IpAddr;

/// The names that the server goes by, besides addresses and `localhost`.
#[derive(Debug, Clone, Default)]
pub struct Names(Vec<String>);

impl Names {
    /// Names as somebody set them; empty ones are left out.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names = names.into_iter().filter(|name| !name.is_empty());
        Self(names.map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request with this `Host` header was meant for this server.
    /// Addresses are: only a name can be made to resolve to somebody else.
    pub fn allow(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
            || self.0.iter().any(|own| own == name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && !ends_inside_brackets(name) =>
        {
            name
        }
        _ => host,
    }
}

/// `[::1` of `[::1]`: the colon was inside an address.
fn ends_inside_brackets(name: &str) -> bool {
    name.starts_with('[') && !name.ends_with(']')
}

/// Where a request comes from, as its headers tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct From<'a> {
    /// `Host`.
    pub host: &'a str,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
}

impl From<'_> {
    /// Whether it may change something: it comes from this page, or from no page.
    pub fn may_change(&self) -> bool {
        let own_origin = self.origin.is_none_or(|origin| {
            let authority = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(self.host))
        });
        let own_site = self
            .fetch_site
            .is_none_or(|site| matches!(site, "same-origin" | "none"));
        own_origin && own_site
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_answered() {
        let names = Names::new(["Load-Box".to_owned(), String::new()]);
        for (host, expected) in [
            ("127.0.0.1:8089", true),
            ("localhost:8089", true),
            ("LOCALHOST", true),
            ("[::1]:8089", true),
            ("[::1]", true),
            ("192.168.0.7", true),
            ("load-box:8089", true),
            ("load-box.", true),
            ("evil.example", false),
            ("evil.example:8089", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(names.allow(host), expected, "{host}");
        }
    }

    #[test]
    fn other_pages_may_change_nothing() {
        let host = "127.0.0.1:8089";
        for (origin, fetch_site, expected) in [
            (None, None, true),
            (Some("http://127.0.0.1:8089"), Some("same-origin"), true),
            (Some("https://127.0.0.1:8089"), None, true),
            (Some("http://127.0.0.1:9000"), None, false),
            (Some("http://evil.example"), None, false),
            (Some("null"), None, false),
            (None, Some("cross-site"), false),
            (None, Some("same-site"), false),
            (None, Some("none"), true),
        ] {
            let from = From {
                host,
                origin,
                fetch_site,
            };
            assert_eq!(from.may_change(), expected, "{origin:?} {fetch_site:?}");
        }
    }
}
