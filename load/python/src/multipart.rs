//! Bodies: made here, so that they reach the socket without another copy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A body that Python hands on without looking into it.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Body(pub(crate) Bytes);

#[pymethods]
impl Body {
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// A part: field, file name, content, content type, further headers.
type Part<'py> = (
    String,
    Option<String>,
    Bound<'py, PyBytes>,
    Option<String>,
    Vec<(String, String)>,
);

/// A `multipart/form-data` body and its content type.
/// Source of the form: RFC 7578, and urllib3's `encode_multipart_formdata`.
#[pyfunction]
pub(crate) fn encode_multipart(parts: Vec<Part<'_>>) -> (Body, String) {
    let boundary = boundary();
    let size = parts.iter().map(|part| part.2.as_bytes().len() + 256).sum();
    let mut out = Vec::with_capacity(size);
    for (field, file_name, content, content_type, headers) in &parts {
        let push = |out: &mut Vec<u8>, text: &str| out.extend_from_slice(text.as_bytes());
        push(&mut out, "--");
        push(&mut out, &boundary);
        push(&mut out, "\r\nContent-Disposition: form-data; name=\"");
        push(&mut out, &escaped(field));
        if let Some(name) = file_name {
            push(&mut out, "\"; filename=\"");
            push(&mut out, &escaped(name));
        }
        push(&mut out, "\"\r\n");
        if let Some(content_type) = content_type {
            push(&mut out, &format!("Content-Type: {content_type}\r\n"));
        }
        for (name, value) in headers {
            push(&mut out, &format!("{name}: {value}\r\n"));
        }
        push(&mut out, "\r\n");
        out.extend_from_slice(content.as_bytes());
        push(&mut out, "\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    (Body(out.into()), content_type)
}

/// As browsers write a name, and urllib3.
fn escaped(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\n', "%0A")
        .replace('\r', "%0D")
}

/// 32 hexadecimal digits that no content contains by accident.
fn boundary() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mixed =
        (since.as_nanos() as u64 ^ count.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{mixed:016x}{count:016x}")
}
