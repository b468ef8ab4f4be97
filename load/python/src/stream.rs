//! A body that arrives while Python reads it.

use std::sync::Arc;

use acrida_http::{BodyStream, Piece};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::engine::Engine;
use crate::waiters::Waiter;

/// The body of one answer; when nobody holds it any more, its rest is not waited for.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Stream {
    engine: Py<Engine>,
    body: Arc<BodyStream>,
}

impl Stream {
    pub(crate) fn new(engine: Py<Engine>, body: Arc<BodyStream>) -> Self {
        Self { engine, body }
    }
}

#[pymethods]
impl Stream {
    /// What has come since the last time, as bytes; None at the end. If nothing has: in
    /// the event loop's thread a ticket, and `greenlet` is switched to when something has; any
    /// other thread waits. Where the rest will not come, why: as `Exchange.failure`.
    fn read(&self, py: Python<'_>, greenlet: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let engine = self.engine.get();
        let mut ticket = 0;
        let piece = if engine.is_in_loop_thread() {
            self.body.take(|| {
                ticket = engine.waiters().add(Waiter::Greenlet(greenlet));
                ticket
            })
        } else {
            py.detach(|| self.body.wait())
        };
        Ok(match piece {
            Piece::Bytes(bytes) => PyBytes::new(py, &bytes).into_any().unbind(),
            Piece::End => py.None(),
            Piece::Later => ticket.into_pyobject(py)?.into_any().unbind(),
            Piece::Failed(error) => (error.class(), error.to_string(), error.cause())
                .into_pyobject(py)?
                .into_any()
                .unbind(),
        })
    }

    /// Nobody waits for this ticket any more.
    fn abandon(&self, ticket: u64) {
        self.engine.get().waiters().abandon(ticket);
    }

    /// The rest is not wanted.
    fn close(&self) {
        self.body.abandon();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.body.abandon();
    }
}
