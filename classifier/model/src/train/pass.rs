//! Forward and backward through the network for one micro-batch.

use std::mem::take;

use crate::convolution::TILE;
use crate::matrix::{Matrix, Target, multiply};
use crate::network::{CLASSES, Network, Node, Unit};
use crate::train::normalisation::{Moments, add_scaled, normalise, zip_map};
use crate::train::rest::Rests;

/// Activations and gradients of one micro-batch; reused from step to step.
pub(crate) struct Workspace {
    images: usize,
    activations: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    patches: Vec<f32>,
    /// By node: mean and inverse deviation of each channel of the raw result.
    moments: Vec<Moments>,
    pub(crate) rests: Rests,
}

impl Workspace {
    /// Memory for micro-batches of exactly `images` images.
    pub(crate) fn new(network: &Network, images: usize) -> Workspace {
        let slots = || {
            network
                .slots
                .iter()
                .map(|size| vec![0.0; size * images])
                .collect()
        };
        Workspace {
            images,
            activations: slots(),
            gradients: slots(),
            patches: vec![0.0; network.largest_patch() * TILE],
            moments: vec![Moments::default(); network.nodes.len()],
            rests: Rests::default(),
        }
    }

    /// The network's input, the images one after the other, and the rests of who fills it.
    pub(crate) fn input(&mut self) -> (&mut [f32], &mut Rests) {
        (&mut self.activations[0], &mut self.rests)
    }

    /// The network's outputs for the images in `input`, normalised by their own means
    /// and variances, which are written to `statistics`.
    pub(crate) fn forward(
        &mut self,
        network: &Network,
        parameters: &[f32],
        statistics: &mut [f32],
    ) -> Vec<[f32; CLASSES]> {
        for (i, node) in network.nodes.iter().enumerate() {
            match node {
                Node::Unit(unit) => {
                    self.moments[i] = self.forward_unit(unit, parameters);
                    let (means, variances) = statistics[unit.statistics.clone()]
                        .split_at_mut(unit.convolution.channels_out);
                    means.copy_from_slice(&self.moments[i].means);
                    variances.copy_from_slice(&self.moments[i].variances);
                }
                Node::Pool {
                    pool,
                    input,
                    output,
                } => {
                    let mut target = take(&mut self.activations[*output]);
                    pool.forward(&self.activations[*input], &mut target, self.images);
                    self.activations[*output] = target;
                }
            }
            self.rests.take();
        }
        let last = &self.activations[network.head.input];
        (0..self.images)
            .map(|i| network.head.logits(parameters, last, i))
            .collect()
    }

    fn forward_unit(&mut self, unit: &Unit, parameters: &[f32]) -> Moments {
        let convolution = &unit.convolution;
        let channels = convolution.channels_out;
        let weights = Matrix::new(
            &parameters[convolution.weights.clone()],
            convolution.patch(),
            channels,
        );
        let mut raw = take(&mut self.activations[unit.raw]);
        let input = &self.activations[unit.input];
        convolution.for_each_tile(input, self.images, &mut self.patches, |tile, patches| {
            multiply(
                &mut raw[tile.start * channels..],
                patches,
                weights,
                Target::Overwrite,
            );
            self.rests.take();
        });
        let moments = Moments::of(&raw, channels);
        self.rests.take();
        let (scales, offsets) = parameters[unit.scale.clone()].split_at(channels);
        let factors: Vec<f32> = zip_map(scales, &moments.inverse_deviations, |s, i| s * i);
        let shifts: Vec<f32> = (0..channels)
            .map(|j| offsets[j] - moments.means[j] * factors[j])
            .collect();
        let mut output = take(&mut self.activations[unit.output]);
        let shortcut = unit.shortcut.map(|slot| &self.activations[slot][..]);
        normalise(&raw, &factors, &shifts, shortcut, unit.relu, &mut output);
        self.activations[unit.raw] = raw;
        self.activations[unit.output] = output;
        moments
    }

