//! What entries and failure rows are told apart by.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use crate::limits::{OTHER_ERRORS, OTHER_NAMES};

/// A method and a name. Sorts by name, then method, as Locust's tables do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) name: Box<str>,
    pub(crate) method: Box<str>,
}

impl Key {
    pub(crate) fn new(method: &str, name: &str) -> Self {
        Self {
            name: name.into(),
            method: method.into(),
        }
    }

    pub(crate) fn others() -> Self {
        Self::new("", OTHER_NAMES)
    }

    pub(crate) fn is(&self, method: &str, name: &str) -> bool {
        *self.name == *name && *self.method == *method
    }
}

/// An error of the requests of one method and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FailureKey {
    pub(crate) key: Key,
    pub(crate) error: Box<str>,
}

impl FailureKey {
    pub(crate) fn new(method: &str, name: &str, error: &str) -> Self {
        Self {
            key: Key::new(method, name),
            error: error.into(),
        }
    }

    pub(crate) fn others() -> Self {
        Self::new("", "", OTHER_ERRORS)
    }

    pub(crate) fn is(&self, method: &str, name: &str, error: &str) -> bool {
        self.key.is(method, name) && *self.error == *error
    }
}

/// The same in every recorder of a process, so that names that are known by their
/// hash alone can be counted across recorders.
pub(crate) fn hash_of(parts: impl Hash) -> u64 {
    FixedState::with_seed(0).hash_one(parts)
}
