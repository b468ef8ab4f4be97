//! Files and fields in a multipart body.

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use multer::{Field, Multipart};

/// Fields besides files; more are refused.
const FIELDS_MAX: usize = 32;
/// A field that is no file is not read beyond this.
const TEXT_BYTES_MAX: usize = 1_000;

/// What is wrong with a multipart body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormError {
    #[error("expected multipart/form-data with an image in the field {field:?}")]
    NotMultipart { field: &'static str },
    #[error("the multipart body is malformed: {0}")]
    Malformed(multer::Error),
    #[error("the field {field:?} is missing")]
    Missing { field: &'static str },
    #[error("the field {field:?} is empty")]
    Empty { field: &'static str },
    #[error("more than {max} files in one upload; send them in several")]
    TooManyFiles { max: usize },
    #[error("the field {field:?} is there more than once; send one image at a time")]
    Several { field: &'static str },
    #[error("more than {FIELDS_MAX} fields besides the images")]
    TooManyFields,
}

/// Files of one name, and the values of one other field.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) files: Vec<Bytes>,
    pub(crate) texts: Vec<String>,
}

/// The content of the one field called `field` of a multipart `body`.
pub(crate) async fn file(
    headers: &HeaderMap,
    body: Bytes,
    field: &'static str,
) -> Result<Bytes, FormError> {
    let form = files(headers, body, field, None, 1).await;
    let mut form = form.map_err(|error| match error {
        FormError::TooManyFiles { .. } => FormError::Several { field },
        error => error,
    })?;
    Ok(form.files.remove(0))
}

/// One to `files_max` files called `field`, and what fields called `text_field` say.
pub(crate) async fn files(
    headers: &HeaderMap,
    body: Bytes,
    field: &'static str,
    text_field: Option<&str>,
    files_max: usize,
) -> Result<Form, FormError> {
    let mut multipart = open(headers, body, field)?;
    let (mut form, mut others) = (Form::default(), 0);
    while let Some(found) = multipart.next_field().await.map_err(FormError::Malformed)? {
        let name = found.name().map(str::to_owned);
        if name.as_deref() == Some(field) {
            if form.files.len() == files_max {
                return Err(FormError::TooManyFiles { max: files_max });
            }
            form.files.push(not_empty(content(found).await?, field)?);
            continue;
        }
        others += 1;
        if others > FIELDS_MAX {
            return Err(FormError::TooManyFields);
        }
        if name.is_some() && name.as_deref() == text_field {
            let content = content(found).await?;
            let kept = &content[..content.len().min(TEXT_BYTES_MAX)];
            form.texts.push(String::from_utf8_lossy(kept).into_owned());
        }
    }
    if form.files.is_empty() {
        return Err(FormError::Missing { field });
    }
    Ok(form)
}

fn open(
    headers: &HeaderMap,
    body: Bytes,
    field: &'static str,
) -> Result<Multipart<'static>, FormError> {
    let boundary = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or(FormError::NotMultipart { field })?;
    Ok(Multipart::new(
        Body::from(body).into_data_stream(),
        boundary,
    ))
}

/// A part of the body where it lies in one piece, as it does in a body that came whole; a copy
/// otherwise.
async fn content(mut field: Field<'_>) -> Result<Bytes, FormError> {
    let first = field.chunk().await.map_err(FormError::Malformed)?;
    let first = first.unwrap_or_default();
    let Some(next) = field.chunk().await.map_err(FormError::Malformed)? else {
        return Ok(first);
    };
    let rest = field.bytes().await.map_err(FormError::Malformed)?;
    Ok([first, next, rest].concat().into())
}

fn not_empty(content: Bytes, field: &'static str) -> Result<Bytes, FormError> {
    if content.is_empty() {
        return Err(FormError::Empty { field });
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let twice =
            "--x\nContent-Disposition: form-data; name=\"file\"\n\n1\n".repeat(2) + "--x--\n";
        let many = "--x\nContent-Disposition: form-data; name=\"a\"\n\n1\n".repeat(99);
        for (content_type, body, expected) in [
            (None, "", not_multipart),
            (Some("image/jpeg"), "image", not_multipart),
            (Some("multipart/form-data"), "", not_multipart),
            (form, "--x--\n", missing),
            (form, &many, "more than 32 fields besides the images"),
            (form, &twice, "the field \"file\" is there more than once"),
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

    fn files_of(body: &[u8]) -> Result<Form, FormError> {
        let content_type = "multipart/form-data; boundary=x".parse().unwrap();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        let body = Bytes::copy_from_slice(body);
        runtime.block_on(files(&headers, body, "files", Some("label"), 4))
    }

    /// Parts by name and content, as a client writes them.
    fn form(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut form = Vec::new();
        for (name, content) in parts {
            let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            form.extend([head.as_bytes(), content, b"\r\n"].concat());
        }
        form.extend(b"--x--\r\n");
        form
    }

    /// Names that are asked for and others; contents full of what boundaries consist of.
    fn parts() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
        let content = prop::collection::vec(prop::sample::select(&b"\r\n-xy\0\xff:;\""[..]), 1..40);
        let content = content.prop_filter("no boundary", |content| {
            let framed = [b"\r\n", &content[..], b"\r\n"].concat();
            !framed.windows(5).any(|five| five == b"\r\n--x")
        });
        let name = prop::sample::select(vec!["files", "label", "other", "FILES", ""]);
        prop::collection::vec((name.prop_map(str::to_owned), content), 0..8)
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(parts in parts()) {
            let of = |wanted: &str| -> Vec<Vec<u8>> {
                let wanted = parts.iter().filter(|(name, _)| name == wanted);
                wanted.map(|(_, content)| content.clone()).collect()
            };
            let found = files_of(&form(&parts));
            match of("files").len() {
                0 => prop_assert!(matches!(found, Err(FormError::Missing { .. })), "{found:?}"),
                1..=4 => {
                    let found = found.unwrap();
                    prop_assert_eq!(found.files, of("files"));
                    prop_assert_eq!(found.texts.len(), of("label").len());
                }
                _ => prop_assert!(matches!(found, Err(FormError::TooManyFiles { max: 4 })), "{found:?}"),
            }
        }

        #[test]
        fn damaged_forms_never_panic(parts in parts(), at: prop::sample::Index, value: u8, cut: bool) {
            let mut form = form(&parts);
            let at = at.index(form.len());
            if cut {
                form.truncate(at);
            } else {
                form[at] = value;
            }
            let _ = files_of(&form);
        }

        #[test]
        fn garbage_never_panics(content_type in "multipart/form-data[;=\" a-z-]{0,40}", body: Vec<u8>) {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.build().unwrap();
            let body = [b"--a\r\n", &body[..]].concat();
            let _ = runtime.block_on(file(&headers, body.into(), "file"));
        }
    }
}
