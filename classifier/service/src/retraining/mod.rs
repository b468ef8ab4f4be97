//! Retraining while the service serves.
//!
//! Jobs wait in the store. One thread of each process that shares it looks for them, and one
//! job runs at a time: whoever takes it holds a lease on it, and renews that ([`lease`],
//! [`worker`]). The training itself is a process of its own, with
//! the lowest priority and bounded threads ([`process`], [`training`]): it can neither
//! take a core from predictions nor end the service, and ends when the service does.
//!
//! Its result serves only if it is not worse on images that were not learnt from
//! ([`verdict`]).

mod ending;
mod lease;
mod pace;
mod process;
mod training;
mod verdict;
mod worker;

pub(crate) use process::run as run_process;
pub(crate) use worker::{Plan, Retraining, load};
