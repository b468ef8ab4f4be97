//! How many names have no entry of their own.

use std::collections::HashSet;

/// Names told apart by their hashes, up to a number of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct OverflowedNames {
    hashes: HashSet<u64>,
    more: bool,
}

impl OverflowedNames {
    /// Beyond `max` names, it is only noted that there were more.
    pub(crate) fn insert(&mut self, hash: u64, max: usize) {
        if self.hashes.len() < max {
            self.hashes.insert(hash);
        } else {
            self.more |= !self.hashes.contains(&hash);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self, max: usize) {
        for hash in &other.hashes {
            self.insert(*hash, max);
        }
        self.more |= other.more;
    }

    pub(crate) fn count(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Whether there were more than those counted.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }
}