    /// Adds to `sums` the gradient of a loss whose gradient by the network's outputs
    /// is `outputs`. Belongs to the `forward` just before.
    pub(crate) fn backward(
        &mut self,
        network: &Network,
        parameters: &[f32],
        outputs: &[[f32; CLASSES]],
        sums: &mut [f32],
    ) {
        for slot in &mut self.gradients {
            slot.fill(0.0);
            self.rests.take();
        }
        self.backward_head(network, parameters, outputs, sums);
        for (i, node) in network.nodes.iter().enumerate().rev() {
            match node {
                Node::Unit(unit) => self.backward_unit(i, unit, parameters, sums),
                Node::Pool {
                    pool,
                    input,
                    output,
                } => {
                    let mut target = take(&mut self.gradients[*input]);
                    let (before, after) = (&self.activations[*input], &self.activations[*output]);
                    pool.backward(
                        before,
                        after,
                        &self.gradients[*output],
                        &mut target,
                        self.images,
                    );
                    self.gradients[*input] = target;
                }
            }
            self.rests.take();
        }
    }

    fn backward_head(
        &mut self,
        network: &Network,
        parameters: &[f32],
        outputs: &[[f32; CLASSES]],
        sums: &mut [f32],
    ) {
        let head = &network.head;
        let (weights, _) = parameters[head.weights.clone()].split_at(head.channels * CLASSES);
        let (weight_sums, offset_sums) =
            sums[head.weights.clone()].split_at_mut(head.channels * CLASSES);
        let size = head.area * head.channels;
        for (image, output) in outputs.iter().enumerate() {
            let means = head.means(&self.activations[head.input], image);
            for (mean, sums) in means.iter().zip(weight_sums.chunks_exact_mut(CLASSES)) {
                add_scaled(sums, output, *mean);
            }
            add_scaled(offset_sums, output, 1.0);
            let pixel: Vec<f32> = weights
                .chunks_exact(CLASSES)
                .map(|w| w.iter().zip(output).map(|(w, o)| w * o).sum::<f32>() / head.area as f32)
                .collect();
            let target = &mut self.gradients[head.input][image * size..][..size];
            target
                .chunks_exact_mut(head.channels)
                .for_each(|p| p.copy_from_slice(&pixel));
        }
    }

    fn backward_unit(&mut self, node: usize, unit: &Unit, parameters: &[f32], sums: &mut [f32]) {
        let mut gradient = take(&mut self.gradients[unit.output]);
        if unit.relu {
            for (gradient, output) in gradient.iter_mut().zip(&self.activations[unit.output]) {
                *gradient = if *output > 0.0 { *gradient } else { 0.0 };
            }
        }
        if let Some(shortcut) = unit.shortcut {
            add_scaled(&mut self.gradients[shortcut], &gradient, 1.0);
        }
        self.rests.take();
        let scales = &parameters[unit.scale.clone()][..unit.convolution.channels_out];
        let raw = &self.activations[unit.raw];
        self.moments[node].backward(raw, scales, &mut gradient, &mut sums[unit.scale.clone()]);
        self.rests.take();
        self.backward_convolution(unit, parameters, &gradient, sums);
        self.gradients[unit.output] = gradient;
    }

