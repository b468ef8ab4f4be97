//! Predictions: the trained network with its normalisation folded into the weights.

use std::path::Path;

use classifier_imaging::{Class, Preprocessing};

use crate::artifact::ModelFile;
use crate::container::ArtifactError;
use crate::helper::Helper;
use crate::kernel::{Buffers, Kernel, Pass};
use crate::network::{Architecture, CLASSES, EPSILON, Head, Network, Node, Unit, Weights};
use crate::pooling::Pool;

/// Images that pass through the network together; bounds a [`Scratch`]'s memory
/// to about 25 MB for the default network.
const GROUP: usize = 8;

/// A trained network, ready to answer. Never changes; share it between threads.
#[derive(Debug)]
pub struct Classifier {
    pub(crate) network: Network,
    /// As the network's parameters, with each normalisation folded into the
    /// weights before it: scales are unused, offsets are the channel's offset.
    pub(crate) folded: Vec<f32>,
    /// The same weights again, as convolutions read them; in the network's order.
    kernels: Vec<Kernel>,
    temperature: f32,
    preprocessing: Preprocessing,
    version: String,
}

/// What the network makes of one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Probability of each class, in [`Class`]'s order; they sum to 1.
    pub probabilities: [f32; CLASSES],
}

/// One thread's working memory; reused from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) slots: Vec<Vec<f32>>,
    /// The second is for a helper's thread.
    buffers: [Buffers; 2],
}

impl Prediction {
    /// Softmax of `logits / temperature`.
    pub(crate) fn from_logits(logits: [f32; CLASSES], temperature: f32) -> Prediction {
        let largest = logits.iter().copied().fold(f32::MIN, f32::max);
        let powers = logits.map(|l| ((l - largest) / temperature).exp());
        let sum: f32 = powers.iter().sum();
        Prediction {
            probabilities: powers.map(|p| p / sum),
        }
    }

    /// The most probable class; of equal ones the last.
    pub fn class(&self) -> Class {
        Class::ALL
            .into_iter()
            .max_by(|a, b| self.of(*a).total_cmp(&self.of(*b)))
            .expect("there are four classes")
    }

    /// The probability of the most probable class.
    pub fn confidence(&self) -> f32 {
        self.of(self.class())
    }

    /// The probability of `class`.
    pub fn of(&self, class: Class) -> f32 {
        self.probabilities[class.index()]
    }
}

impl Classifier {
    /// Reads a model file and prepares it.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] when the file cannot be read, is not a model, is damaged
    /// (its checksum is verified), or is of a later format.
    pub fn load(path: &Path) -> Result<Classifier, ArtifactError> {
        Ok(Classifier::from_file(&ModelFile::load(path)?))
    }

    /// As [`Classifier::load`], from the file's bytes.
    ///
    /// # Errors
    ///
    /// As [`Classifier::load`], except for reading.
    pub fn from_bytes(bytes: &[u8]) -> Result<Classifier, ArtifactError> {
        Ok(Classifier::from_file(&ModelFile::from_bytes(bytes)?))
    }

    /// The classifier of a model file already in memory.
    pub fn from_file(file: &ModelFile) -> Classifier {
        Classifier {
            temperature: file.temperature,
            preprocessing: file.preprocessing.clone(),
            version: file.version.clone(),
            ..Classifier::from_weights(&file.architecture, &file.weights)
        }
    }

    /// A classifier straight from training: no version yet, temperature 1.
    pub(crate) fn from_weights(architecture: &Architecture, weights: &Weights) -> Classifier {
        let network = Network::new(architecture);
        let folded = fold(&network, weights);
        let kernels = network.units().map(|unit| kernel(unit, &folded)).collect();
        Classifier {
            network,
            folded,
            kernels,
            temperature: 1.0,
            preprocessing: Preprocessing::new(architecture.side),
            version: String::new(),
        }
    }

