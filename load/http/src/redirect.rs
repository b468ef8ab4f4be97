//! What an answer that points elsewhere makes of a request.
//!
//! Pure. Source of the rules: `SessionRedirectMixin` of requests 2.

use std::sync::Arc;

use crate::error::HttpError;
use crate::request::Request;
use crate::target::{Scheme, Target};

/// Turns `request` into the one that follows an answer with this status and
/// `Location`; false if it is no redirect.
pub(crate) fn follow(
    request: &mut Request,
    status: u16,
    location: &str,
) -> Result<bool, HttpError> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(false);
    }
    let bad = |error: crate::TargetError| HttpError::BadLocation(error.to_string());
    let next = request.target.join(location).map_err(bad)?;
    if !matches!(status, 307 | 308) {
        request.body = None;
        request.content_type = None;
        request.headers =
            request
                .headers
                .without(&["content-length", "content-type", "transfer-encoding"]);
    }
    let becomes_get = match status {
        303 | 302 => request.method != "HEAD",
        301 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        request.method = "GET".into();
    }
    if request.headers.present().cookie {
        request.headers = request.headers.without(&["cookie"]);
    }
    if leaves_trust(&request.target, &next) {
        request.authorization = None;
        if request.headers.present().authorization {
            request.headers = request.headers.without(&["authorization"]);
        }
    }
    request.target = Arc::new(next);
    Ok(true)
}

/// Whether credentials for `from` are not meant for `to`.
fn leaves_trust(from: &Target, to: &Target) -> bool {
    let upgraded =
        (from.scheme, from.port, to.scheme, to.port) == (Scheme::Http, 80, Scheme::Https, 443);
    from.host != to.host || (!upgraded && (from.scheme, from.port) != (to.scheme, to.port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Headers, Timeouts, Wording};

    fn request(method: &str, url: &str) -> Request {
        let fields = [("Content-Type", "x"), ("Authorization", "y")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Request {
            method: method.to_owned().into(),
            target: Arc::new(Target::parse(url).expect("a URL")),
            name: None,
            headers: Headers::new(fields.to_vec()).expect("valid headers"),
            content_type: None,
            body: Some("body".into()),
            cookies: Vec::new(),
            authorization: Some("z".to_owned()),
            timeouts: Timeouts::default(),
            max_redirects: Some(30),
            proxies: None,
            tls: None,
            wording: Wording::default(),
            streams: false,
            verdict_is_open: false,
            due: None,
        }
    }

    #[test]
    fn methods_and_bodies_change_as_in_requests() {
        for (status, method, expected, with_body) in [
            (301, "POST", "GET", false),
            (301, "PUT", "PUT", false),
            (302, "PUT", "GET", false),
            (303, "HEAD", "HEAD", false),
            (303, "DELETE", "GET", false),
            (307, "POST", "POST", true),
            (308, "PUT", "PUT", true),
        ] {
            let mut request = request(method, "http://h/a");
            assert_eq!(follow(&mut request, status, "b"), Ok(true));
            assert_eq!(
                (&*request.method, &*request.target.url),
                (expected, "http://h/b"),
                "{status}"
            );
            assert_eq!(request.body.is_some(), with_body, "{status} {method}");
            assert_eq!(
                request.headers.present().content_type,
                with_body,
                "{status} {method}"
            );
        }
        assert_eq!(
            follow(&mut request("GET", "http://h/"), 304, "b"),
            Ok(false)
        );
        let error = follow(&mut request("GET", "http://h/"), 302, "ftp://x/");
        assert!(matches!(error, Err(HttpError::BadLocation(_))));
    }

    #[test]
    fn credentials_stay_with_those_they_were_meant_for() {
        for (from, to, kept) in [
            ("http://h/", "/x", true),
            ("http://h/", "https://h/", true),
            ("http://h:81/", "https://h/", false),
            ("http://h/", "http://other/", false),
            ("http://h/", "http://h:81/", false),
        ] {
            let mut request = request("GET", from);
            assert_eq!(follow(&mut request, 302, to), Ok(true));
            assert_eq!(request.authorization.is_some(), kept, "{from} {to}");
            assert_eq!(request.headers.present().authorization, kept, "{from} {to}");
        }
    }
}
