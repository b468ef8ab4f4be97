//! `GET /health`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
    model_loaded: bool,
    model_version: String,
    uptime_seconds: u64,
}

/// Healthy as soon as it answers: the service does not start without its model.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    Json(Health {
        status: "healthy",
        model_loaded: true,
        model_version: app.predictor.model().version().to_owned(),
        uptime_seconds: app.started.elapsed().as_secs(),
    })
}
