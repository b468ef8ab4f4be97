//! One session's cookies.
//!
//! Pure: the time comes as an argument. Rules: RFC 6265, without a list of public
//! suffixes; a cookie that a locustfile sets without a domain goes to every host,
//! as in requests.

use std::time::{Duration, SystemTime};

use cookie::Cookie;
use cookie::time::OffsetDateTime;

use crate::target::{Scheme, Target};

/// A cookie as a locustfile sees it: name, value, domain, path.
pub type CookieRow = (String, String, String, String);

/// The cookies, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Jar {
    stored: Vec<Stored>,
}

#[derive(Debug)]
struct Stored {
    name: String,
    value: String,
    /// Empty: every host.
    domain: String,
    /// Whether hosts below `domain` get it too.
    with_subdomains: bool,
    path: String,
    secure: bool,
    expires: Option<SystemTime>,
}

impl Jar {
    pub(crate) fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// Takes in a `Set-Cookie` header of an answer from `target`; what cannot be
    /// read, or is not that host's to set, is ignored. Keeps at most `max` cookies.
    pub(crate) fn take_in(&mut self, header: &str, target: &Target, now: SystemTime, max: usize) {
        let Ok(cookie) = Cookie::parse(header) else {
            return;
        };
        let domain = cookie.domain().unwrap_or_default().to_ascii_lowercase();
        let with_subdomains = !domain.is_empty() && domain != target.host;
        if !domain.is_empty() && !covers(&domain, true, &target.host) {
            return;
        }
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') => path.to_owned(),
            _ => default_path(target.path()),
        };
        let stored = Stored {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            domain: if domain.is_empty() {
                target.host.clone()
            } else {
                domain
            },
            with_subdomains: with_subdomains || cookie.domain().is_some(),
            path,
            secure: cookie.secure() == Some(true),
            expires: expiry(&cookie, now),
        };
        self.store(stored, now, max);
    }

    /// Sets a cookie on behalf of the locustfile.
    pub(crate) fn set(&mut self, (name, value, domain, path): CookieRow, max: usize) {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let stored = Stored {
            name,
            value,
            domain,
            with_subdomains: true,
            path,
            secure: false,
            expires: None,
        };
        self.store(stored, SystemTime::UNIX_EPOCH, max);
    }

    /// Removes every cookie of this name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.stored.retain(|cookie| cookie.name != name);
    }

    pub(crate) fn clear(&mut self) {
        self.stored.clear();
    }

    pub(crate) fn rows(&self) -> Vec<CookieRow> {
        let row = |c: &Stored| {
            (
                c.name.clone(),
                c.value.clone(),
                c.domain.clone(),
                c.path.clone(),
            )
        };
        self.stored.iter().map(row).collect()
    }

    /// Appends `name=value` pairs, joined by `; `, that belong to a request.
    pub(crate) fn write(&self, out: &mut Vec<u8>, target: &Target, now: SystemTime) {
        let path = target.path().split('?').next().unwrap_or_default();
        let belongs = |c: &&Stored| {
            covers(&c.domain, c.with_subdomains, &target.host)
                && path_covers(&c.path, path)
                && (!c.secure || target.scheme == Scheme::Https)
                && c.expires.is_none_or(|expires| expires > now)
        };
        let mut belonging: Vec<_> = self.stored.iter().filter(belongs).collect();
        belonging.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        for cookie in belonging {
            push_pair(out, &cookie.name, &cookie.value);
        }
    }

    fn store(&mut self, new: Stored, now: SystemTime, max: usize) {
        let same = |c: &Stored| c.name == new.name && c.domain == new.domain && c.path == new.path;
        let gone = new.expires.is_some_and(|expires| expires <= now);
        match self.stored.iter().position(same) {
            Some(at) if gone => {
                self.stored.remove(at);
            }
            Some(at) => self.stored[at] = new,
            None if gone => {}
            None => {
                if self.stored.len() >= max {
                    self.stored.remove(0);
                }
                self.stored.push(new);
            }
        }
    }
}

