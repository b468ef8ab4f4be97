//! Work that waits for disks, away from the threads that serve connections.

use std::sync::Arc;

use classifier_store::{Store, StoreError};
use tokio::task::spawn_blocking;

use super::error::ApiError;

/// Runs `work` to its end on a thread for such work, even if nobody waits any more.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = spawn_blocking(work).await;
    done.expect("work in the background does not panic")
}

/// Asks the store.
pub(crate) async fn ask<T: Send + 'static>(
    store: &Arc<Store>,
    question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let store = Arc::clone(store);
    in_background(move || Ok(question(&store)?)).await
}
