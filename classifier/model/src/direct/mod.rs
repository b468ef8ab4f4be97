//! The convolutions of inference: sums held in registers, patches read where they lie.
//!
//! In an image with a border of zeros, row by row with channels together (NHWC), each row
//! of a patch is one run of numbers. So a patch needs no copy: a tile of output pixels times
//! a block of output channels is summed up in registers, run after run, against weights
//! that were laid out in that order once. Training, which needs patches as matrices, has
//! [`crate::convolution`]; both are tested against each other.

mod registers;

use pulp::{Arch, Simd, WithSimd};

use crate::convolution::Convolution;
use registers::Run;

/// One convolution, its weights laid out for this machine's registers.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    convolution: Convolution,
    /// Vectors of output channels that are summed up together, 1 to 3.
    block: usize,
    /// Block by block of output channels, then number by number of a patch: a block's
    /// weights, zeros beyond the last channel.
    weights: Vec<f32>,
    /// One for each channel, and zeros up to a whole block.
    offsets: Vec<f32>,
}

/// What a convolution reads, adds and writes.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    pub(crate) input: &'a [f32],
    /// Added to the result, number by number.
    pub(crate) shortcut: Option<&'a [f32]>,
    pub(crate) relu: bool,
    pub(crate) output: &'a mut [f32],
    pub(crate) images: usize,
    /// Holds the input with its border; grows as needed.
    pub(crate) bordered: &'a mut Vec<f32>,
}

/// Numbers of channels that a register of this machine holds.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

impl Direct {
    /// `weights` as of [`Convolution`], one of `offsets` for each output channel.
    pub(crate) fn new(convolution: &Convolution, weights: &[f32], offsets: &[f32]) -> Direct {
        Direct::for_lanes(convolution, weights, offsets, Arch::new().dispatch(Lanes))
    }

    fn for_lanes(
        convolution: &Convolution,
        weights: &[f32],
        offsets: &[f32],
        lanes: usize,
    ) -> Direct {
        let channels = convolution.channels_out;
        let vectors = channels.div_ceil(lanes);
        let block = (1..=3).rev().find(|size| vectors.is_multiple_of(*size));
        let block = block.expect("every number is a multiple of 1");
        let width = block * lanes;
        let mut packed = Vec::with_capacity(convolution.patch() * vectors * lanes);
        for start in (0..channels).step_by(width) {
            let present = width.min(channels - start);
            for row in weights.chunks_exact(channels) {
                packed.extend_from_slice(&row[start..start + present]);
                packed.resize(packed.len() + width - present, 0.0);
            }
        }
        let mut offsets = offsets.to_vec();
        offsets.resize(vectors * lanes, 0.0);
        Direct {
            convolution: convolution.clone(),
            block,
            weights: packed,
            offsets,
        }
    }

    /// Convolves `pass.images` images.
    pub(crate) fn run(&self, pass: Pass<'_>) {
        Arch::new().dispatch(Run { direct: self, pass });
    }

    /// Numbers in a row of an image with its border.
    fn pitch(&self) -> usize {
        (self.convolution.side_in + 2 * self.border()) * self.convolution.channels_in
    }

    fn border(&self) -> usize {
        self.convolution.size / 2
    }

    /// Numbers of an image with its border.
    fn bordered_size(&self) -> usize {
        self.pitch() * (self.convolution.side_in + 2 * self.border())
    }