/// Appends one pair to a `Cookie` header's value.
pub(crate) fn push_pair(out: &mut Vec<u8>, name: &str, value: &str) {
    if !out.is_empty() {
        out.extend_from_slice(b"; ");
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    out.extend_from_slice(value.as_bytes());
}

fn expiry(cookie: &Cookie<'_>, now: SystemTime) -> Option<SystemTime> {
    if let Some(age) = cookie.max_age() {
        let seconds = u64::try_from(age.whole_seconds()).unwrap_or(0);
        return now.checked_add(Duration::from_secs(seconds));
    }
    let at: OffsetDateTime = cookie.expires_datetime()?;
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn covers(domain: &str, with_subdomains: bool, host: &str) -> bool {
    let below = || {
        with_subdomains
            && host
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
            && host.parse::<std::net::IpAddr>().is_err()
    };
    domain.is_empty() || domain == host || below()
}

/// Source: RFC 6265, section 5.1.4.
fn path_covers(cookie: &str, path: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

fn default_path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    match path.rfind('/') {
        Some(at) if at > 0 => path[..at].to_owned(),
        _ => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn sent(jar: &Jar, url: &str) -> String {
        let mut out = Vec::new();
        let later = NOW + Duration::from_secs(10);
        jar.write(&mut out, &Target::parse(url).expect("a URL"), later);
        String::from_utf8(out).expect("text")
    }

    fn jar(headers: &[&str]) -> Jar {
        let mut jar = Jar::default();
        let target = Target::parse("http://www.example.org/a/b?c").expect("a URL");
        for header in headers {
            jar.take_in(header, &target, NOW, 3);
        }
        jar
    }

    #[test]
    fn cookies_go_where_they_belong() {
        for (why, header, url, expected) in [
            ("same host", "k=v; Path=/", "http://www.example.org/", "k=v"),
            ("other host", "k=v; Path=/", "http://example.org/", ""),
            (
                "other port",
                "k=v; Path=/",
                "http://www.example.org:81/",
                "k=v",
            ),
            (
                "a subdomain",
                "k=v; Domain=.example.org; Path=/",
                "http://a.example.org/",
                "k=v",
            ),
            (
                "no subdomain",
                "k=v; Domain=example.org; Path=/",
                "http://badexample.org/",
                "",
            ),
            (
                "a foreign domain",
                "k=v; Domain=other.org; Path=/",
                "http://other.org/",
                "",
            ),
            (
                "the default path",
                "k=v",
                "http://www.example.org/a/x",
                "k=v",
            ),
            (
                "beside the default path",
                "k=v",
                "http://www.example.org/ab",
                "",
            ),
            (
                "secure",
                "k=v; Path=/; Secure",
                "http://www.example.org/",
                "",
            ),
            (
                "secure over TLS",
                "k=v; Path=/; Secure",
                "https://www.example.org/",
                "k=v",
            ),
            (
                "still valid",
                "k=v; Path=/; Max-Age=11",
                "http://www.example.org/",
                "k=v",
            ),
            (
                "expired",
                "k=v; Path=/; Max-Age=9",
                "http://www.example.org/",
                "",
            ),
            (
                "expired by date",
                "k=v; Path=/; Expires=Thu, 01 Jan 1970 00:00:05 GMT",
                "http://www.example.org/",
                "",
            ),
            ("garbage", ";;;", "http://www.example.org/", ""),
        ] {
            assert_eq!(sent(&jar(&[header]), url), expected, "{why}");
        }
    }

    #[test]
    fn cookies_are_replaced_removed_and_bounded() {
        let url = "http://www.example.org/";
        assert_eq!(sent(&jar(&["k=1; Path=/", "k=2; Path=/"]), url), "k=2");
        assert_eq!(
            sent(&jar(&["k=1; Path=/", "k=; Path=/; Max-Age=0"]), url),
            ""
        );
        let four = ["a=1; Path=/", "b=2; Path=/", "c=3; Path=/", "d=4; Path=/"];
        assert_eq!(sent(&jar(&four), url), "b=2; c=3; d=4");
        let mut own = jar(&[]);
        own.set(("x".into(), "y".into(), String::new(), "/".into()), 3);
        assert_eq!(sent(&own, "http://anywhere/"), "x=y");
        own.remove("x");
        assert!(own.is_empty());
    }
}
