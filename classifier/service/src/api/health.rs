//! `GET /health`, and what orchestrators ask: `/live` and `/ready`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::blocking::ask;

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
    model_loaded: bool,
    model_version: String,
    uptime_seconds: u64,
}

/// Whether the service has a model, and which.
#[utoipa::path(get, path = "/health", tag = "Service", responses((status = 200, body = Health)))]
pub(crate) async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    // Healthy as soon as it answers: the service does not start without its model.
    Json(Health {
        status: "healthy",
        model_loaded: true,
        model_version: app.predictor.model().version().to_owned(),
        uptime_seconds: app.started.elapsed().as_secs(),
    })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    alive: bool,
}

/// Whether the process answers at all: an orchestrator restarts it when it does not.
#[utoipa::path(get, path = "/live", tag = "Service", responses((status = 200, body = Alive)))]
pub(crate) async fn live() -> Json<Alive> {
    Json(Alive { alive: true })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    ready: bool,
    /// Whether the database answers; `null` where that does not matter.
    store: Option<bool>,
    /// Whether the folder or bucket of images and models answers; `null` where that does not matter.
    objects: Option<bool>,
    /// Whether one more image could wait for a thread.
    queue: bool,
    /// Whether the service was told to stop, and still answers for a while.
    draining: bool,
}

/// What a request is for.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Purpose {
    /// `predictions`: what needs the store does not matter.
    #[serde(rename = "for")]
    purpose: Option<String>,
}

/// The one purpose that is known.
const PREDICTIONS: &str = "predictions";

/// Whether requests should come here: a balancer passes them to others when not.
#[utoipa::path(get, path = "/ready", tag = "Service", params(Purpose),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(crate) async fn ready(
    State(app): State<Arc<App>>,
    Query(asked): Query<Purpose>,
) -> (StatusCode, Json<Readiness>) {
    let (store, objects) = match asked.purpose.as_deref() {
        // Not even asked: a store that is silent would keep who waits for the answer.
        Some(PREDICTIONS) => (None, None),
        _ => {
            let store = ask(&app.store, |store| store.serving_model());
            let objects = ask(&app.store, |store| Ok(store.objects_answer()));
            let (store, objects) = tokio::join!(store, objects);
            (Some(store.is_ok()), Some(objects.unwrap_or(false)))
        }
    };
    let queue = app.predictor.has_room();
    let draining = app.draining.load(Ordering::Relaxed);
    let answers = |part: Option<bool>| part.unwrap_or(true);
    let ready = answers(store) && answers(objects) && queue && !draining;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        ready,
        store,
        objects,
        queue,
        draining,
    };
    (status, Json(readiness))
}
