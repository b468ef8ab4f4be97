//! From an image's bytes to a prediction, on a bounded number of threads.

mod batching;
mod cache;
mod job;
mod queue;
mod threads;

pub(crate) use batching::Policy;
pub(crate) use job::{JobError, Outcome, Source, Timings};
pub(crate) use threads::{Image, Predictor, Refusal};
