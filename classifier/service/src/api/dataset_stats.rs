//! `GET /dataset_stats`: how many images there are of each class, and how they look.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::App;
use super::blocking::ask;
use super::error::ApiError;
use crate::base::{ClassSummary, Summary, by_class};

#[derive(Serialize, ToSchema)]
pub(crate) struct Stats {
    total_images: u64,
    /// `null` without base data, and while a folder of it is still looked through.
    base: Option<Part>,
    uploads: Part,
}

#[derive(Serialize, ToSchema)]
struct Part {
    images: u64,
    #[schema(value_type = HashMap<String, ClassSummary>)]
    classes: Classes,
}

struct Classes([ClassSummary; 4]);

/// How many images there are of each class, and how they look.
#[utoipa::path(get, path = "/dataset_stats", tag = "Training data", responses((status = 200, body = Stats)))]
pub(crate) async fn dataset_stats(State(app): State<Arc<App>>) -> Result<Json<Stats>, ApiError> {
    let uploads = ask(&app.store, |store| store.upload_totals()).await?;
    let uploads = Part::of(&Summary::from(uploads));
    let base = app.base_summary.get().map(Part::of);
    Ok(Json(Stats {
        total_images: uploads.images + base.as_ref().map_or(0, |base| base.images),
        base,
        uploads,
    }))
}

impl Part {
    fn of(summary: &Summary) -> Part {
        Part {
            images: summary.images(),
            classes: Classes(summary.classes()),
        }
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        by_class(&self.0, serializer)
    }
}
