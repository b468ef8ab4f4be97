//! Python's way of writing values, where Locust's tables show it.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// `repr()` of a text.
/// Source: CPython's `unicode_repr`; characters beyond ASCII count as printable.
pub fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if u32::from(c) < 0x20 || c == '\x7f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// What the failure table says of an answer with a status of 400 or above.
pub fn failure_of_status(status: u16, reason: &str, name: &str) -> Option<String> {
    (status >= 400).then(|| {
        let whose = if status < 500 { "Client" } else { "Server" };
        let text = format!("{status} {whose} Error: {reason} for url: {name}");
        format!("HTTPError({})", repr(&text))
    })
}

/// `repr()` of the exception that Python raises for an error of the system.
pub(crate) fn errno_error(errno: i32) -> String {
    let class = match io::Error::from_raw_os_error(errno).kind() {
        io::ErrorKind::ConnectionRefused => "ConnectionRefusedError",
        io::ErrorKind::ConnectionReset => "ConnectionResetError",
        io::ErrorKind::ConnectionAborted => "ConnectionAbortedError",
        io::ErrorKind::BrokenPipe => "BrokenPipeError",
        io::ErrorKind::TimedOut => "TimeoutError",
        io::ErrorKind::PermissionDenied => "PermissionError",
        _ => "OSError",
    };
    format!("{class}({errno}, {})", repr(&os_message(errno)))
}

/// The system's words for `errno`, without Rust's addition.
pub(crate) fn os_message(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let end = text.rfind(" (os error").unwrap_or(text.len());
    text[..end].to_owned()
}

/// Seconds as somebody wrote them in a locustfile: `1` or `0.25`.
pub(crate) fn float(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_python_does() {
        for (text, expected) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("a\r\n\t\x01é", "'a\\r\\n\\t\\x01é'"),
            ("\\", "'\\\\'"),
        ] {
            assert_eq!(repr(text), expected);
        }
    }

    #[test]
    fn failures_read_like_locusts() {
        // Expected values: printed by Locust 2.47.0.
        let text = failure_of_status(404, "Nope", "/x");
        let expected = "HTTPError('404 Client Error: Nope for url: /x')";
        assert_eq!(text.as_deref(), Some(expected));
        assert_eq!(failure_of_status(399, "", "/x"), None);
        assert_eq!(
            errno_error(111),
            "ConnectionRefusedError(111, 'Connection refused')"
        );
        assert_eq!(
            errno_error(104),
            "ConnectionResetError(104, 'Connection reset by peer')"
        );
        assert_eq!(float(Duration::from_millis(300)), "0.3");
        assert_eq!(float(Duration::from_secs(1)), "1");
    }
}
