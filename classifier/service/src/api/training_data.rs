//! `POST /upload_training_data`: labelled images in, for the next retraining.

use std::panic::catch_unwind;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::Uri;
use classifier_imaging::{Class, GreyImage, Limits, decode};
use classifier_store::{Added, NewImage};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::blocking::in_background;
use super::error::{ApiError, Problem};
use super::{App, body, multipart};
use crate::base::brightness;

/// The field that images are in.
const FIELD: &str = "files";
/// The field, or the query's parameter, that says what they show.
const LABEL: &str = "label";
/// Of a label that is none, no more is repeated to its sender.
const LABEL_CHARS_MAX: usize = 64;
/// Smaller images show nothing that could be learnt.
const SIDE_MIN: usize = 32;

/// What an upload may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadLimits {
    /// The whole request, in bytes.
    pub(crate) request_bytes_max: usize,
    /// One image file, in bytes.
    pub(crate) file_bytes_max: usize,
    pub(crate) files_max: usize,
    /// All uploads together on disk, in bytes.
    pub(crate) stored_bytes_max: u64,
    pub(crate) image: Limits,
}

/// Images of one class.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form that is read field by field")]
pub(crate) struct ImagesForm {
    /// JPEG or PNG, all of one class.
    #[schema(value_type = Vec<String>, format = Binary)]
    files: Vec<Vec<u8>>,
}

/// What the images show.
#[derive(IntoParams)]
#[expect(dead_code, reason = "it describes a query that is read by hand")]
pub(crate) struct Label {
    /// Glioma, Meningioma, Pituitary or No_Tumor; may come as a form field instead.
    #[param(required = false)]
    label: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Reply {
    /// Images that are new.
    uploaded_count: usize,
    /// Images that were here before, or twice in the request.
    duplicates: usize,
    saved_path: String,
    /// The files' names there, in the order of the new images.
    names: Vec<String>,
    message: String,
}

/// Stores labelled images for the next retraining: all of them, or none.
#[utoipa::path(post, path = "/upload_training_data", tag = "Training data", params(Label),
    request_body(content = ImagesForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Reply), (status = "4XX", body = Problem), (status = 503, body = Problem),
        (status = 507, body = Problem)))]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Reply>, ApiError> {
    let (head, body) = request.into_parts();
    let in_query = match labels(query_labels(&head.uri)) {
        Ok(class) => class,
        Err(error) => {
            body::discard(body);
            return Err(error);
        }
    };
    let limits = app.uploads;
    let body = body::collect(&app, body, limits.request_bytes_max).await?;
    let form = multipart::files(
        &head.headers,
        body.bytes,
        FIELD,
        Some(LABEL),
        limits.files_max,
    )
    .await?;
    let in_form = labels(form.texts)?;
    let class = match (in_query, in_form) {
        (Some(one), Some(other)) if one != other => return Err(ApiError::Labels(one, other)),
        (one, other) => one.or(other).ok_or(ApiError::NoLabel)?,
    };
    let place = Arc::clone(&app.upload_places).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    let (store, share) = (Arc::clone(&app.store), body.share);
    let added = in_background(move || {
        // Held until the files are gone, even if the client has long left.
        let _held = (place, share);
        let images = check_all(&form.files, &limits)?;
        let now = Timestamp::now();
        Ok(store.add_uploads(class, &images, limits.stored_bytes_max, now)?)
    })
    .await?;
    app.metrics.count_uploads(class, added.names.len());
    Ok(Json(Reply::new(&app, class, added)))
}

impl Reply {
    fn new(app: &App, class: Class, added: Added) -> Reply {
        let Added { names, duplicates } = added;
        let (count, s) = (names.len(), if names.len() == 1 { "" } else { "s" });
        let before = match duplicates {
            0 => String::new(),
            count => format!("; {count} known already"),
        };
        Reply {
            uploaded_count: count,
            duplicates,
            saved_path: format!("{}/", app.store.upload_place(class)),
            message: format!("stored {count} new image{s} as {class}{before}"),
            names,
        }
    }
}

fn query_labels(uri: &Uri) -> Vec<String> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == LABEL)
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// The one class that labels name; `None` without any.
fn labels(texts: Vec<String>) -> Result<Option<Class>, ApiError> {
    let mut named = None;
    for text in texts {
        let class: Class = if text.chars().count() > LABEL_CHARS_MAX {
            let start: String = text.chars().take(LABEL_CHARS_MAX).collect();
            return Err(classifier_imaging::UnknownClass(format!("{start}…")).into());
        } else {
            text.parse()?
        };
        match named {
            Some(other) if other != class => return Err(ApiError::Labels(other, class)),
            _ => named = Some(class),
        }
    }
    Ok(named)
}

fn check_all<'a>(files: &'a [Bytes], limits: &UploadLimits) -> Result<Vec<NewImage<'a>>, ApiError> {
    let numbered = files.iter().zip(1..);
    numbered
        .map(|(content, number)| {
            if content.len() > limits.file_bytes_max {
                let max = limits.file_bytes_max;
                return Err(ApiError::FileTooLarge { number, max });
            }
            let checked = check(content, &limits.image);
            checked.map_err(|why| ApiError::TrainingImage { number, why })
        })
        .collect()
}

fn check<'a>(content: &'a [u8], limits: &Limits) -> Result<NewImage<'a>, String> {
    // A panic in a decoder would be a defect of ours; the service lives on.
    let decoded = catch_unwind(|| decode(content, limits));
    let image: GreyImage = decoded
        .map_err(|_| "this image cannot be decoded".to_owned())?
        .map_err(|error| error.to_string())?;
    let (width, height) = (image.width, image.height);
    if width.min(height) < SIDE_MIN {
        return Err(format!(
            "{width}×{height} pixels; at least {SIDE_MIN} a side are needed"
        ));
    }
    Ok(NewImage {
        content,
        ending: if content.starts_with(&[0xFF, 0xD8]) {
            "jpg"
        } else {
            "png"
        },
        width,
        height,
        brightness: brightness(&image),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Option<Class>, String> {
        let uri = format!("/upload_training_data?{query}").parse().unwrap();
        labels(query_labels(&uri)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_label_is_one_class_however_it_is_written() {
        for (query, class) in [
            ("label=glioma", Some(Class::Glioma)),
            ("x=1&label=no+tumor", Some(Class::NoTumor)),
            ("label=No%5FTumor&label=notumor", Some(Class::NoTumor)),
            ("", None),
            ("labels=glioma", None),
        ] {
            assert_eq!(read(query), Ok(class), "{query}");
        }
        let two = read("label=glioma&label=pituitary").unwrap_err();
        assert_eq!(two, "two different labels, Glioma and Pituitary");
    }

    #[test]
    fn hostile_labels_are_no_classes() {
        let long = format!("label={}", "a".repeat(5_000));
        for query in [
            "label=../../etc/passwd",
            "label=..%2Fglioma",
            "label=glioma%00",
            "label=gl%D0%B8oma",
            "label=%FF%FE",
            "label=",
            &long,
        ] {
            let error = read(query).unwrap_err();
            assert!(
                error.contains("Glioma, Meningioma, Pituitary or No_Tumor"),
                "{error}"
            );
            assert!(error.len() < 400, "{error}");
        }
    }
}
