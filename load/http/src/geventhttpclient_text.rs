//! Failures in the words of geventhttpclient, behind Locust's FastHttpUser.
//!
//! Source: printed by Locust 2.47.0 for the same cases.

use crate::error::HttpError;
use crate::locust_text::{errno_error, repr};

/// What the failure table says of an answer whose status is no success.
pub(crate) fn failure_of_status(status: u16) -> Option<String> {
    let is_success = matches!(status, 200..=208 | 226 | 301..=304 | 307 | 308);
    (!is_success).then(|| format!("LocustBadStatusCode(code={status})"))
}

/// What it says of a request for `url` without an answer.
pub(crate) fn cause(error: &HttpError, url: &str) -> String {
    match error {
        HttpError::Connect { errno, .. } => errno_error(*errno),
        HttpError::ConnectTimeout { .. } | HttpError::ReadTimeout { .. } => {
            format!("RetriesExceeded({}, 0, original=timed out)", repr(url))
        }
        HttpError::Disconnected | HttpError::Broken { .. } => {
            "HTTPConnectionClosed('connection closed.')".to_owned()
        }
        HttpError::BadStatusLine(line) if line.starts_with("HTTP/") => {
            "HTTPParseError('Invalid status code', 13)".to_owned()
        }
        HttpError::BadStatusLine(_) => {
            "HTTPParseError('Expected HTTP/, RTSP/ or ICE/', 8)".to_owned()
        }
        HttpError::Incomplete { .. } | HttpError::EndedPrematurely => {
            "HTTPParseError('Incomplete response.')".to_owned()
        }
        HttpError::BadChunk(_) => {
            "HTTPParseError('Invalid character in chunk size', 12)".to_owned()
        }
        HttpError::BadCoding { reason, .. } => format!("error({})", repr(reason)),
        HttpError::TooManyRedirects(limit) => {
            let text = format!("Redirection limit reached ({limit})");
            format!("RetriesExceeded({}, {})", repr(url), repr(&text))
        }
        HttpError::Tls {
            reason,
            certificate,
            ..
        } => {
            let class = if *certificate {
                "SSLCertVerificationError"
            } else {
                "SSLError"
            };
            format!("{class}(1, {})", repr(reason))
        }
        other => other.cause(),
    }
}
