//! What goes wrong with a request, as its client is told.

use std::time::Duration;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use classifier_imaging::{Class, UnknownClass};
use classifier_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::multipart::FormError;
use crate::prediction::{JobError, Refusal};

/// Seconds after which a client that was turned away may try again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// What every refusal says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What was wrong, with which part.
    detail: String,
}

/// Why a request is not answered as its client hoped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("there is nothing at {0}")]
    NoSuchPath(String),
    #[error("{path} does not answer {method}")]
    WrongMethod { method: Method, path: String },
    #[error("the body is longer than the {max} bytes that are accepted")]
    BodyTooLarge { max: usize },
    #[error("the body was not complete after {0:?}")]
    BodyTooSlow(Duration),
    #[error("the body broke off")]
    BodyBroken,
    #[error("too many uploads at once")]
    NoMemoryLeft,
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("field \"file\": {0}")]
    Image(JobError),
    #[error("{0}")]
    Busy(Refusal),
    #[error("the label is missing; give it as ?label= or as a field")]
    NoLabel,
    #[error("two different labels, {0} and {1}")]
    Labels(Class, Class),
    #[error(transparent)]
    Label(#[from] UnknownClass),
    #[error("image {number} is longer than the {max} bytes that are accepted")]
    FileTooLarge { number: usize, max: usize },
    #[error("image {number}: {why}")]
    TrainingImage { number: usize, why: String },
    #[error("{0}{cause}", cause = cause_of(.0))]
    Store(#[from] StoreError),
    #[error("retraining settings: {0}")]
    Settings(String),
    #[error("{0} retraining jobs wait already")]
    TooManyJobs(usize),
    #[error("there is no job {0:?}")]
    UnknownJob(String),
    #[error("job {id} cannot be cancelled: it is {status}")]
    JobEnded { id: String, status: &'static str },
    #[error("this service was started without images to retrain with; see --replay and --data")]
    NoBase,
    #[error("a web page of another origin may not ask for this")]
    AnotherPage,
    #[error("this needs the service's API key, as X-API-Key or as a bearer token")]
    NoKey,
    #[error("too many requests from this address; come back in {0} s")]
    TooOften(u64),
    #[error("model version {version} cannot be used: {why}")]
    Model { version: String, why: String },
}

/// What lies behind a failure of the store; without paths, which are nobody's business.
fn cause_of(error: &StoreError) -> String {
    match error {
        StoreError::File { source, .. } => format!(": {source}"),
        error => {
            std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"))
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::Job(error) => ApiError::Image(error),
            busy => ApiError::Busy(busy),
        }
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            ApiError::NoSuchPath(_) => StatusCode::NOT_FOUND,
            ApiError::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::BodyTooLarge { .. }
            | ApiError::FileTooLarge { .. }
            | ApiError::Form(FormError::TooManyFiles { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::AnotherPage => StatusCode::FORBIDDEN,
            ApiError::NoKey => StatusCode::UNAUTHORIZED,
            ApiError::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            ApiError::BodyTooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            ApiError::BodyBroken => StatusCode::BAD_REQUEST,
            ApiError::Form(_)
            | ApiError::NoLabel
            | ApiError::Labels(..)
            | ApiError::Label(_)
            | ApiError::Settings(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::Image(JobError::NetworkPanicked) => StatusCode::INTERNAL_SERVER_ERROR,
            ApiError::Image(_) | ApiError::TrainingImage { .. } => StatusCode::BAD_REQUEST,
            ApiError::UnknownJob(_) | ApiError::Store(StoreError::UnknownVersion(_)) => {
                StatusCode::NOT_FOUND
            }
            ApiError::JobEnded { .. }
            | ApiError::NoBase
            | ApiError::Model { .. }
            | ApiError::Store(StoreError::OtherLabel { .. }) => StatusCode::CONFLICT,
            ApiError::Store(StoreError::NoSpace) => StatusCode::INSUFFICIENT_STORAGE,
            ApiError::NoMemoryLeft
            | ApiError::Busy(_)
            | ApiError::TooManyJobs(_)
            | ApiError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, detail) = (self.status(), self.to_string());
        let wait = match self {
            ApiError::TooOften(seconds) => HeaderValue::from(seconds),
            _ => RETRY_AFTER_SECONDS,
        };
        let mut response = (status, Json(Problem { detail })).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, wait);
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_came_at_a_bad_time_is_told_when_to_come_back() {
        for (error, status, retry_after) in [
            (ApiError::Busy(Refusal::QueueFull), 503, Some("1")),
            (
                ApiError::from(Refusal::TooLate(Duration::from_secs(9))),
                503,
                Some("1"),
            ),
            (ApiError::NoMemoryLeft, 503, Some("1")),
            (ApiError::TooOften(7), 429, Some("7")),
            (ApiError::NoKey, 401, None),
            (ApiError::BodyTooLarge { max: 9 }, 413, None),
            (ApiError::BodyTooSlow(Duration::from_secs(9)), 408, None),
            (
                ApiError::from(Refusal::Job(JobError::DecoderPanicked)),
                400,
                None,
            ),
        ] {
            let name = error.to_string();
            let response = error.into_response();
            let header = response.headers().get(RETRY_AFTER);
            let header = header.map(|value| value.to_str().unwrap());
            assert_eq!(
                (response.status().as_u16(), header),
                (status, retry_after),
                "{name}"
            );
        }
    }
}
