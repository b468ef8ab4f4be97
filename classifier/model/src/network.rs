//! The network's shape: which layer reads what, and where its numbers lie.
//!
//! A 5×5 stem with stride 2 and 2×2 maximum, then stages of residual blocks (He et
//! al., 2016); a block that halves the image averages 2×2 pixels on its shortcut
//! ("ResNet-D", He et al., 2019); then the mean over all pixels and one linear layer.

use std::ops::Range;

use classifier_imaging::{Class, Random};
use serde::{Deserialize, Serialize};

use crate::convolution::Convolution;
use crate::pooling::{Pool, Pooling};

/// How many classes the network tells apart.
pub(crate) const CLASSES: usize = Class::ALL.len();
/// Added to variances, so that constant channels do not divide by zero.
pub(crate) const EPSILON: f32 = 1e-5;
const STEM: usize = 5;

/// The free choices in the network's shape; stored with its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Architecture {
    /// Width and height of the input, in pixels.
    pub side: usize,
    /// Channels of each stage.
    pub widths: Vec<usize>,
    /// Residual blocks of each stage.
    pub blocks: Vec<usize>,
}

impl Default for Architecture {
    /// 160×160 pixels, 24-48-96-192 channels, two blocks a stage: 1.57 million weights.
    fn default() -> Architecture {
        Architecture {
            side: 160,
            widths: vec![24, 48, 96, 192],
            blocks: vec![2, 2, 2, 2],
        }
    }
}

/// A shape that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "impossible network shape: side {side} must be a multiple of {multiple} up to 1024, with 1 to 6 stages \
     of 1 to 1024 channels and 1 to 16 blocks each"
)]
pub struct ShapeError {
    side: usize,
    multiple: usize,
}

/// All numbers of a trained network.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// What training adjusts.
    pub(crate) parameters: Vec<f32>,
    /// Means and variances seen in training, for normalisation.
    pub(crate) statistics: Vec<f32>,
}

/// Convolution, normalisation, perhaps the sum with a shortcut, perhaps a ReLU.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) convolution: Convolution,
    /// Scales, then offsets, of the normalisation.
    pub(crate) scale: Range<usize>,
    /// Means, then variances, of the normalisation.
    pub(crate) statistics: Range<usize>,
    pub(crate) input: usize,
    /// Where training keeps the convolution's result.
    pub(crate) raw: usize,
    pub(crate) output: usize,
    pub(crate) shortcut: Option<usize>,
    pub(crate) relu: bool,
}

/// One step of a pass; numbers name slots.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Unit(Unit),
    Pool {
        pool: Pool,
        input: usize,
        output: usize,
    },
}

impl Node {
    /// The slot of its result.
    pub(crate) fn output(&self) -> usize {
        match self {
            Node::Unit(unit) => unit.output,
            Node::Pool { output, .. } => *output,
        }
    }
}

/// The last layer: mean over pixels, then linear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) input: usize,
    /// Pixels that the mean is taken over.
    pub(crate) area: usize,
    pub(crate) channels: usize,
    /// Weights (channel by class), then offsets.
    pub(crate) weights: Range<usize>,
}

/// The layers in order, and the sizes of what they need.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) nodes: Vec<Node>,
    /// Numbers per image in each slot; slot 0 is the input.
    pub(crate) slots: Vec<usize>,
    pub(crate) head: Head,
    pub(crate) parameters: usize,
    pub(crate) statistics: usize,
    /// Parameters that weight decay applies to: the weights of products.
    pub(crate) decayed: Vec<Range<usize>>,
}

impl Architecture {
    /// Whether the network can be built; bounds what a file may ask for.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] names what is allowed.
    pub fn check(&self) -> Result<(), ShapeError> {
        let multiple = 4 << self.widths.len().clamp(1, 6).saturating_sub(1);
        let fits = (1..=6).contains(&self.widths.len())
            && self.blocks.len() == self.widths.len()
            && self.widths.iter().all(|w| (1..=1024).contains(w))
            && self.blocks.iter().all(|b| (1..=16).contains(b))
            && (multiple..=1024).contains(&self.side)
            && self.side.is_multiple_of(multiple);
        let side = self.side;
        if fits {
            Ok(())
        } else {
            Err(ShapeError { side, multiple })
        }
    }
}

