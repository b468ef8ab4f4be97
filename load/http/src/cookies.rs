//! One session's cookies.
//!
//! Pure: the time comes as an argument. Rules: RFC 6265, without a list of public
//! suffixes; a cookie that a locustfile sets without a domain goes to every host,
//! as in requests.

use std::time::{Duration, SystemTime};

use cookie::Cookie;
use cookie::time::OffsetDateTime;

use crate::target::{Scheme, Target};

/// A cookie as a locustfile sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieRow {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
    /// The host that gets it; with a dot before it, hosts below it, too. Empty: every host.
    pub domain: String,
    /// Where the paths begin that it is for.
    pub path: String,
    /// Whether it goes over TLS only.
    pub secure: bool,
    /// When it ends, in seconds since 1970; `None`: with the session.
    pub expires: Option<u64>,
}

impl CookieRow {
    /// The domain without the dot before it.
    fn host(&self) -> String {
        self.domain.trim_start_matches('.').to_ascii_lowercase()
    }
}

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
    /// Whether the dot before `domain` is shown.
    dotted: bool,
    /// Whether hosts below `domain` get it too.
    with_subdomains: bool,
    path: String,
    secure: bool,
    expires: Option<SystemTime>,
}

impl Stored {
    fn row(&self) -> CookieRow {
        let seconds = |at: SystemTime| {
            at.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
        };
        CookieRow {
            name: self.name.clone(),
            value: self.value.clone(),
            domain: self.shown_domain(),
            path: self.path.clone(),
            secure: self.secure,
            expires: self.expires.map(|at| seconds(at).as_secs()),
        }
    }

    fn shown_domain(&self) -> String {
        let dot = if self.dotted { "." } else { "" };
        format!("{dot}{}", self.domain)
    }
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
        let is_given = !domain.is_empty();
        if is_given && !covers(&domain, true, &target.host) {
            return;
        }
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') => path.to_owned(),
            _ => default_path(target.path()),
        };
        let stored = Stored {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            domain: if is_given {
                domain
            } else {
                target.host.clone()
            },
            dotted: is_given,
            with_subdomains: is_given,
            path,
            secure: cookie.secure() == Some(true),
            expires: expiry(&cookie, now),
        };
        self.store(stored, now, max);
    }

    /// Sets a cookie on behalf of the locustfile.
    pub(crate) fn set(&mut self, row: CookieRow, max: usize) {
        let stored = Stored {
            domain: row.host(),
            dotted: row.domain.starts_with('.'),
            name: row.name,
            value: row.value,
            with_subdomains: true,
            path: row.path,
            secure: row.secure,
            expires: row
                .expires
                .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at))),
        };
        // Even one that has ended, as in Python's jar, since it is not sent anyway.
        self.store(stored, SystemTime::UNIX_EPOCH, max);
    }

    /// Removes the cookies that have this domain, path and name, as far as they are
    /// given; says whether there were any.
    pub(crate) fn remove(
        &mut self,
        domain: Option<&str>,
        path: Option<&str>,
        name: Option<&str>,
    ) -> bool {
        let before = self.stored.len();
        self.stored.retain(|cookie| {
            domain.is_some_and(|domain| cookie.shown_domain() != domain)
                || path.is_some_and(|path| cookie.path != path)
                || name.is_some_and(|name| cookie.name != name)
        });
        self.stored.len() < before
    }

    pub(crate) fn rows(&self) -> Vec<CookieRow> {
        self.stored.iter().map(Stored::row).collect()
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

    fn row(name: &str, domain: &str) -> CookieRow {
        CookieRow {
            name: name.into(),
            value: "y".into(),
            domain: domain.into(),
            path: "/".into(),
            ..CookieRow::default()
        }
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
        own.set(row("x", ""), 3);
        assert_eq!(sent(&own, "http://anywhere/"), "x=y");
        assert!(own.remove(None, None, Some("x")));
        assert!(own.is_empty());
    }

    #[test]
    fn rows_say_all_that_is_known_of_a_cookie() {
        let jar = jar(&["a=1; Path=/x; Secure; Max-Age=5", "b=2; Domain=Example.org"]);
        let [first, second] = &jar.rows()[..] else {
            panic!("two cookies");
        };
        let all = CookieRow {
            name: "a".into(),
            value: "1".into(),
            domain: "www.example.org".into(),
            path: "/x".into(),
            secure: true,
            expires: Some(5),
        };
        assert_eq!(first, &all);
        assert_eq!(second.domain, ".example.org");
        assert_eq!((second.path.as_str(), second.expires), ("/a", None));
    }

    #[test]
    fn of_two_cookies_of_one_name_one_can_be_removed() {
        let mut jar = jar(&[]);
        jar.set(row("x", ".example.org"), 3);
        jar.set(row("x", "example.com"), 3);
        assert!(!jar.remove(Some("example.org"), None, Some("x")));
        assert!(!jar.remove(Some("example.com"), Some("/a"), None));
        assert!(jar.remove(Some("example.com"), Some("/"), Some("x")));
        assert_eq!(jar.rows(), [row("x", ".example.org")]);
    }

    #[test]
    fn a_cookie_of_the_locustfile_ends_when_it_says() {
        let mut jar = jar(&[]);
        for (name, expires) in [("old", 9), ("new", 11)] {
            let expires = Some(expires);
            jar.set(
                CookieRow {
                    expires,
                    ..row(name, "")
                },
                3,
            );
        }
        assert_eq!(sent(&jar, "http://anywhere/"), "new=y");
        assert_eq!(jar.rows().len(), 2);
    }
}
