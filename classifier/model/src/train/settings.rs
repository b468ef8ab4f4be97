//! How to train, and whether that makes sense.

use serde::{Deserialize, Serialize};

use crate::network::ShapeError;
use crate::train::optimiser::Schedule;

/// Images that are normalised together and handled by one thread. Fixed, so that the
/// result does not depend on the number of threads.
pub(crate) const MICRO_BATCH: usize = 16;

/// How to train. Two runs with equal settings and images give equal weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images between two steps; a multiple of 16.
    pub batch_size: usize,
    /// The highest learning rate, reached after the first epoch.
    pub learning_rate: f32,
    /// How strongly weights are pulled to zero.
    pub weight_decay: f32,
    /// Share of certainty that is spread over all classes.
    pub label_smoothing: f32,
    /// Share of images that are blended with another.
    pub mixup: f32,
    /// Where everything random comes from.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            epochs: 60,
            batch_size: 64,
            learning_rate: 0.003,
            weight_decay: 0.08,
            label_smoothing: 0.05,
            mixup: 0.3,
            seed: 1,
        }
    }
}

/// Why training cannot start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// The batch cannot be divided among threads.
    #[error("batch size {0} is not a multiple of {MICRO_BATCH}, or zero")]
    BatchSize(usize),
    /// There is not even one batch of images.
    #[error(
        "{images} training images, near-duplicates taken together, do not fill one batch of {batch_size}"
    )]
    TooFewImages {
        /// Images in an epoch.
        images: usize,
        /// Images needed.
        batch_size: usize,
    },
    /// The share of blended images is none.
    #[error("mixup is {0}; it has to be from 0 to 1")]
    Mixup(f32),
    /// A setting is zero, negative or not a number.
    #[error("{name} has to be a positive number")]
    Setting {
        /// Which one.
        name: &'static str,
    },
    /// The network cannot be built.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The weights to start from are another network's.
    #[error("the given model has another shape than the network to train")]
    OtherShape,
}

impl Settings {
    /// Whether they make sense, whatever the images.
    ///
    /// # Errors
    ///
    /// [`TrainError`] names the one that does not.
    pub fn check(&self) -> Result<(), TrainError> {
        if self.batch_size == 0 || !self.batch_size.is_multiple_of(MICRO_BATCH) {
            return Err(TrainError::BatchSize(self.batch_size));
        }
        if self.epochs == 0 {
            return Err(TrainError::Setting {
                name: "the number of epochs",
            });
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err(TrainError::Setting {
                name: "the learning rate",
            });
        }
        if !(0.0..=1.0).contains(&self.mixup) {
            return Err(TrainError::Mixup(self.mixup));
        }
        Ok(())
    }

    /// Whether training with `images` images an epoch can start.
    pub(crate) fn check_for(&self, images: usize) -> Result<(), TrainError> {
        self.check()?;
        if images < self.batch_size {
            let batch_size = self.batch_size;
            return Err(TrainError::TooFewImages { images, batch_size });
        }
        Ok(())
    }

    /// The learning rate over all steps.
    pub(crate) fn schedule(&self, images: usize) -> Schedule {
        let steps = images / self.batch_size;
        Schedule {
            peak: self.learning_rate,
            warmup: steps,
            steps: steps * self.epochs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_settings_are_refused() {
        let refused = |settings: Settings, images| settings.check_for(images).err();
        let odd = Settings {
            batch_size: 20,
            ..Settings::default()
        };
        assert_eq!(refused(odd, 100), Some(TrainError::BatchSize(20)));
        let few = refused(
            Settings {
                batch_size: 32,
                ..Settings::default()
            },
            31,
        );
        assert_eq!(
            few,
            Some(TrainError::TooFewImages {
                images: 31,
                batch_size: 32
            })
        );
        let nan = Settings {
            learning_rate: f32::NAN,
            ..Settings::default()
        };
        assert!(matches!(
            refused(nan, 100),
            Some(TrainError::Setting { .. })
        ));
        for mixup in [-0.1, 1.1, f32::NAN] {
            let settings = Settings {
                mixup,
                ..Settings::default()
            };
            assert!(matches!(refused(settings, 100), Some(TrainError::Mixup(_))));
        }
    }
}
