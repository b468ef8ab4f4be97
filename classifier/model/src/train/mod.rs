//! Training: gradients, optimiser, epochs and checkpoints.

mod checkpoint;
mod optimiser;
mod pass;
mod sampling;
mod trainer;

pub use checkpoint::Checkpoint;
pub use trainer::{EpochSummary, Example, Settings, TrainError, Trainer};
