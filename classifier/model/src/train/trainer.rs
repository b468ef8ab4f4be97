//! The training loop's inner part: one epoch, on all given threads.

use std::collections::BTreeMap;
use std::sync::Mutex;

use classifier_imaging::{Class, Preprocessing, Random};

use crate::artifact::{ModelFile, TrainingRecord};
use crate::inference::Classifier;
use crate::network::{Architecture, CLASSES, Network, Weights};
use crate::train::optimiser::State;
use crate::train::pass::Workspace;
use crate::train::rest::Rests;
use crate::train::sampling::{cross_entropy, draw};
use crate::train::settings::{MICRO_BATCH, Settings, TrainError};

/// One image to learn from, already resized to the network's side.
#[derive(Clone, Debug)]
pub struct Example {
    /// `side * side` grey values, row by row.
    pub pixels: Vec<u8>,
    /// What it shows.
    pub class: Class,
    /// Near-duplicates share a number.
    pub group: usize,
}

/// What one epoch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochSummary {
    /// Epochs done so far.
    pub epoch: usize,
    /// Mean loss over the epoch's images.
    pub loss: f64,
}

/// A network in training.
pub struct Trainer {
    pub(crate) architecture: Architecture,
    pub(crate) settings: Settings,
    pub(crate) state: State,
    /// How many images there are to choose an epoch's from.
    pub(crate) examples: usize,
    /// By group, how many of its images take part in each epoch.
    quota: BTreeMap<usize, usize>,
    network: Network,
    workspaces: Vec<Workspace>,
    parts: Vec<Part>,
}

/// What one micro-batch leaves behind.
struct Part {
    gradient: Vec<f32>,
    statistics: Vec<f32>,
    loss: f64,
}

impl Trainer {
    /// A trainer for these examples on `threads` threads, at its very start.
    ///
    /// Of a group of n near-duplicates, √n (rounded up) take part in each epoch, others in
    /// others: a slice that happens to be there twenty times is not worth twenty
    /// different ones.
    ///
    /// # Errors
    ///
    /// [`TrainError`] when the settings make no sense together.
    pub fn new(
        architecture: &Architecture,
        settings: &Settings,
        examples: &[Example],
        threads: usize,
    ) -> Result<Trainer, TrainError> {
        let quota = quota(examples);
        settings.check_for(quota.values().sum())?;
        architecture.check()?;
        let network = Network::new(architecture);
        let parts = settings.batch_size / MICRO_BATCH;
        let weights = network.initial_weights(settings.seed);
        Ok(Trainer {
            architecture: architecture.clone(),
            settings: settings.clone(),
            state: State::new(weights.parameters, weights.statistics),
            examples: examples.len(),
            quota,
            workspaces: (0..threads.clamp(1, parts))
                .map(|_| Workspace::new(&network, MICRO_BATCH))
                .collect(),
            parts: (0..parts).map(|_| Part::new(&network)).collect(),
            network,
        })
    }

    /// Starts from a trained model's weights instead of random ones.
    ///
    /// # Errors
    ///
    /// [`TrainError::OtherShape`] when the model is not of this architecture.
    pub fn start_from(&mut self, model: &ModelFile) -> Result<(), TrainError> {
        if model.architecture != self.architecture {
            return Err(TrainError::OtherShape);
        }
        let Weights {
            parameters,
            statistics,
        } = model.weights.clone();
        self.state = State::new(parameters, statistics);
        Ok(())
    }

    /// Has its threads rest for a moment every millisecond, so that whatever else waits for a
    /// core gets one soon. That costs about 7 % of the training's speed.
    pub fn rest_often(&mut self) {
        for workspace in &mut self.workspaces {
            workspace.rests = Rests::often();
        }
    }

    /// Steps in one epoch. Images beyond the last whole batch wait for another epoch,
    /// whose order is another.
    pub fn steps_per_epoch(&self) -> usize {
        self.images_per_epoch() / self.settings.batch_size
    }

    fn images_per_epoch(&self) -> usize {
        self.quota.values().sum()
    }

    /// Epochs done.
    pub fn epoch(&self) -> usize {
        self.state.step / self.steps_per_epoch()
    }

