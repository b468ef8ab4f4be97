//! Which user class is next, for dispatchers of a program's own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use acrida_engine::plan::Dispatch;
use acrida_engine::{ClassId, UserClass};
use pyo3::prelude::*;

/// The engine's order of user classes; a class is its index among those it was made with.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Picks(Mutex<Dispatch>);

impl Picks {
    fn lock(&self) -> MutexGuard<'_, Dispatch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Picks {
    /// Starts from no users at all; a class is a name, a weight and a fixed count.
    #[new]
    fn new(classes: Vec<(String, f64, u64)>) -> Self {
        let class = |(name, weight, fixed_count)| UserClass {
            name,
            weight,
            fixed_count,
        };
        let classes: Vec<_> = classes.into_iter().map(class).collect();
        Self(Mutex::new(Dispatch::new(&classes)))
    }

    /// From now on only these are picked.
    fn choose_from(&self, chosen: Vec<usize>) {
        let chosen: Vec<_> = chosen.into_iter().map(ClassId).collect();
        self.lock().choose_from(&chosen);
    }

    /// The class of the next user; None once fixed counts are reached and nothing has a weight.
    fn pick(&self) -> Option<usize> {
        self.lock().pick().map(|class| class.0)
    }

    /// A user of a class that was picked was taken away.
    fn removed(&self, class: usize) {
        self.lock().removed(ClassId(class));
    }
}
