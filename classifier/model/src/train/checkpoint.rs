//! Training interrupted: everything that it needs to go on.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::container::{self, ArtifactError};
use crate::network::Architecture;
use crate::train::optimiser::State;
use crate::train::settings::Settings;
use crate::train::trainer::Trainer;

const MAGIC: &[u8; 8] = b"MRITRAIN";

/// A training run between two epochs, read from its file.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    header: Header,
    numbers: Vec<f32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    architecture: Architecture,
    settings: Settings,
    examples: usize,
    /// Whatever else the run depends on, in the caller's words.
    origin: String,
    step: usize,
}

impl Checkpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] when the file cannot be read, is no checkpoint, or is damaged.
    pub fn load(path: &Path) -> Result<Checkpoint, ArtifactError> {
        Checkpoint::from_bytes(&container::read(path)?)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Checkpoint, ArtifactError> {
        let (header, numbers) = container::decode(MAGIC, "checkpoint", bytes)?;
        Ok(Checkpoint { header, numbers })
    }

    /// What differs between this run and `trainer`'s, as the name of the setting;
    /// `None` if the one can go on as the other. `origin` is as given to `save`.
    pub fn difference(&self, trainer: &Trainer, origin: &str) -> Option<&'static str> {
        let (then, now) = (&self.header.settings, &trainer.settings);
        let state = &trainer.state;
        let numbers = 4 * state.parameters.len() + 2 * state.statistics.len();
        [
            (
                self.header.architecture == trainer.architecture,
                "network's shape",
            ),
            (self.header.origin == origin, "images or starting model"),
            (
                self.header.examples == trainer.examples,
                "number of training images",
            ),
            (then.epochs == now.epochs, "number of epochs"),
            (then.batch_size == now.batch_size, "batch size"),
            (then.learning_rate == now.learning_rate, "learning rate"),
            (then.seed == now.seed, "seed"),
            (then == now, "training settings"),
            (self.numbers.len() == numbers, "number of weights"),
        ]
        .into_iter()
        .find_map(|(same, name)| (!same).then_some(name))
    }
}

impl Trainer {
    /// Goes on where `checkpoint` stopped. Panics if there is a
    /// [`difference`](Checkpoint::difference) in shape.
    pub fn resume(&mut self, checkpoint: &Checkpoint) {
        let mut rest = &checkpoint.numbers[..];
        let state = &mut self.state;
        state.step = checkpoint.header.step;
        for target in state.all_numbers_mut() {
            let (numbers, after) = rest.split_at(target.len());
            target.copy_from_slice(numbers);
            rest = after;
        }
        assert!(
            rest.is_empty(),
            "a checkpoint holds exactly the state's numbers"
        );
    }

    /// Writes everything to one file, whole or not at all. `origin` describes what the
    /// settings do not, such as the images' checksum.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Write`].
    pub fn save(&self, path: &Path, origin: &str) -> Result<(), ArtifactError> {
        container::write(path, &self.checkpoint_bytes(origin))
    }

    fn checkpoint_bytes(&self, origin: &str) -> Vec<u8> {
        let header = Header {
            architecture: self.architecture.clone(),
            settings: self.settings.clone(),
            examples: self.examples,
            origin: origin.to_owned(),
            step: self.state.step,
        };
        container::encode(MAGIC, &header, &self.state.all_numbers())
    }
}

impl State {
    fn all_numbers(&self) -> [&[f32]; 6] {
        [
            &self.parameters,
            &self.averaged,
            &self.momentum,
            &self.squares,
            &self.statistics,
            &self.averaged_statistics,
        ]
    }

    fn all_numbers_mut(&mut self) -> [&mut [f32]; 6] {
        [
            &mut self.parameters,
            &mut self.averaged,
            &mut self.momentum,
            &mut self.squares,
            &mut self.statistics,
            &mut self.averaged_statistics,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::trainer::Example;
    use classifier_imaging::Class;

    fn examples() -> Vec<Example> {
        let example = |i: usize| Example {
            pixels: (0..256).map(|p| (p * (i + 3) % 251) as u8).collect(),
            class: Class::ALL[i % 4],
            group: i,
        };
        (0..32).map(example).collect()
    }

    fn trainer(seed: u64) -> Trainer {
        let architecture = Architecture {
            side: 16,
            widths: vec![2],
            blocks: vec![1],
        };
        let settings = Settings {
            epochs: 4,
            batch_size: 16,
            seed,
            ..Settings::default()
        };
        Trainer::new(&architecture, &settings, &examples(), 1).unwrap()
    }

    #[test]
    fn a_resumed_run_ends_as_one_that_was_never_interrupted() {
        let examples = examples();
        let mut straight = trainer(1);
        let mut interrupted = trainer(1);
        for _ in 0..2 {
            straight.run_epoch(&examples, |_, _| ());
            interrupted.run_epoch(&examples, |_, _| ());
        }
        let checkpoint = Checkpoint::from_bytes(&interrupted.checkpoint_bytes("x")).unwrap();
        let mut resumed = trainer(1);
        assert_eq!(checkpoint.difference(&resumed, "x"), None);
        resumed.resume(&checkpoint);
        assert_eq!(resumed.epoch(), 2);
        while !straight.is_finished() {
            straight.run_epoch(&examples, |_, _| ());
            resumed.run_epoch(&examples, |_, _| ());
        }
        assert_eq!(straight.state, resumed.state);
    }

    #[test]
    fn a_checkpoint_of_another_run_says_what_differs() {
        let checkpoint = Checkpoint::from_bytes(&trainer(1).checkpoint_bytes("x")).unwrap();
        assert_eq!(checkpoint.difference(&trainer(2), "x"), Some("seed"));
        assert_eq!(
            checkpoint.difference(&trainer(1), "y"),
            Some("images or starting model")
        );
    }
}