    /// How images have to be prepared for [`Classifier::predict`].
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The model's version, such as `v1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Predictions for preprocessed images, in their order.
    ///
    /// Panics if an image does not have the numbers that
    /// [`preprocess`](classifier_imaging::preprocess) makes for this model.
    pub fn predict(&self, scratch: &mut Scratch, images: &[&[f32]]) -> Vec<Prediction> {
        self.logits(scratch, images, None)
            .into_iter()
            .map(|logits| Prediction::from_logits(logits, self.temperature))
            .collect()
    }

    /// As [`Classifier::predict`], for one image, sooner: another thread helps.
    pub fn predict_with_help(
        &self,
        scratch: &mut Scratch,
        image: &[f32],
        helper: &mut Helper,
    ) -> Prediction {
        let logits = self.logits(scratch, &[image], Some(helper))[0];
        Prediction::from_logits(logits, self.temperature)
    }

    /// The network's outputs before softmax; only an image that is alone can be helped with.
    pub(crate) fn logits(
        &self,
        scratch: &mut Scratch,
        images: &[&[f32]],
        mut help: Option<&mut Helper>,
    ) -> Vec<[f32; CLASSES]> {
        let mut logits = Vec::with_capacity(images.len());
        for group in images.chunks(GROUP) {
            scratch.make_room(&self.network, group.len());
            let size = self.network.slots[0];
            for (target, image) in scratch.slots[0].chunks_exact_mut(size).zip(group) {
                target.copy_from_slice(image);
            }
            let mut kernels = self.kernels.iter();
            for node in &self.network.nodes {
                match node {
                    Node::Unit(unit) => {
                        let kernel = kernels.next().expect("one for each unit");
                        scratch.convolve(kernel, unit, group.len(), help.as_deref_mut());
                    }
                    Node::Pool {
                        pool,
                        input,
                        output,
                    } => scratch.pool(pool, *input, *output, group.len()),
                }
            }
            let last = &scratch.slots[self.network.head.input];
            logits
                .extend((0..group.len()).map(|i| self.network.head.logits(&self.folded, last, i)));
        }
        logits
    }
}

/// A unit's convolution, its normalisation in it.
fn kernel(unit: &Unit, folded: &[f32]) -> Kernel {
    let channels = unit.convolution.channels_out;
    let weights = &folded[unit.convolution.weights.clone()];
    let offsets = &folded[unit.scale.clone()][channels..];
    Kernel::new(&unit.convolution, weights, offsets)
}

impl Head {
    /// The mean over image `image`'s pixels, by channel.
    pub(crate) fn means(&self, activations: &[f32], image: usize) -> Vec<f32> {
        let size = self.area * self.channels;
        let mut means = vec![0.0; self.channels];
        for pixel in activations[image * size..][..size].chunks_exact(self.channels) {
            for (mean, value) in means.iter_mut().zip(pixel) {
                *mean += value;
            }
        }
        means.iter_mut().for_each(|mean| *mean /= self.area as f32);
        means
    }

    /// The network's outputs for image `image`.
    pub(crate) fn logits(
        &self,
        parameters: &[f32],
        activations: &[f32],
        image: usize,
    ) -> [f32; CLASSES] {
        let (weights, offsets) = parameters[self.weights.clone()].split_at(self.channels * CLASSES);
        let mut logits: [f32; CLASSES] = std::array::from_fn(|class| offsets[class]);
        let means = self.means(activations, image);
        for (mean, weights) in means.iter().zip(weights.chunks_exact(CLASSES)) {
            for (logit, weight) in logits.iter_mut().zip(weights) {
                *logit += mean * weight;
            }
        }
        logits
    }
}

impl Scratch {
    /// Grows to what `images` images need; never shrinks.
    fn make_room(&mut self, network: &Network, images: usize) {
        self.slots.resize_with(network.slots.len(), Vec::new);
        // The slots that keep a convolution's raw result are for training alone.
        for slot in std::iter::once(0).chain(network.nodes.iter().map(Node::output)) {
            let (slot, len) = (&mut self.slots[slot], network.slots[slot] * images);
            if slot.len() < len {
                slot.resize(len, 0.0);
            }
        }
    }

