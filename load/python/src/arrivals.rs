//! Iterations of an open run, on their way to the users that take them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

/// One iteration that a user has to begin.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Arrival {
    /// When it should have begun.
    pub(crate) due: Instant,
    /// How much later it did, in µs.
    late_us: u64,
}

impl Arrival {
    /// It begins now.
    pub(crate) fn begun(due: Instant) -> Self {
        let late = Instant::now().saturating_duration_since(due);
        Self {
            due,
            late_us: u64::try_from(late.as_micros()).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn late_us(&self) -> u64 {
        self.late_us
    }
}

#[pymethods]
impl Arrival {
    /// How long after its time it began, in ms.
    #[getter]
    fn late_ms(&self) -> f64 {
        self.late_us as f64 / 1_000.0
    }
}

/// An arrival on its way, which nobody has begun.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Due(pub(crate) Instant);

/// Users that wait for an arrival, and their greenlets.
#[derive(Default)]
pub(crate) struct Pool(Mutex<HashMap<u64, Py<PyAny>>>);

impl Pool {
    pub(crate) fn join(&self, user: u64, greenlet: Py<PyAny>) {
        let before = self.lock().insert(user, greenlet);
        drop(before);
    }

    /// Who is to be told; `None` if the user does not wait any more.
    pub(crate) fn take(&self, user: u64) -> Option<Py<PyAny>> {
        self.lock().remove(&user)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Py<PyAny>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
