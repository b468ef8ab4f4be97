//! Training: gradients, optimiser, epochs and checkpoints.

mod checkpoint;
mod normalisation;
mod optimiser;
mod pass;
mod rest;
mod sampling;
mod settings;
mod trainer;

pub use checkpoint::Checkpoint;
pub use rest::rest;
pub use settings::{Settings, TrainError};
pub use trainer::{EpochSummary, Example, Trainer};
