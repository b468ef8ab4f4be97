//! `GET /model_versions`, and the way back to one of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use classifier_store::{ModelVersion, StoreError};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::blocking::{ask, in_background};
use super::error::{ApiError, Problem};
use super::named::Named;
use super::{App, body};
use crate::retraining::load;

#[derive(Serialize, ToSchema)]
pub(crate) struct Versions {
    serving: Option<String>,
    /// The latest first.
    versions: Vec<Version>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Version {
    version: String,
    serving: bool,
    created_at: String,
    /// `null` for one that came as a file.
    job_id: Option<String>,
    /// On held-out images, 0.0 to 1.0.
    accuracy: Option<f64>,
    /// Of a retrained one: figures by class and confusion matrix, on held-out images.
    #[schema(value_type = Option<Object>)]
    evaluation: Option<Box<RawValue>>,
    sha256: String,
}

/// Every model version that is kept.
#[utoipa::path(get, path = "/model_versions", tag = "Model versions", responses((status = 200, body = Versions)))]
pub(crate) async fn versions(State(app): State<Arc<App>>) -> Result<Json<Versions>, ApiError> {
    let models = ask(&app.store, |store| store.model_versions()).await?;
    let serving = models.iter().find(|model| model.serving);
    Ok(Json(Versions {
        serving: serving.map(|model| model.version.clone()),
        versions: models.into_iter().map(Version::from).collect(),
    }))
}

/// Has a version serve in place of the present one.
#[utoipa::path(post, path = "/model_versions/{version}/serve", tag = "Model versions", params(("version" = String, Path)),
    responses((status = 200, body = Version), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn serve(
    State(app): State<Arc<App>>,
    Named(version): Named,
    request: Request,
) -> Result<Json<Version>, ApiError> {
    body::discard(request.into_body());
    let served = in_background(move || {
        let models = app.store.model_versions()?;
        let model = models.iter().find(|model| model.version == version);
        let Some(model) = model else {
            return Err(StoreError::UnknownVersion(version).into());
        };
        // Made ready first: one that cannot be used never becomes the one that serves.
        let classifier = load(&app.store, model).map_err(|error| ApiError::Model {
            version: version.clone(),
            why: format!("{:#}", error.root_cause()),
        })?;
        let served = app.store.serve_version(&version)?;
        app.predictor.replace(classifier);
        Ok(served)
    });
    Ok(Json(served.await?.into()))
}

impl From<ModelVersion> for Version {
    fn from(model: ModelVersion) -> Version {
        Version {
            version: model.version,
            serving: model.serving,
            created_at: model.created_at,
            job_id: model.job_id,
            accuracy: model.accuracy,
            evaluation: model
                .evaluation
                .and_then(|json| RawValue::from_string(json).ok()),
            sha256: model.hash,
        }
    }
}
