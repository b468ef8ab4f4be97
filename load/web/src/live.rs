//! What only our own page asks for: the stream of frames, and the history that
//! was before it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use acrida_report::occurrences::{id_of_exception, id_of_failure};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::future::ready;
use serde::Deserialize;
use serde_json::json;
use tokio_stream::wrappers::WatchStream;

use crate::answers::{json_text, with_body};
use crate::frame;
use crate::history::histogram;
use crate::shared::Shared;

/// The most pages that may be open at the same time.
const PAGES_MAX: usize = 64;
/// Points of a sparkline.
const SPARK_POINTS: usize = 60;

/// `GET /live/events`: the state now, then a frame about once a second.
pub(crate) async fn events(State(shared): State<Arc<Shared>>) -> Response {
    if shared.watchers() >= PAGES_MAX {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open").into_response();
    }
    let (now, frames) = shared.watch();
    let later = WatchStream::from_changes(frames)
        .take_while(|frame| ready(**frame != *frame::END))
        .map(|frame| Event::default().data(&*frame));
    let first = futures_util::stream::once(ready(Event::default().data(now)));
    let events = first.chain(later).map(Ok::<_, Infallible>);
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Whose history; without a name, that of the whole test.
#[derive(Debug, Deserialize)]
pub(crate) struct Whose {
    #[serde(default)]
    method: String,
    name: Option<String>,
}

/// `GET /live/history`: the course of an endpoint, or of the whole test together
/// with the newest rates of every endpoint.
pub(crate) async fn history(
    State(shared): State<Arc<Shared>>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
) -> Response {
    let snapshot = shared.snapshot();
    let book = shared.book();
    let history = &book.history;
    let Some(name) = whose.name else {
        let mut sparks: HashMap<&str, HashMap<&str, Vec<f32>>> = HashMap::new();
        for entry in &snapshot.entries {
            if let Some(course) = history.course(&entry.method, &entry.name) {
                let points: Vec<_> = course.points().map(|point| point.rps).collect();
                let newest = points[points.len().saturating_sub(SPARK_POINTS)..].to_vec();
                sparks
                    .entry(&entry.method)
                    .or_default()
                    .insert(&entry.name, newest);
            }
        }
        let everything = json!({
            "points": history.total().points().collect::<Vec<_>>(),
            "heat": history.heat().collect::<Vec<_>>(),
            "sparks": sparks,
        });
        return with_body(
            json_text(StatusCode::OK, ""),
            everything.to_string(),
            &headers,
        );
    };
    let course = history.course(&whose.method, &name);
    let is_it =
        |entry: &&acrida_stats::EntrySnapshot| entry.method == whose.method && entry.name == name;
    let entry = snapshot.entries.iter().find(is_it);
    Json(json!({
        "points": course.map(|course| course.points().collect::<Vec<_>>()).unwrap_or_default(),
        "histogram": entry.map(histogram).unwrap_or_default(),
    }))
    .into_response()
}

/// `GET /live/occurrences`: how often each row of the newest frame's failures and
/// exceptions happened, in stretches of time that all rows share.
pub(crate) async fn occurrences(State(shared): State<Arc<Shared>>) -> Response {
    let snapshot = shared.snapshot();
    let book = shared.book();
    let occurrences = book.history.occurrences();
    let failures = snapshot.failures.iter().take(frame::ROWS_MAX);
    let failures = failures.map(|row| (id_of_failure(row), occurrences.of_failure(row)));
    let exceptions = snapshot.exceptions.iter().take(frame::ROWS_MAX);
    let exceptions = exceptions.map(|row| (id_of_exception(row), occurrences.of_exception(row)));
    let counts: HashMap<_, _> = failures
        .chain(exceptions)
        .map(|(id, counts)| (frame::hexadecimal(id), counts))
        .collect();
    Json(json!({
        "start": snapshot.start_us as f64 / 1e6,
        "ends": occurrences.ends_s(),
        "counts": counts,
    }))
    .into_response()
}