    /// Whether all epochs are done.
    pub fn is_finished(&self) -> bool {
        self.epoch() >= self.settings.epochs
    }

    /// One pass over `examples`, the same as at the start; `after_step` is
    /// called with the number of steps made in this epoch and the step's mean loss.
    pub fn run_epoch(
        &mut self,
        examples: &[Example],
        mut after_step: impl FnMut(usize, f64),
    ) -> EpochSummary {
        assert_eq!(
            examples.len(),
            self.examples,
            "other examples than at the start"
        );
        let (epoch, steps) = (self.epoch(), self.steps_per_epoch());
        let order = self.choose(examples, epoch);
        let mut total = 0.0;
        for (step, batch) in order.chunks_exact(self.settings.batch_size).enumerate() {
            let loss = self.run_step(examples, batch, epoch);
            total += loss;
            after_step(step + 1, loss);
        }
        EpochSummary {
            epoch: self.epoch(),
            loss: total / steps as f64,
        }
    }

    /// Epochs that there will be.
    pub fn epochs(&self) -> usize {
        self.settings.epochs
    }

    /// The model as it is now, with the running average of the weights and a temperature
    /// of 1.
    pub fn model(&self, version: &str, training: TrainingRecord) -> ModelFile {
        ModelFile {
            version: version.to_owned(),
            architecture: self.architecture.clone(),
            preprocessing: Preprocessing::new(self.architecture.side),
            temperature: 1.0,
            training,
            weights: self.weights(),
        }
    }

    fn weights(&self) -> Weights {
        Weights {
            parameters: self.state.averaged.clone(),
            statistics: self.state.averaged_statistics.clone(),
        }
    }

    /// A classifier of the weights as they are now.
    pub fn classifier(&self) -> Classifier {
        Classifier::from_weights(&self.architecture, &self.weights())
    }

    /// The images of an epoch, in their order.
    fn choose(&self, examples: &[Example], epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let seed = self
            .settings
            .seed
            .wrapping_mul(1_000_003)
            .wrapping_add(epoch as u64);
        Random::new(seed).shuffle(&mut order);
        let mut left = self.quota.clone();
        order.retain(|i| {
            let left = left
                .get_mut(&examples[*i].group)
                .expect("every group has a quota");
            let chosen = *left > 0;
            *left -= usize::from(chosen);
            chosen
        });
        order
    }

    fn run_step(&mut self, examples: &[Example], batch: &[usize], epoch: usize) -> f64 {
        let rate = self
            .settings
            .schedule(self.images_per_epoch())
            .rate(self.state.step);
        self.run_parts(examples, batch, epoch);
        // Always summed in the same order, so that rounding is always the same.
        let (first, others) = self.parts.split_first_mut().expect("a batch has parts");
        for part in others.iter() {
            for (sum, gradient) in first.gradient.iter_mut().zip(&part.gradient) {
                *sum += gradient;
            }
        }
        let size = batch.len() as f32;
        first.gradient.iter_mut().for_each(|g| *g /= size);
        let decay = self.settings.weight_decay;
        self.state
            .step(&first.gradient, rate, decay, &self.network.decayed);
        self.state
            .observe(self.parts.iter().map(|part| &part.statistics[..]));
        self.parts.iter().map(|part| part.loss).sum::<f64>() / f64::from(size)
    }

    /// Forward and backward of each micro-batch, on whichever thread is free.
    fn run_parts(&mut self, examples: &[Example], batch: &[usize], epoch: usize) {
        let (network, parameters, settings) =
            (&self.network, &self.state.parameters, &self.settings);
        let side = self.architecture.side;
        let waiting = Mutex::new(self.parts.iter_mut().zip(batch.chunks_exact(MICRO_BATCH)));
        let take_one = || {
            waiting
                .lock()
                .expect("no thread panics while it takes work")
                .next()
        };
        std::thread::scope(|scope| {
            for workspace in &mut self.workspaces {
                scope.spawn(move || {
                    while let Some((part, chosen)) = take_one() {
                        let targets =
                            draw(examples, chosen, epoch, settings, side, workspace.input());
                        part.run(network, parameters, workspace, &targets);
                    }
                });
            }
        });
    }
}