    /// The images with their borders.
    fn add_border<'a>(
        &self,
        input: &'a [f32],
        images: usize,
        bordered: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let (side, channels) = (self.convolution.side_in, self.convolution.channels_in);
        let (row, edge, pitch) = (side * channels, self.border() * channels, self.pitch());
        let size = self.bordered_size();
        if edge == 0 {
            return &input[..images * size];
        }
        if bordered.len() < images * size {
            bordered.resize(images * size, 0.0);
        }
        let bordered = &mut bordered[..images * size];
        let rows = input.chunks_exact(side * row);
        for (image, target) in rows.zip(bordered.chunks_exact_mut(size)) {
            let (above, rest) = target.split_at_mut(self.border() * pitch);
            let (middle, below) = rest.split_at_mut(side * pitch);
            above.fill(0.0);
            below.fill(0.0);
            let rows = middle.chunks_exact_mut(pitch);
            for (source, target) in image.chunks_exact(row).zip(rows) {
                target[..edge].fill(0.0);
                target[edge..edge + row].copy_from_slice(source);
                target[edge + row..].fill(0.0);
            }
        }
        bordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::TILE;
    use crate::matrix::{Matrix, Target, multiply};
    use classifier_imaging::Random;
    use proptest::prelude::*;

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        (0..count).map(|_| random.normal()).collect()
    }

    struct Case<'a, F> {
        /// The convolution, laid out for registers of so many numbers.
        direct: F,
        input: &'a [f32],
        shortcut: Option<&'a [f32]>,
        relu: bool,
        images: usize,
    }

    /// What training computes, and then offsets, shortcut and ReLU.
    fn expected<F>(c: &Convolution, weights: &[f32], offsets: &[f32], case: &Case<F>) -> Vec<f32> {
        let mut out = vec![0.0; c.pixels(case.images) * c.channels_out];
        let mut buffer = vec![0.0; TILE * c.patch()];
        let weights = Matrix::new(weights, c.patch(), c.channels_out);
        c.for_each_tile(case.input, case.images, &mut buffer, |tile, patches| {
            let target = &mut out[tile.start * c.channels_out..];
            multiply(target, patches, weights, Target::Overwrite);
        });
        for (i, value) in out.iter_mut().enumerate() {
            *value += offsets[i % c.channels_out] + case.shortcut.map_or(0.0, |all| all[i]);
            if case.relu {
                *value = value.max(0.0);
            }
        }
        out
    }

    /// The same on registers of one kind.
    fn found<S: Simd>(simd: S, case: &Case<impl Fn(usize) -> Direct>) -> Vec<f32> {
        let direct = (case.direct)(S::F32_LANES);
        let convolution = &direct.convolution;
        let mut output = vec![f32::NAN; convolution.pixels(case.images) * convolution.channels_out];
        let pass = Pass {
            input: case.input,
            shortcut: case.shortcut,
            relu: case.relu,
            output: &mut output,
            images: case.images,
            bordered: &mut vec![f32::NAN; 7],
        };
        let run = Run {
            direct: &direct,
            pass,
        };
        simd.vectorize(run);
        output
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn agrees_with_training_on_registers_of_every_kind(
            size in prop::sample::select(vec![1usize, 3, 5]),
            stride in 1usize..3,
            channels in (1usize..40, prop::sample::select(vec![1usize, 3, 16, 24, 31, 48, 96])),
            half in 1usize..8,
            images in 1usize..3,
            relu: bool,
            added: bool,
        ) {
            let c = Convolution {
                size,
                stride,
                channels_in: channels.0,
                channels_out: channels.1,
                side_in: half * 2,
                side_out: half * 2 / stride,
                weights: 0..size * size * channels.0 * channels.1,
            };
            let (weights, offsets) = (numbers(c.weights.len(), 1), numbers(channels.1, 2));
            let input = numbers(images * c.side_in * c.side_in * c.channels_in, 3);
            let shortcut = numbers(c.pixels(images) * c.channels_out, 4);
            let case = Case {
                direct: |lanes| Direct::for_lanes(&c, &weights, &offsets, lanes),
                input: &input,
                shortcut: added.then_some(&shortcut[..]),
                relu,
                images,
            };
            let expected = expected(&c, &weights, &offsets, &case);
            let mut results = vec![found(pulp::Scalar, &case)];
            #[cfg(target_arch = "x86_64")]
            {
                use pulp::x86::{V3, V4};
                results.extend(V3::try_new().map(|v3| found(v3, &case)));
                results.extend(V4::try_new().map(|v4| found(v4, &case)));
            }
            for found in results {
                for (a, b) in found.iter().zip(&expected) {
                    prop_assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{a} {b}");
                }
            }
        }
    }
}
