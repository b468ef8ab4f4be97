//! The one file in a multipart body.

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use multer::Multipart;

/// Fields looked at before `file` has to have come.
const FIELDS_MAX: usize = 32;

/// Why a body holds no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("expected multipart/form-data with an image in the field {field:?}")]
    NotMultipart { field: &'static str },
    #[error("the multipart body is malformed: {0}")]
    Malformed(multer::Error),
    #[error("the field {field:?} is missing")]
    Missing { field: &'static str },
    #[error("the field {field:?} is empty")]
    Empty { field: &'static str },
}

/// The content of the first field called `field` of a multipart `body`.
pub(crate) async fn file(
    headers: &HeaderMap,
    body: Bytes,
    field: &'static str,
) -> Result<Bytes, UploadError> {
    let boundary = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or(UploadError::NotMultipart { field })?;
    let mut multipart = Multipart::new(Body::from(body).into_data_stream(), boundary);
    for _ in 0..FIELDS_MAX {
        let next = multipart.next_field().await;
        let Some(found) = next.map_err(UploadError::Malformed)? else {
            break;
        };
        if found.name() != Some(field) {
            continue;
        }
        let content = found.bytes().await.map_err(UploadError::Malformed)?;
        if content.is_empty() {
            return Err(UploadError::Empty { field });
        }
        return Ok(content);
    }
    Err(UploadError::Missing { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: Option<&str>, body: &str) -> Result<Bytes, String> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        }
        let body = Bytes::from(body.replace('\n', "\r\n"));
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        let result = runtime.block_on(file(&headers, body, "file"));
        result.map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_is_found_among_other_fields() {
        let body = "--x\nContent-Disposition: form-data; name=\"note\"\n\nhello\n\
                    --x\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\n\
                    Content-Type: image/jpeg\n\nimage\n--x--\n";
        let found = read(Some("multipart/form-data; boundary=x"), body);
        assert_eq!(found.unwrap(), "image");
    }

    #[test]
    fn bodies_without_a_file_are_told_apart() {
        let form = Some("multipart/form-data; boundary=x");
        let not_multipart = "expected multipart/form-data with an image in the field \"file\"";
        let missing = "the field \"file\" is missing";
        let many = "--x\nContent-Disposition: form-data; name=\"a\"\n\n1\n".repeat(99);
        for (content_type, body, expected) in [
            (None, "", not_multipart),
            (Some("image/jpeg"), "image", not_multipart),
            (Some("multipart/form-data"), "", not_multipart),
            (form, "--x--\n", missing),
            (form, &many, missing),
            (
                form,
                "--x\nContent-Disposition: form-data; name=\"File\"\n\n1\n--x--\n",
                missing,
            ),
            (
                form,
                "--x\nContent-Disposition: form-data; name=\"file\"\n\n\n--x--\n",
                "the field \"file\" is empty",
            ),
            (form, "", "the multipart body is malformed"),
            (
                form,
                "--x\nContent-Disposition: form-data; name=\"file\"\n\ncut of",
                "the multipart body is malformed",
            ),
        ] {
            let error = read(content_type, body).unwrap_err();
            assert!(error.starts_with(expected), "{error}\n{body}");
        }
    }
}
