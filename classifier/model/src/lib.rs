//! The network that tells the four classes apart: its shape, training, inference and file.
//!
//! A small residual network on grey images, on top of one fast matrix product for training
//! and one fast convolution for serving;
//! everything else (convolution, normalisation, gradients, optimiser) is here and
//! tested against finite differences. Training and serving share the shape and the
//! weights; serving folds the normalisation into them first.

mod artifact;
mod attention;
pub mod container;
mod convolution;
mod helper;
mod inference;
mod kernel;
mod lanes;
mod matrix;
mod metrics;
mod network;
mod pooling;
mod train;

pub use artifact::{ModelFile, TrainingRecord};
pub use attention::Attention;
pub use container::ArtifactError;
pub use helper::Helper;
pub use inference::{Classifier, Prediction, Scratch};
pub use metrics::{ClassScores, Evaluation, fit_temperature};
pub use network::{Architecture, ShapeError, Weights};
pub use train::{Checkpoint, EpochSummary, Example, Settings, TrainError, Trainer, rest};
