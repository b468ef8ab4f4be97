//! What a path names, such as a job.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::error::ApiError;

/// The one variable part of a path. A path that is no text names nothing.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named, ApiError> {
        let found = Path::<String>::from_request_parts(parts, state).await;
        let Ok(Path(name)) = found else {
            return Err(ApiError::NoSuchPath(parts.uri.path().to_owned()));
        };
        Ok(Named(name))
    }
}