impl Network {
    /// The network of a checked architecture; panics on an impossible one.
    pub(crate) fn new(architecture: &Architecture) -> Network {
        architecture.check().expect("the architecture was checked");
        let mut network = Network {
            nodes: Vec::new(),
            slots: vec![architecture.side * architecture.side],
            head: Head::default(),
            parameters: 0,
            statistics: 0,
            decayed: Vec::new(),
        };
        let mut channels = architecture.widths[0];
        let mut side = architecture.side / 2;
        let stem = network.add_unit(0, [STEM, 2, 1, channels], architecture.side, None, true);
        let mut x = network.add_pool(stem, Pooling::Max, side, channels);
        side /= 2;
        for (stage, (&width, &blocks)) in architecture
            .widths
            .iter()
            .zip(&architecture.blocks)
            .enumerate()
        {
            for block in 0..blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                x = network.add_block(x, stride, channels, width, side);
                side /= stride;
                channels = width;
            }
        }
        network.add_head(x, side * side, channels);
        network
    }

    fn add_block(
        &mut self,
        x: usize,
        stride: usize,
        channels: usize,
        width: usize,
        side: usize,
    ) -> usize {
        let middle = self.add_unit(x, [3, stride, channels, width], side, None, true);
        let mut shortcut = x;
        if stride == 2 {
            shortcut = self.add_pool(x, Pooling::Mean, side, channels);
        }
        if channels != width {
            shortcut = self.add_unit(
                shortcut,
                [1, 1, channels, width],
                side / stride,
                None,
                false,
            );
        }
        self.add_unit(
            middle,
            [3, 1, width, width],
            side / stride,
            Some(shortcut),
            true,
        )
    }

    fn add_unit(
        &mut self,
        input: usize,
        [size, stride, channels_in, channels_out]: [usize; 4],
        side_in: usize,
        shortcut: Option<usize>,
        relu: bool,
    ) -> usize {
        let side_out = side_in / stride;
        let weights = self.add_parameters(size * size * channels_in * channels_out);
        self.decayed.push(weights.clone());
        let scale = self.add_parameters(2 * channels_out);
        let statistics = self.statistics..self.statistics + 2 * channels_out;
        self.statistics = statistics.end;
        let raw = self.add_slot(side_out * side_out * channels_out);
        let output = self.add_slot(side_out * side_out * channels_out);
        let convolution = Convolution {
            size,
            stride,
            channels_in,
            channels_out,
            side_in,
            side_out,
            weights,
        };
        self.nodes.push(Node::Unit(Unit {
            convolution,
            scale,
            statistics,
            input,
            raw,
            output,
            shortcut,
            relu,
        }));
        output
    }

    fn add_pool(&mut self, input: usize, pooling: Pooling, side: usize, channels: usize) -> usize {
        let output = self.add_slot(side / 2 * (side / 2) * channels);
        let pool = Pool {
            pooling,
            side,
            channels,
        };
        self.nodes.push(Node::Pool {
            pool,
            input,
            output,
        });
        output
    }

    fn add_head(&mut self, input: usize, area: usize, channels: usize) {
        let weights = self.add_parameters(channels * CLASSES);
        self.decayed.push(weights.clone());
        let offsets = self.add_parameters(CLASSES);
        self.head = Head {
            input,
            area,
            channels,
            weights: weights.start..offsets.end,
        };
    }

    fn add_parameters(&mut self, count: usize) -> Range<usize> {
        self.parameters += count;
        self.parameters - count..self.parameters
    }

    fn add_slot(&mut self, size: usize) -> usize {
        self.slots.push(size);
        self.slots.len() - 1
    }

    /// The convolutions with their normalisations, in order.
    pub(crate) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Unit(unit) => Some(unit),
            Node::Pool { .. } => None,
        })
    }

    /// Numbers in the largest patch of any convolution.
    pub(crate) fn largest_patch(&self) -> usize {
        self.units()
            .map(|unit| unit.convolution.patch())
            .max()
            .unwrap_or(0)
    }

    /// Untrained weights: normal with variance 2 / inputs (He et al., 2015); the last
    /// normalisation of each block starts at zero, so that a block starts as its shortcut.
    pub(crate) fn initial_weights(&self, seed: u64) -> Weights {
        let mut random = Random::new(seed);
        let mut parameters = vec![0.0; self.parameters];
        let mut statistics = vec![0.0; self.statistics];
        for unit in self.units() {
            let deviation = (2.0 / unit.convolution.patch() as f32).sqrt();
            for weight in &mut parameters[unit.convolution.weights.clone()] {
                *weight = random.normal() * deviation;
            }
            let channels = unit.convolution.channels_out;
            let scale = if unit.shortcut.is_some() { 0.0 } else { 1.0 };
            parameters[unit.scale.clone()][..channels].fill(scale);
            statistics[unit.statistics.clone()][channels..].fill(1.0);
        }
        let head = self.head.weights.start..self.head.weights.end - CLASSES;
        for weight in &mut parameters[head] {
            *weight = random.normal() * 0.01;
        }
        Weights {
            parameters,
            statistics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_network_has_the_documented_size() {
        let network = Network::new(&Architecture::default());
        assert_eq!(network.parameters, 1_573_996);
        assert!(network.parameters * 4 < 8_000_000);
        assert_eq!((network.head.area, network.head.channels), (25, 192));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let good = Architecture {
            side: 32,
            widths: vec![4, 8],
            blocks: vec![1, 2],
        };
        assert_eq!(good.check(), Ok(()));
        for (why, bad) in [
            (
                "no stages",
                Architecture {
                    widths: vec![],
                    blocks: vec![],
                    ..good.clone()
                },
            ),
            (
                "odd side",
                Architecture {
                    side: 33,
                    ..good.clone()
                },
            ),
            (
                "no pixels",
                Architecture {
                    side: 0,
                    ..good.clone()
                },
            ),
            (
                "huge side",
                Architecture {
                    side: 1 << 40,
                    ..good.clone()
                },
            ),
            (
                "a stage without channels",
                Architecture {
                    widths: vec![4, 0],
                    ..good.clone()
                },
            ),
            (
                "blocks for one stage only",
                Architecture {
                    blocks: vec![1],
                    ..good.clone()
                },
            ),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.contains("multiple of"), "{why}: {error}");
        }
    }
}
