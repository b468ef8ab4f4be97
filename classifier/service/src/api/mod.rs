//! The HTTP interface: one file an endpoint.

mod body;
mod error;
mod health;
mod index;
mod predict;
mod upload;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};

use crate::memory::Budget;
use crate::prediction::Predictor;
use error::ApiError;

/// What the endpoints share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) predictor: Predictor,
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
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
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