    fn convolve(&mut self, kernel: &Kernel, unit: &Unit, images: usize, help: Option<&mut Helper>) {
        let mut output = std::mem::take(&mut self.slots[unit.output]);
        let pass = Pass {
            input: &self.slots[unit.input],
            images,
            rows: 0..unit.convolution.side_out,
            shortcut: unit.shortcut.map(|slot| &self.slots[slot][..]),
            relu: unit.relu,
            output: &mut output,
        };
        match help {
            Some(helper) => kernel.run_with_help(pass, &mut self.buffers, helper),
            None => kernel.run(pass, &mut self.buffers[0]),
        }
        self.slots[unit.output] = output;
    }

    fn pool(&mut self, pool: &Pool, input: usize, output: usize, images: usize) {
        let mut target = std::mem::take(&mut self.slots[output]);
        pool.forward(&self.slots[input], &mut target, images);
        self.slots[output] = target;
    }
}

/// Multiplies each normalisation's scale into the weights before it.
fn fold(network: &Network, weights: &Weights) -> Vec<f32> {
    let mut folded = weights.parameters.clone();
    for unit in network.units() {
        let channels = unit.convolution.channels_out;
        let (means, variances) = weights.statistics[unit.statistics.clone()].split_at(channels);
        let (scales, offsets) = weights.parameters[unit.scale.clone()].split_at(channels);
        let factors: Vec<f32> = scales
            .iter()
            .zip(variances)
            .map(|(scale, variance)| scale / (variance + EPSILON).sqrt())
            .collect();
        for row in folded[unit.convolution.weights.clone()].chunks_exact_mut(channels) {
            for (weight, factor) in row.iter_mut().zip(&factors) {
                *weight *= factor;
            }
        }
        for j in 0..channels {
            folded[unit.scale.start + channels + j] = offsets[j] - means[j] * factors[j];
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use classifier_imaging::Random;

    fn small() -> Architecture {
        Architecture {
            side: 32,
            widths: vec![3, 5],
            blocks: vec![1, 2],
        }
    }

    fn classifier() -> Classifier {
        let mut weights = Network::new(&small()).initial_weights(1);
        let mut random = Random::new(2);
        weights
            .parameters
            .iter_mut()
            .for_each(|p| *p += 0.2 * random.normal());
        Classifier::from_weights(&small(), &weights)
    }

    fn images(count: usize) -> Vec<Vec<f32>> {
        let mut random = Random::new(3);
        (0..count)
            .map(|_| (0..32 * 32).map(|_| random.normal()).collect())
            .collect()
    }

    #[test]
    fn an_image_is_judged_the_same_alone_and_in_company() {
        let (classifier, images) = (classifier(), images(19));
        let views: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
        let mut scratch = Scratch::default();
        let together = classifier.predict(&mut scratch, &views);
        assert_eq!(together.len(), 19);
        for (view, expected) in views.iter().zip(&together) {
            let alone = classifier.predict(&mut scratch, &[view]);
            for (a, b) in alone[0].probabilities.iter().zip(&expected.probabilities) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
        assert_ne!(together[0], together[1]);
        let mut helper = Helper::start("helper").unwrap();
        for (view, expected) in views.iter().zip(&together) {
            let helped = classifier.predict_with_help(&mut scratch, view, &mut helper);
            for (a, b) in helped.probabilities.iter().zip(&expected.probabilities) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
        assert_eq!(classifier.predict(&mut scratch, &[]), []);
    }

    #[test]
    fn probabilities_sum_to_one_even_for_extreme_outputs() {
        for logits in [
            [0.0; 4],
            [1e30, -1e30, 0.0, 5.0],
            [-900.0, -901.0, -902.0, -903.0],
        ] {
            let prediction = Prediction::from_logits(logits, 0.7);
            let sum: f32 = prediction.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "{prediction:?}");
        }
        let sure = Prediction::from_logits([0.0, 0.0, 9.0, 0.0], 1.0);
        assert_eq!(sure.class(), Class::Pituitary);
        assert!(sure.confidence() > 0.99);
    }
}
