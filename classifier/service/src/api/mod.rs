//! The HTTP interface: one file an endpoint.

mod blocking;
mod body;
mod dataset_stats;
mod error;
mod health;
mod index;
mod metrics;
mod model_versions;
mod multipart;
mod predict;
mod retrain;
mod training_data;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use classifier_store::Store;
use tokio::sync::Semaphore;

use crate::base::Summary;
use crate::memory::Budget;
use crate::metrics::Metrics;
use crate::prediction::Predictor;
use crate::retraining::Retraining;
use error::ApiError;
pub(crate) use training_data::UploadLimits;

/// What the endpoints share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) predictor: Arc<Predictor>,
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) retraining: Arc<Retraining>,
    /// Whether there are base images.
    pub(crate) can_retrain: bool,
    pub(crate) waiting_jobs_max: usize,
    pub(crate) uploads: UploadLimits,
    /// Uploads that are decoded at once; others wait, in the memory for bodies.
    pub(crate) upload_places: Arc<Semaphore>,
    /// Empty without base images, and until a folder of them has been looked through.
    pub(crate) base_summary: Arc<OnceLock<Summary>>,
    /// For all request bodies together.
    pub(crate) memory: Budget,
    /// For one request body.
    pub(crate) body_bytes_max: usize,
    /// From a request's head to the end of its body.
    pub(crate) body_within: Duration,
    pub(crate) started: Instant,
}

/// Every path that is answered.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(index::index))
        .route("/health", get(health::health))
        .route("/predict", post(predict::predict))
        .route("/upload_training_data", post(training_data::upload))
        .route("/dataset_stats", get(dataset_stats::dataset_stats))
        .route("/metrics", get(metrics::metrics))
        .route("/retrain", post(retrain::retrain))
        .route("/retrain_jobs", get(retrain::jobs))
        .route("/retrain_jobs/{job_id}/cancel", post(retrain::cancel))
        .route("/retrain_status/{job_id}", get(retrain::status))
        .route("/model_versions", get(model_versions::versions))
        .route(
            "/model_versions/{version}/serve",
            post(model_versions::serve),
        )
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), metrics::count))
        .with_state(app)
}

async fn no_such_path(request: Request) -> ApiError {
    let error = ApiError::NoSuchPath(request.uri().path().to_owned());
    body::discard(request.into_body());
    error
}

async fn wrong_method(request: Request) -> ApiError {
    let error = ApiError::WrongMethod {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
    };
    body::discard(request.into_body());
    error
}
