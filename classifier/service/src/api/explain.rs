//! `POST /explain`: a prediction, and which places of the image it comes from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use classifier_imaging::{Limits, decode, framed_part, preprocess};
use classifier_model::{Classifier, Scratch};
use serde::Serialize;
use utoipa::ToSchema;

use super::blocking::in_background;
use super::error::{ApiError, Problem};
use super::predict::{FIELD, ImageForm};
use super::{App, body, multipart};
use crate::prediction::JobError;

#[derive(Serialize, ToSchema)]
pub(crate) struct Explanation {
    predicted_class_short: &'static str,
    confidence: f32,
    heat_map: HeatMap,
}

/// Values for (above zero) and against the predicted class.
#[derive(Serialize, ToSchema)]
struct HeatMap {
    /// Values in a row, and rows.
    side: usize,
    /// Row by row.
    values: Vec<f32>,
    /// The part of the image that the map covers, which is what the network saw: left edge, top
    /// edge, width, height, as shares of the image's width and height.
    area: [f64; 4],
}

/// Which of the four classes an image shows, and which of its places say so.
#[utoipa::path(post, path = "/explain", tag = "Predictions",
    request_body(content = ImageForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Explanation), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn explain(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Explanation>, ApiError> {
    let (head, body) = request.into_parts();
    let body = body::collect(&app, body, app.body_bytes_max).await?;
    let file = multipart::file(&head.headers, body.bytes, FIELD).await?;
    // Not urgent: it takes turns with uploads, and leaves predictions their threads.
    let place = Arc::clone(&app.upload_places).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    let (classifier, limits, share) = (app.predictor.model(), app.uploads.image, body.share);
    let explained = in_background(move || {
        let _held = (place, share);
        let work = AssertUnwindSafe(|| judge(&classifier, &file, &limits));
        let judged = catch_unwind(work).unwrap_or(Err(JobError::DecoderPanicked));
        judged.map_err(ApiError::Image)
    });
    Ok(Json(explained.await?))
}

fn judge(classifier: &Classifier, file: &[u8], limits: &Limits) -> Result<Explanation, JobError> {
    let image = decode(file, limits)?;
    let input = preprocess(&image, classifier.preprocessing());
    let (prediction, attention) = classifier.explain(&mut Scratch::default(), &input);
    Ok(Explanation {
        predicted_class_short: prediction.class().short_name(),
        confidence: prediction.confidence(),
        heat_map: HeatMap {
            side: attention.side,
            values: attention.values,
            area: framed_part(&image, classifier.preprocessing()),
        },
    })
}