    fn backward_convolution(
        &mut self,
        unit: &Unit,
        parameters: &[f32],
        gradient: &[f32],
        sums: &mut [f32],
    ) {
        let convolution = &unit.convolution;
        let channels = convolution.channels_out;
        let weight_sums = &mut sums[convolution.weights.clone()];
        let input = &self.activations[unit.input];
        convolution.for_each_tile(input, self.images, &mut self.patches, |tile, patches| {
            let gradient = Matrix::new(&gradient[tile.start * channels..], tile.len(), channels);
            multiply(weight_sums, patches.transposed(), gradient, Target::Add);
            self.rests.take();
        });
        // Nobody asks what the image itself should have been.
        if unit.input != 0 {
            let weights = &parameters[convolution.weights.clone()];
            let target = &mut self.gradients[unit.input];
            let (images, patches) = (self.images, &mut self.patches);
            let after_tile = || self.rests.take();
            convolution.backward_input(weights, gradient, target, images, patches, after_tile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use classifier_imaging::Random;

    use crate::network::{Architecture, Weights};
    use crate::train::sampling::cross_entropy;

    const IMAGES: usize = 6;

    fn network() -> Network {
        Network::new(&Architecture {
            side: 16,
            widths: vec![3, 4],
            blocks: vec![1, 2],
        })
    }

    /// Weights at which every layer has a say.
    fn weights(network: &Network) -> Weights {
        let mut weights = network.initial_weights(1);
        let mut random = Random::new(2);
        weights
            .parameters
            .iter_mut()
            .for_each(|p| *p += 0.3 * random.normal());
        weights
    }

    fn targets() -> Vec<[f32; CLASSES]> {
        (0..IMAGES)
            .map(|i| std::array::from_fn(|class| if class == i % CLASSES { 0.85 } else { 0.05 }))
            .collect()
    }

    fn fill(workspace: &mut Workspace) {
        let mut random = Random::new(3);
        workspace
            .input()
            .0
            .iter_mut()
            .for_each(|v| *v = random.normal());
    }

    fn loss(network: &Network, parameters: &[f32], workspace: &mut Workspace) -> f64 {
        let mut statistics = vec![0.0; network.statistics];
        let outputs = workspace.forward(network, parameters, &mut statistics);
        cross_entropy(&outputs, &targets()).0
    }

    #[test]
    fn gradients_agree_with_finite_differences_in_every_layer() {
        let network = network();
        let weights = weights(&network);
        let mut workspace = Workspace::new(&network, IMAGES);
        fill(&mut workspace);
        let mut statistics = vec![0.0; network.statistics];
        let outputs = workspace.forward(&network, &weights.parameters, &mut statistics);
        let mut gradient = vec![0.0; network.parameters];
        let (_, by_output) = cross_entropy(&outputs, &targets());
        workspace.backward(&network, &weights.parameters, &by_output, &mut gradient);

        let mut ranges: Vec<_> = network
            .units()
            .flat_map(|u| [u.convolution.weights.clone(), u.scale.clone()])
            .collect();
        ranges.push(network.head.weights.clone());
        for range in ranges {
            // Along the gradient itself the slope is the gradient's length.
            let part = &gradient[range.clone()];
            let length = part
                .iter()
                .map(|g| f64::from(*g).powi(2))
                .sum::<f64>()
                .sqrt();
            assert!(length > 1e-4, "layer {range:?} has no say");
            let at = |step: f64| {
                let mut moved = weights.parameters.clone();
                for (parameter, g) in moved[range.clone()].iter_mut().zip(part) {
                    *parameter += (step * f64::from(*g) / length) as f32;
                }
                moved
            };
            let step = 2e-3;
            let ahead = loss(&network, &at(step), &mut workspace);
            let behind = loss(&network, &at(-step), &mut workspace);
            let slope = (ahead - behind) / (2.0 * step);
            let error = (slope - length).abs() / length.max(0.05);
            assert!(
                error < 0.03,
                "layer {range:?}: slope {slope}, gradient {length}"
            );
        }
    }

    #[test]
    fn gradients_add_to_what_is_there() {
        let network = network();
        let weights = weights(&network);
        let mut workspace = Workspace::new(&network, IMAGES);
        fill(&mut workspace);
        let mut statistics = vec![0.0; network.statistics];
        let outputs = workspace.forward(&network, &weights.parameters, &mut statistics);
        let (_, by_output) = cross_entropy(&outputs, &targets());
        let mut run =
            |sums: &mut [f32]| workspace.backward(&network, &weights.parameters, &by_output, sums);
        let (mut once, mut twice) = (vec![0.0; network.parameters], vec![0.0; network.parameters]);
        run(&mut once);
        run(&mut twice);
        run(&mut twice);
        for (once, twice) in once.iter().zip(&twice) {
            assert!(
                (2.0 * once - twice).abs() <= 1e-4 * (1.0 + twice.abs()),
                "{once} {twice}"
            );
        }
    }

    #[test]
    fn folded_inference_agrees_with_training_at_the_same_statistics() {
        let network = network();
        let mut weights = weights(&network);
        let mut workspace = Workspace::new(&network, IMAGES);
        fill(&mut workspace);
        let outputs = workspace.forward(&network, &weights.parameters, &mut weights.statistics);
        let architecture = Architecture {
            side: 16,
            widths: vec![3, 4],
            blocks: vec![1, 2],
        };
        let classifier = crate::Classifier::from_weights(&architecture, &weights);
        let images: Vec<&[f32]> = workspace.activations[0].chunks_exact(16 * 16).collect();
        let folded = classifier.logits(&mut crate::Scratch::default(), &images, None);
        for (a, b) in outputs.iter().flatten().zip(folded.iter().flatten()) {
            assert!((a - b).abs() < 1e-3 * (1.0 + a.abs()), "{a} {b}");
        }
    }
}
