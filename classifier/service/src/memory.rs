//! A bound on the memory that request bodies take, all connections together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Above this many bytes, memory is the system's and not the allocator's: it grows without
/// copies, and is given back at once.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: libc::c_int = 128 * 1024;

/// Has large blocks of memory, such as bodies of requests, go back to the system when they are
/// freed. By itself the C library would begin to keep them after the first, so that a bound on
/// bodies would not bound the process.
pub(crate) fn give_back_large_blocks() {
    #[cfg(target_env = "gnu")]
    // SAFETY: called before other threads start; a refusal leaves things as they are.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

/// What is left of the memory for request bodies; one permit is one byte.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

/// Bytes taken from a budget, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
}

/// Other requests hold what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemoryLeft;

impl Budget {
    /// A budget of `bytes` bytes.
    pub(crate) fn new(bytes: usize) -> Budget {
        Budget(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// A share of nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            held: None,
        }
    }
}

impl Share {
    /// Takes `bytes` more, at once or not at all.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoMemoryLeft> {
        let count = u32::try_from(bytes).map_err(|_| NoMemoryLeft)?;
        let semaphore = Arc::clone(&self.budget.0);
        let more = semaphore
            .try_acquire_many_owned(count)
            .map_err(|_| NoMemoryLeft)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_share_holds_no_other_gets() {
        let budget = Budget::new(100);
        let (mut a, mut b) = (budget.share(), budget.share());
        assert_eq!(a.grow(60), Ok(()));
        assert_eq!(a.grow(20), Ok(()));
        assert_eq!(b.grow(21), Err(NoMemoryLeft));
        assert_eq!(b.grow(20), Ok(()));
        drop(a);
        assert_eq!(b.grow(80), Ok(()));
        assert_eq!(b.grow(1), Err(NoMemoryLeft));
    }
}
