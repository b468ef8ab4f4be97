//! The HTTP interface: one file an endpoint.

mod blocking;
mod body;
mod dataset_stats;
mod error;
mod explain;
mod guard;
mod health;
mod index;
mod metrics;
mod model_versions;
mod multipart;
mod named;
mod page;
mod predict;
mod retrain;
mod training_data;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use classifier_store::Store;
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Summary;
use crate::memory::Budget;
use crate::metrics::Metrics;
use crate::prediction::Predictor;
use crate::retraining::Retraining;
use error::ApiError;
pub(crate) use guard::Guard;
pub(crate) use training_data::UploadLimits;

/// What the endpoints share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) predictor: Arc<Predictor>,
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) guard: Guard,
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
    /// Whether the service was told to stop.
    pub(crate) draining: Arc<AtomicBool>,
}

const JSON: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

/// Described at `/openapi.json`, together with the endpoints themselves.
#[derive(OpenApi)]
#[openapi(info(
    title = "Brain MRI classifier",
    description = "Tells four kinds of brain MRI slices apart. Not a medical device."
))]
struct Description;

/// Every path that is answered.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::health))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(predict::predict))
        .routes(routes!(explain::explain))
        .routes(routes!(training_data::upload))
        .routes(routes!(dataset_stats::dataset_stats))
        .routes(routes!(metrics::metrics))
        .routes(routes!(retrain::retrain))
        .routes(routes!(retrain::jobs))
        .routes(routes!(retrain::cancel))
        .routes(routes!(retrain::status))
        .routes(routes!(model_versions::versions))
        .routes(routes!(model_versions::serve))
        .split_for_parts();
    let description = serde_json::to_vec(&description).expect("a description is plain data");
    let description = Bytes::from(description);
    router
        .route("/", get(index::index))
        .route("/docs", get(page::page))
        .route("/assets/{*path}", get(page::asset))
        .route("/openapi.json", get(|| async { (JSON, description) }))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), guard::admit))
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
