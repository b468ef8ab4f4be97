//! `GET /metrics`, and the counting of requests.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::App;
use crate::base::by_class;
use crate::metrics::RequestCount;

/// What Prometheus calls its text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Serialize, ToSchema)]
pub(crate) struct Figures {
    uptime_seconds: u64,
    model_version: String,
    request_count: u64,
    requests: Vec<RequestCount>,
    /// `null` before the first prediction.
    mean_inference_time_ms: Option<f64>,
    /// Of the latest 100 predictions, request to reply, the latest last.
    latest_latencies_ms: Vec<f64>,
    #[schema(value_type = HashMap<String, u64>)]
    predictions: Predictions,
    /// Of the predictions, those that were remembered.
    cached_predictions: u64,
    waiting_images: usize,
}

struct Predictions([u64; 4]);

/// Counts and times since the start, as JSON, or in Prometheus's text format for who accepts `text/plain`.
#[utoipa::path(get, path = "/metrics", tag = "Service", responses((status = 200, body = Figures)))]
pub(crate) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let waiting = app.predictor.waiting();
    if wants_text(&headers) {
        let text = app.metrics.to_text(waiting);
        return ([(CONTENT_TYPE, PROMETHEUS)], text).into_response();
    }
    let requests = app.metrics.requests();
    let model = app.predictor.model();
    Json(Figures {
        uptime_seconds: app.started.elapsed().as_secs(),
        model_version: model.version().to_owned(),
        request_count: requests.iter().map(|line| line.count).sum(),
        requests,
        mean_inference_time_ms: app.metrics.mean_inference_ms(),
        latest_latencies_ms: app.metrics.latest_ms(),
        predictions: Predictions(app.metrics.predictions()),
        cached_predictions: app.metrics.cached_predictions(),
        waiting_images: waiting,
    })
    .into_response()
}

/// Whether `text/plain` comes before `application/json`, if that is named at all.
fn wants_text(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    match (accept.find("text/plain"), accept.find("application/json")) {
        (Some(text), Some(json)) => text < json,
        (text, _) => text.is_some(),
    }
}

/// Around every route: counts the request once it is answered.
pub(crate) async fn count(
    State(app): State<Arc<App>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let arrived = Instant::now();
    let method = name_of(request.method());
    let response = next.run(request).await;
    let took = arrived.elapsed();
    let path = path.as_ref().map_or("(other)", MatchedPath::as_str);
    let status = response.status().as_u16();
    app.metrics.count_request(path, method, status, took);
    if path == "/predict" && status == 200 {
        app.metrics.remember_latency(took);
    }
    response
}

/// Clients may make up methods; the names that are counted stay few.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "(other)",
    }
}

impl Serialize for Predictions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        by_class(&self.0, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_gets_text_and_everyone_else_json() {
        for (accept, text) in [
            ("text/plain", true),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                true,
            ),
            ("*/*", false),
            ("application/json, text/plain, */*", false),
            ("text/html,application/xhtml+xml", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_text(&headers), text, "{accept}");
        }
        assert!(!wants_text(&HeaderMap::new()));
    }
}
