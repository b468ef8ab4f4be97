//! `GET /`.

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::page::page;

#[derive(Serialize)]
pub(crate) struct Index {
    service: &'static str,
    status: &'static str,
    version: &'static str,
}

/// Who answers here: the page for browsers, JSON for everyone else.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return page().await.into_response();
    }
    Json(Index {
        service: "Brain MRI classifier. Not a medical device.",
        status: "running",
        version: env!("CARGO_PKG_VERSION"),
    })
    .into_response()
}
