//! The user classes as Python last told of them, for the web page.

use std::sync::{Mutex, PoisonError};

use acrida_cli::run::ClassState;

/// Replaced as a whole whenever a class was changed.
#[derive(Debug, Default)]
pub(crate) struct Published(Mutex<Vec<ClassState>>);

impl Published {
    pub(crate) fn set(&self, classes: Vec<ClassState>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = classes;
    }

    pub(crate) fn get(&self) -> Vec<ClassState> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
