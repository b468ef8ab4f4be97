//! Sums held in registers, patches read where they lie.
//!
//! In an image with a border of zeros, row by row with channels together (NHWC), each row
//! of a patch is one run of numbers. So a patch needs no copy: a tile of output pixels times
//! a block of output channels is summed up in registers, run after run, against weights
//! that were laid out in that order once.

use pulp::Simd;

use super::registers::Sums;
use super::{Pass, room};
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
    pub(super) fn run<S: Simd>(&self, simd: S, pass: Pass<'_>) {
        simd.vectorize(Sums {
            direct: self,
            input: self.add_border(pass.input, pass.images, &mut pass.buffers.bordered),
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

    /// Numbers of an image with its border.
    pub(super) fn bordered_size(&self) -> usize {
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
        let bordered = room(bordered, images * size);
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
