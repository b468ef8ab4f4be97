//! Whether the service is there, says that it is well, and has the same time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::Finding;

/// How long the service may take for anything.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of an answer that are looked at; its head is in them.
const ANSWER_MAX: u64 = 16 << 10;
/// What two clocks may differ by, with a second that HTTP does not tell.
const SKEW_MAX_S: i64 = 5;

/// A base URL, as far as a connection needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    tls: bool,
    /// What the `Host` header says.
    authority: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    path: String,
}

/// Connects, and asks `/health`.
pub(super) fn look(host: &str) -> Vec<Finding> {
    let Some(base) = parse(host) else {
        return vec![Finding::bad(format!(
            "--host {host} is no base of URLs: write http://NAME or http://NAME:PORT"
        ))];
    };
    let started = Instant::now();
    let mut socket = match connect(&base) {
        Ok(socket) => socket,
        Err(why) => return vec![Finding::bad(format!("{host} cannot be reached: {why}"))],
    };
    let ms = started.elapsed().as_secs_f64() * 1e3;
    let mut findings = vec![Finding::good(format!("{host} is reached in {ms:.1} ms"))];
    if base.tls {
        findings.push(Finding::note(format!(
            "{host} speaks https: the trial shows whether it is well"
        )));
        return findings;
    }
    match ask(&mut socket, &base) {
        Ok(head) => {
            findings.push(health(&head, host));
            findings.extend(clock(&head, Timestamp::now()));
        }
        Err(error) => findings.push(Finding::bad(format!(
            "{host}/health does not answer: {error}"
        ))),
    }
    findings
}

/// `http://user@host:port/path`, without what stands before the `@`.
pub(crate) fn parse(url: &str) -> Option<Base> {
    let (scheme, rest) = url.split_once("://")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{}", path.trim_end_matches('/'))),
        None => (rest, String::new()),
    };
    let authority = authority
        .rsplit('@')
        .next()
        .filter(|authority| !authority.is_empty())?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, if tls { 443 } else { 80 }),
    };
    Some(Base {
        tls,
        authority: authority.to_owned(),
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        path: if path == "/" { String::new() } else { path },
    })
}

fn connect(base: &Base) -> Result<TcpStream, String> {
    let addresses = (base.host.as_str(), base.port).to_socket_addrs();
    let addresses: Vec<SocketAddr> = addresses.map_err(|error| error.to_string())?.collect();
    let mut why = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(socket) => return Ok(socket),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// The head of the answer to `GET /health`, in lines.
fn ask(socket: &mut TcpStream, base: &Base) -> std::io::Result<String> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    write!(
        socket,
        "GET {}/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        base.path, base.authority
    )?;
    let mut answer = Vec::new();
    socket.take(ANSWER_MAX).read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    Ok(head.to_owned())
}

fn health(head: &str, host: &str) -> Finding {
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok());
    match status {
        Some(200..=299_u16) => {
            Finding::good(format!("{host}/health says that the service is well"))
        }
        Some(404) => {
            Finding::note("the service has no /health: the trial shows whether it is well")
        }
        Some(status) => Finding::bad(format!("{host}/health answers {status}")),
        None => Finding::bad(format!("{host} does not speak HTTP")),
    }
}

/// A note if the service's clock differs: its logs and this program's then do not fit.
fn clock(head: &str, now: Timestamp) -> Option<Finding> {
    let date = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then_some(value.trim())
    })?;
    let theirs = rfc2822::parse(date).ok()?.timestamp();
    let skew_s = theirs.as_second() - now.as_second();
    (skew_s.abs() > SKEW_MAX_S).then(|| {
        Finding::note(format!(
            "the service's clock differs by {skew_s} s: its log and this test's times will not fit"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_taken_apart() {
        for (url, expected) in [
            ("http://x", Some((false, "x", "x", 80, ""))),
            (
                "https://me:pw@x:8443/api/",
                Some((true, "x:8443", "x", 8443, "/api")),
            ),
            ("http://[::1]:81", Some((false, "[::1]:81", "::1", 81, ""))),
            ("http://[::1]/", Some((false, "[::1]", "::1", 80, ""))),
            ("x:80", None),
            ("ftp://x", None),
            ("http://", None),
            ("http://x:port", None),
        ] {
            let base = parse(url);
            let found = base.as_ref().map(|base| {
                (
                    base.tls,
                    &*base.authority,
                    &*base.host,
                    base.port,
                    &*base.path,
                )
            });
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn an_answer_says_whether_the_service_is_well() {
        for (head, bad) in [
            ("HTTP/1.1 200 OK\r\nA: b", false),
            ("HTTP/1.1 404 Not Found", false),
            ("HTTP/1.1 503 Busy", true),
            ("SSH-2.0", true),
            ("", true),
        ] {
            assert_eq!(health(head, "http://x").is_bad(), bad, "{head}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_is_noted() {
        let now: Timestamp = "2026-11-25T09:00:00Z".parse().expect("a time");
        let head = |date| format!("HTTP/1.1 200 OK\r\ndate: {date}");
        assert_eq!(clock(&head("Wed, 25 Nov 2026 09:00:03 GMT"), now), None);
        assert!(clock(&head("Wed, 25 Nov 2026 10:00:00 GMT"), now).is_some());
        assert_eq!(clock(&head("nonsense"), now), None);
        assert_eq!(clock("HTTP/1.1 200 OK", now), None);
    }
}
