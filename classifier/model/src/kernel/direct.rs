//! Sums held in registers, patches read where they lie.
//!
//! In an image with a border of zeros, row by row with channels together (NHWC), each row
//! of a patch is one run of numbers. So a patch needs no copy: a tile of output pixels times
//! a block of output channels is summed up in registers, run after run, against weights
//! that were laid out in that order once.

use std::ops::Range;

use pulp::Simd;

use super::registers::Sums;
use super::{Buffers, Pass, room};
use crate::convolution::Convolution;

/// One convolution, its weights laid out for registers of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    pub(super) convolution: Convolution,
    /// Vectors of output channels that are summed up together, 1 to 3.
    pub(super) block: usize,
    /// Block by block of output channels, then number by number of a patch: a block's
    /// weights, zeros beyond the last channel.
    pub(super) weights: Vec<f32>,
    /// One for each channel, and zeros up to a whole block.
    pub(super) offsets: Vec<f32>,
}

impl Direct {
    /// `weights` as of [`Convolution`], one of `offsets` for each output channel.
    pub(super) fn new(
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
    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, simd: S, pass: Pass<'_>, buffers: &mut Buffers) {
        simd.vectorize(Sums {
            direct: self,
            input: self.add_border(&pass.rows, pass.input, pass.images, &mut buffers.bordered),
            rows: pass.rows.len(),
            shortcut: pass.shortcut,
            relu: pass.relu,
            output: pass.output,
            images: pass.images,
        });
    }

    /// Numbers in a row of an image with its border.
    pub(super) fn pitch(&self) -> usize {
        (self.convolution.side_in + 2 * self.border()) * self.convolution.channels_in
    }

    fn border(&self) -> usize {
        self.convolution.size / 2
    }

    /// Numbers that `rows` rows of an image's result are made of, with their border.
    pub(super) fn bordered_size(&self, rows: usize) -> usize {
        self.pitch() * (rows * self.convolution.stride + 2 * self.border())
    }

    /// What `rows` of each image's result are made of, with its border.
    fn add_border<'a>(
        &self,
        rows: &Range<usize>,
        input: &'a [f32],
        images: usize,
        bordered: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let Convolution {
            side_in,
            side_out,
            stride,
            channels_in,
            ..
        } = self.convolution;
        let (row, edge, pitch) = (
            side_in * channels_in,
            self.border() * channels_in,
            self.pitch(),
        );
        let size = self.bordered_size(rows.len());
        if edge == 0 && (images == 1 || rows.len() == side_out) {
            return &input[rows.start * stride * row..][..images * size];
        }
        let bordered = room(bordered, images * size);
        let whole = input.chunks_exact(side_in * row);
        for (image, target) in whole.zip(bordered.chunks_exact_mut(size)) {
            for (y, target) in target.chunks_exact_mut(pitch).enumerate() {
                match (rows.start * stride + y).checked_sub(self.border()) {
                    Some(y) if y < side_in => {
                        target[..edge].fill(0.0);
                        target[edge..edge + row].copy_from_slice(&image[y * row..][..row]);
                        target[edge + row..].fill(0.0);
                    }
                    _ => target.fill(0.0),
                }
            }
        }
        bordered
    }
}
