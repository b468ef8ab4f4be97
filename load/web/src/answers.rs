//! Kinds of answers.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
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
