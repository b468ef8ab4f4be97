//! `POST /predict`: an image in, its class out.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use classifier_model::Prediction;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::error::{ApiError, Problem};
use super::{App, body, multipart};
use crate::base::by_class;
use crate::prediction::{Image, Outcome, Source, Timings};

/// The field that the image is in.
pub(crate) const FIELD: &str = "file";

/// One image.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read field by field")]
pub(crate) struct ImageForm {
    /// JPEG or PNG.
    #[schema(value_type = String, format = Binary, content_media_type = "image/jpeg")]
    file: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Reply {
    predicted_class: &'static str,
    predicted_class_short: &'static str,
    class_index: usize,
    confidence: f64,
    #[schema(value_type = HashMap<String, f64>)]
    probabilities: Probabilities,
    inference_time_ms: f64,
}

/// By the classes' short names, in index order.
struct Probabilities(Prediction);

type ServerTiming = [(&'static str, String); 1];
/// Only of a service that remembers results.
type FromCache = Option<[(&'static str, &'static str); 1]>;

/// Which of the four classes an image shows.
#[utoipa::path(post, path = "/predict", tag = "Predictions",
    request_body(content = ImageForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Reply), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn predict(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(ServerTiming, FromCache, Json<Reply>), ApiError> {
    let (head, body) = request.into_parts();
    let body = body::collect(&app, body, app.body_bytes_max).await?;
    let image = Image {
        bytes: multipart::file(&head.headers, body.bytes, FIELD).await?,
        share: body.share,
    };
    let Outcome {
        prediction,
        timings,
        source,
    } = app.predictor.predict(image).await?;
    let infer = (source == Source::Network).then_some(timings.infer);
    app.metrics.count_prediction(prediction.class(), infer);
    let headers = [("server-timing", server_timing(&timings))];
    let hit = if infer.is_none() { "hit" } else { "miss" };
    let from_cache = app.predictor.has_cache().then_some([("x-cache", hit)]);
    let reply = Json(Reply::new(prediction, &timings));
    Ok((headers, from_cache, reply))
}

impl Reply {
    fn new(prediction: Prediction, timings: &Timings) -> Reply {
        let class = prediction.class();
        Reply {
            predicted_class: class.full_name(),
            predicted_class_short: class.short_name(),
            class_index: class.index(),
            confidence: rounded(prediction.confidence()),
            probabilities: Probabilities(prediction),
            inference_time_ms: milliseconds(timings.infer),
        }
    }
}

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        by_class(&self.0.probabilities.map(rounded), serializer)
    }
}

/// To four decimals.
fn rounded(probability: f32) -> f64 {
    (f64::from(probability) * 1e4).round() / 1e4
}

/// To a thousandth.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Source: W3C Server Timing; `dur` is in milliseconds.
fn server_timing(timings: &Timings) -> String {
    format!(
        "queue;dur={}, decode;dur={}, preprocess;dur={}, infer;dur={}",
        milliseconds(timings.queue),
        milliseconds(timings.decode),
        milliseconds(timings.preprocess),
        milliseconds(timings.infer),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_has_the_contracts_names_order_and_rounding() {
        let prediction = Prediction {
            probabilities: [0.00096, 0.00773, 0.99101, 0.0003],
        };
        let timings = Timings {
            queue: Duration::from_micros(40),
            decode: Duration::from_micros(1_250),
            preprocess: Duration::from_nanos(66_400),
            infer: Duration::from_micros(3_100),
        };
        assert_eq!(
            serde_json::to_string(&Reply::new(prediction, &timings)).unwrap(),
            r#"{"predicted_class":"Pituitary Tumor","predicted_class_short":"Pituitary","class_index":2,"confidence":0.991,"probabilities":{"Glioma":0.001,"Meningioma":0.0077,"Pituitary":0.991,"No_Tumor":0.0003},"inference_time_ms":3.1}"#
        );
        assert_eq!(
            server_timing(&timings),
            "queue;dur=0.04, decode;dur=1.25, preprocess;dur=0.066, infer;dur=3.1"
        );
    }
}
