//! The engine's actions on their way to Python.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use acrida_cli::run::Change;
use acrida_engine::{Action, Ending};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// What Python is to do.
#[derive(Debug)]
pub(crate) enum Call {
    /// The engine asks for it.
    Action(Action),
    /// Somebody at the web page does.
    Change(Change),
    /// Somebody wants to see the page with this URL.
    OpenPage(String),
}

/// Calls that Python has not taken yet, in order. Bounded by what the engine asks
/// for (at most a start and an end for each user) and by how fast people click.
#[derive(Debug, Default)]
pub(crate) struct Actions(Mutex<VecDeque<Call>>);

impl Actions {
    /// Adds calls that Python takes together.
    pub(crate) fn extend(&self, calls: impl IntoIterator<Item = Call>) {
        self.lock().extend(calls);
    }

    pub(crate) fn take(&self) -> VecDeque<Call> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a method of Python's `Run`, after `on_`, and its arguments; `None`
/// for what is not Python's to do.
pub(crate) fn call_of<'py>(py: Python<'py>, call: Call) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let none = || PyTuple::empty(py);
    let action = match call {
        Call::Action(action) => action,
        Call::Change(change) => return change_of(change).into_pyobject(py).map(Some),
        Call::OpenPage(url) => return ("open_page", (url,)).into_pyobject(py).map(Some),
    };
    let (name, arguments) = match action {
        // Arrivals go to their users at once.
        Action::ResetStats | Action::Dropped { .. } | Action::Arrive { .. } => return Ok(None),
        Action::TestStart => ("test_start", none()),
        Action::Spawn { user, class } => ("spawn", (user.0, class.0).into_pyobject(py)?),
        Action::SpawningComplete { user_count } => {
            ("spawning_complete", (user_count,).into_pyobject(py)?)
        }
        Action::StopUsers { users, ending } => {
            let users: Vec<u64> = users.into_iter().map(|user| user.0).collect();
            let grace_s = match ending {
                Ending::AtOnce { request_grace } => Some(request_grace.as_secs_f64()),
                Ending::AfterTask => None,
            };
            ("stop_users", (users, grace_s).into_pyobject(py)?)
        }
        Action::TestStopping => ("test_stopping", none()),
        Action::TestStop => ("test_stop", none()),
        Action::Quit => ("quit", none()),
    };
    (name, arguments).into_pyobject(py).map(Some)
}

/// The same for a change on the web page, its argument as JSON.
fn change_of(change: Change) -> (&'static str, (String,)) {
    let text = |value: serde_json::Result<String>| value.expect("names and numbers are JSON");
    match change {
        Change::Settings(settings) => ("settings", (text(serde_json::to_string(&settings)),)),
        Change::User(user) => ("user_change", (text(serde_json::to_string(&user)),)),
        Change::Classes(names) => ("classes", (text(serde_json::to_string(&names)),)),
        Change::Shape(run_time) => (
            "shape",
            (text(serde_json::to_string(
                &run_time.map(|limit| limit.as_secs()),
            )),),
        ),
        Change::ShapeClass(name) => ("shape_class", (text(serde_json::to_string(&name)),)),
        Change::StatsReset => ("stats_reset", ("null".to_owned(),)),
    }
}
