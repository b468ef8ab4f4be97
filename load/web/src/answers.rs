//! Kinds of answers.

use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// JSON as Locust's server writes it: indented, keys sorted, a line end at its end.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    json_text(status, pretty(value))
}

pub(crate) fn json_text(status: StatusCode, text: impl Into<Body>) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        text.into(),
    )
        .into_response()
}

pub(crate) fn html(status: StatusCode, text: impl Into<Body>) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        text.into(),
    )
        .into_response()
}

/// Whether who asks can unpack what is compressed.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| accepted.contains("gzip"))
}

pub(crate) fn zip(text: &str, level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    let written = encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish());
    written.expect("memory takes what is written")
}

/// `text` as the body of `response`, compressed if who asks, with `headers`, takes it.
pub(crate) fn with_body(mut response: Response, text: String, headers: &HeaderMap) -> Response {
    let body = if accepts_gzip(headers) {
        let own = response.headers_mut();
        own.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Body::from(zip(&text, Compression::fast()))
    } else {
        Body::from(text)
    };
    let vary = HeaderValue::from_static("Accept-Encoding");
    response.headers_mut().append(header::VARY, vary);
    *response.body_mut() = body;
    response
}

/// A file to save under `name`.
pub(crate) fn attachment(kind: &'static str, name: &str, text: impl Into<Body>) -> Response {
    let safe = |c: char| {
        if c.is_ascii_graphic() && c != '"' && c != ';' {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(safe).collect();
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment;filename={name}"),
        ),
    ];
    (headers, text.into()).into_response()
}