/// How many images of each group take part in an epoch.
fn quota(examples: &[Example]) -> BTreeMap<usize, usize> {
    let mut quota = BTreeMap::new();
    for example in examples {
        *quota.entry(example.group).or_insert(0) += 1;
    }
    quota
        .values_mut()
        .for_each(|n: &mut usize| *n = (*n as f64).sqrt().ceil() as usize);
    quota
}

impl Part {
    fn new(network: &Network) -> Part {
        Part {
            gradient: vec![0.0; network.parameters],
            statistics: vec![0.0; network.statistics],
            loss: 0.0,
        }
    }

    fn run(
        &mut self,
        network: &Network,
        parameters: &[f32],
        workspace: &mut Workspace,
        targets: &[[f32; CLASSES]],
    ) {
        self.gradient.fill(0.0);
        let outputs = workspace.forward(network, parameters, &mut self.statistics);
        let (loss, gradient) = cross_entropy(&outputs, targets);
        self.loss = loss;
        workspace.backward(network, parameters, &gradient, &mut self.gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::Scratch;
    use classifier_imaging::normalise;

    fn architecture() -> Architecture {
        Architecture {
            side: 16,
            widths: vec![6, 8],
            blocks: vec![1, 1],
        }
    }

    fn settings() -> Settings {
        Settings {
            epochs: 25,
            batch_size: 32,
            learning_rate: 0.01,
            mixup: 0.0,
            ..Settings::default()
        }
    }

    /// Each class has its own texture: rows, columns, a block, or nothing.
    fn examples(count: usize) -> Vec<Example> {
        let mut random = Random::new(8);
        (0..count)
            .map(|i| {
                let class = Class::ALL[i % 4];
                let pixels = (0..256)
                    .map(|p| {
                        let (y, x) = (p / 16, p % 16);
                        let bright = match class {
                            Class::Glioma => y % 4 < 2,
                            Class::Meningioma => x % 4 < 2,
                            Class::Pituitary => (5..11).contains(&y) && (5..11).contains(&x),
                            Class::NoTumor => false,
                        };
                        (40 + 150 * usize::from(bright) + random.below(30)) as u8
                    })
                    .collect();
                Example {
                    pixels,
                    class,
                    group: i,
                }
            })
            .collect()
    }

    fn train(threads: usize, epochs: usize) -> Trainer {
        train_as(threads, epochs, |_| ())
    }

    fn train_as(threads: usize, epochs: usize, prepare: impl FnOnce(&mut Trainer)) -> Trainer {
        let examples = examples(96);
        let mut trainer = Trainer::new(&architecture(), &settings(), &examples, threads).unwrap();
        prepare(&mut trainer);
        for _ in 0..epochs {
            trainer.run_epoch(&examples, |_, _| ());
        }
        trainer
    }

    #[test]
    fn a_small_network_learns_four_textures() {
        let classifier = train(2, 25).classifier();
        let mut scratch = Scratch::default();
        let examples = examples(40);
        let right = examples
            .iter()
            .filter(|example| {
                let mut image: Vec<f32> = example.pixels.iter().map(|p| f32::from(*p)).collect();
                normalise(&mut image);
                classifier.predict(&mut scratch, &[&image])[0].class() == example.class
            })
            .count();
        assert!(right >= 36, "{right} of 40");
    }

    #[test]
    fn neither_the_number_of_threads_nor_resting_changes_anything() {
        let expected = train(1, 2).weights();
        assert_eq!(train(2, 2).weights(), expected);
        assert_eq!(train_as(1, 2, Trainer::rest_often).weights(), expected);
    }

    #[test]
    fn near_duplicates_take_turns() {
        let mut examples = examples(96);
        examples
            .iter_mut()
            .for_each(|example| example.group = example.group.min(60));
        let trainer = Trainer::new(&architecture(), &settings(), &examples, 1).unwrap();
        // 60 groups of one, and one of 36, of which six take part.
        let mut seen = std::collections::BTreeSet::new();
        for epoch in 0..60 {
            let chosen = trainer.choose(&examples, epoch);
            assert_eq!(chosen.len(), 66);
            assert_eq!(
                chosen.iter().filter(|i| examples[**i].group == 60).count(),
                6
            );
            seen.extend(chosen);
        }
        assert_eq!(seen.len(), 96);
    }
}
