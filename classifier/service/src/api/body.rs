//! Request bodies, read within limits: bytes, time, and memory for all of them.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::App;
use super::error::ApiError;
use crate::memory::Share;

/// How much of an unwanted body is still read, so that its sender gets to see the
/// reply: closing a socket while bytes come in may destroy what was sent on it.
const DISCARD_BYTES_MAX: usize = 32 * 1024 * 1024;
const DISCARD_WITHIN: Duration = Duration::from_secs(5);

/// A whole body, and its share of the memory for bodies.
pub(crate) struct Collected {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
}

/// Reads the whole of `body`, at most `max` bytes; beyond a limit it stops reading.
pub(crate) async fn collect(app: &App, mut body: Body, max: usize) -> Result<Collected, ApiError> {
    if body.size_hint().lower() > max as u64 {
        discard(body);
        return Err(ApiError::BodyTooLarge { max });
    }
    let reading = timeout(app.body_within, read(app, &mut body, max));
    let result = match reading.await {
        Ok(result) => result,
        Err(_) => return Err(ApiError::BodyTooSlow(app.body_within)),
    };
    if result.is_err() {
        discard(body);
    }
    result
}

async fn read(app: &App, body: &mut Body, max: usize) -> Result<Collected, ApiError> {
    let mut bytes = Vec::new();
    let mut share = app.memory.share();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::BodyBroken)?;
        let Ok(data) = frame.into_data() else {
            continue; // Trailers.
        };
        if bytes.len() + data.len() > max {
            return Err(ApiError::BodyTooLarge { max });
        }
        share.grow(data.len()).map_err(|_| ApiError::NoMemoryLeft)?;
        bytes.extend_from_slice(&data);
    }
    let bytes = bytes.into();
    Ok(Collected { bytes, share })
}

/// Reads and forgets what is left of `body`, in the background and within bounds,
/// while the reply is already on its way.
pub(crate) fn discard(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(timeout(DISCARD_WITHIN, async move {
        let mut left = DISCARD_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }));
}
