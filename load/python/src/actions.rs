//! The engine's actions on their way to Python.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use acrida_engine::{Action, Ending};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Actions that Python has not taken yet, in order. Bounded by what the engine asks
/// for: at most a start and an end for each user.
#[derive(Debug, Default)]
pub(crate) struct Actions(Mutex<VecDeque<Action>>);

impl Actions {
    pub(crate) fn push(&self, action: Action) {
        self.lock().push_back(action);
    }

    pub(crate) fn take(&self) -> VecDeque<Action> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Action>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a method of Python's `Run`, after `on_`, and its arguments; `None`
/// for what is not Python's to do.
pub(crate) fn call_of<'py>(
    py: Python<'py>,
    action: Action,
) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let none = || PyTuple::empty(py);
    let (name, arguments) = match action {
        Action::ResetStats => return Ok(None),
        Action::TestStart => ("test_start", none()),
        Action::Spawn { user, class } => ("spawn", (user.0, class.0).into_pyobject(py)?),
        Action::SpawningComplete { user_count } => {
            ("spawning_complete", (user_count,).into_pyobject(py)?)
        }
        Action::StopUsers { users, ending } => {
            let users: Vec<u64> = users.into_iter().map(|user| user.0).collect();
            let at_once = matches!(ending, Ending::AtOnce { .. });
            ("stop_users", (users, at_once).into_pyobject(py)?)
        }
        Action::TestStopping => ("test_stopping", none()),
        Action::TestStop => ("test_stop", none()),
        Action::Quit => ("quit", none()),
    };
    (name, arguments).into_pyobject(py).map(Some)
}
