//! `GET /`.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct Index {
    service: &'static str,
    status: &'static str,
    version: &'static str,
}

/// Who answers here.
pub(crate) async fn index() -> Json<Index> {
    Json(Index {
        service: "Brain MRI classifier. Not a medical device.",
        status: "running",
        version: env!("CARGO_PKG_VERSION"),
    })
}
