//! 3×3 convolutions in fewer multiplications: of 2×2 results 16 in place of 36, of 4×4 results
//! 36 in place of 144.
//!
//! Overlapping tiles of the input are transformed; each place of a tile is then multiplied by
//! a matrix of transformed weights of its own, from input to output channels; and the products
//! are transformed into tiles of the output. [`super::points`] has the transforms of a row.
//! What tiles reach beyond the image is read as zeros, and not written.

use std::array::from_fn;
use std::ops::Range;

use pulp::Simd;

use super::direct::Direct;
use super::points::{FourResults, Points, TwoResults};
use super::registers::Sums;
use super::{Buffers, Pass, room};
use crate::convolution::Convolution;
use crate::helper::Helper;
use crate::lanes::{load, store, vectors};

/// Transformed tiles that are worked on together stay within so many numbers, and so in the
/// second-level cache beside their weights.
const BAND_NUMBERS_MAX: usize = 96 * 1024;

/// How many results a tile has: two or four a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tile {
    Two,
    Four,
}

/// One convolution, its weights transformed.
#[derive(Clone, Debug)]
pub(crate) struct Winograd {
    pub(super) tile: Tile,
    pub(super) convolution: Convolution,
    /// One for each place of a transformed tile: from input to output channels.
    products: Vec<Direct>,
    offsets: Vec<f32>,
}

impl Tile {
    /// Smallest first.
    pub(super) const ALL: [Tile; 2] = [Tile::Two, Tile::Four];

    /// Results a side.
    pub(super) fn side(self) -> usize {
        match self {
            Tile::Two => 2,
            Tile::Four => 4,
        }
    }

    /// Multiplications of a tile, for each pair of channels.
    pub(super) fn places(self) -> usize {
        (self.side() + 2) * (self.side() + 2)
    }

    /// Tiles that make `rows` rows of an image's result.
    pub(super) fn count(self, rows: usize, convolution: &Convolution) -> usize {
        rows.div_ceil(self.side()) * convolution.side_out.div_ceil(self.side())
    }
}

impl Winograd {
    /// `weights` as of [`Convolution`], which is 3×3 with stride 1, from and to `lanes` channels
    /// at least.
    pub(super) fn new(
        tile: Tile,
        convolution: &Convolution,
        weights: &[f32],
        offsets: &[f32],
        lanes: usize,
    ) -> Winograd {
        let transformed = match tile {
            Tile::Two => transform_weights::<TwoResults, 2, 4>(weights),
            Tile::Four => transform_weights::<FourResults, 4, 6>(weights),
        };
        let pointwise = Convolution {
            size: 1,
            side_in: 1,
            side_out: 1,
            weights: 0..convolution.channels_in * convolution.channels_out,
            ..convolution.clone()
        };
        let none = vec![0.0; convolution.channels_out];
        let product = |weights: &Vec<f32>| Direct::new(&pointwise, weights, &none, lanes);
        Winograd {
            tile,
            convolution: convolution.clone(),
            products: transformed.iter().map(product).collect(),
            offsets: offsets.to_vec(),
        }
    }

    /// Whether memory holds it up, since an image has few tiles to multiply the weights by.
    pub(super) fn has_more_weights_than_tiles(&self) -> bool {
        let (inward, outward) = (self.convolution.channels_in, self.convolution.channels_out);
        let tiles = self
            .tile
            .count(self.convolution.side_out, &self.convolution);
        inward * outward > tiles * (inward + outward)
    }

    /// Convolves `pass.images` images; with help, another thread takes half of the products.
    #[inline(always)]
    pub(super) fn run<S: Simd>(
        &self,
        simd: S,
        pass: Pass<'_>,
        buffers: &mut Buffers,
        help: Option<&mut Helper>,
    ) {
        match self.tile {
            Tile::Two => self.bands::<S, TwoResults, 2, 4>(simd, pass, buffers, help),
            Tile::Four => self.bands::<S, FourResults, 4, 6>(simd, pass, buffers, help),
        }
    }

    /// As many tiles at a time as [`BAND_NUMBERS_MAX`] allows, in bands as equal as may be.
    #[inline(always)]
    fn bands<S: Simd, P: Points<OUT, IN>, const OUT: usize, const IN: usize>(
        &self,
        simd: S,
        mut pass: Pass<'_>,
        buffers: &mut Buffers,
        mut help: Option<&mut Helper>,
    ) {
        let (inward, outward) = (self.convolution.channels_in, self.convolution.channels_out);
        let tiles = pass.images * self.tile.count(pass.rows.len(), &self.convolution);
        let most = (BAND_NUMBERS_MAX / (self.tile.places() * (inward + outward))).max(1);
        let count = tiles.div_ceil(most);
        let Buffers {
            bordered,
            transformed,
            products,
        } = buffers;
        for band in 0..count {
            let band = band * tiles / count..(band + 1) * tiles / count;
            let (inputs, outputs) = (band.len() * inward, band.len() * outward);
            let transformed = room(transformed, self.tile.places() * inputs);
            let products = room(products, self.tile.places() * outputs);
            for (i, tile) in band.clone().enumerate() {
                let target = &mut transformed[i * inward..];
                self.transform::<S, P, OUT, IN>(simd, &pass, bordered, tile, target, inputs);
            }
            match help.as_deref_mut() {
                None => self.multiply(simd, 0..IN * IN, transformed, products),
                Some(helper) => {
                    let half = IN * IN / 2;
                    let (first, second) = transformed.split_at(half * inputs);
                    let (above, below) = products.split_at_mut(half * outputs);
                    helper.join(
                        || self.multiply(simd, 0..half, first, above),
                        || self.multiply(simd, half..IN * IN, second, below),
                    );
                }
            }
            for (i, tile) in band.enumerate() {
                let source = &products[i * outward..];
                self.finish::<S, P, OUT, IN>(simd, source, outputs, tile, &mut pass);
            }
        }
    }

    /// Multiplies tiles at `places` by the weights of each; `tiles` and `products` have those
    /// places alone.
    fn multiply<S: Simd>(
        &self,
        simd: S,
        places: Range<usize>,
        tiles: &[f32],
        products: &mut [f32],
    ) {
        let (inputs, outputs) = (tiles.len() / places.len(), products.len() / places.len());
        let by_place = tiles.chunks_exact(inputs);
        let by_place = by_place.zip(products.chunks_exact_mut(outputs));
        for (direct, (input, output)) in self.products[places].iter().zip(by_place) {
            simd.vectorize(Sums {
                direct,
                input,
                images: inputs / self.convolution.channels_in,
                rows: 1,
                shortcut: None,
                relu: false,
                output,
            });
        }
    }

    /// Where a tile's first result is: image, row, column.
    fn place(&self, rows: &Range<usize>, tile: usize) -> [usize; 3] {
        let a_row = self.convolution.side_out.div_ceil(self.tile.side());
        let an_image = self.tile.count(rows.len(), &self.convolution);
        let (image, within) = (tile / an_image, tile % an_image);
        let row = rows.start + within / a_row * self.tile.side();
        [image, row, within % a_row * self.tile.side()]
    }

    /// Writes what `tile` reads, transformed: place after place, `step` numbers apart.
    #[inline(always)]
    fn transform<S: Simd, P: Points<OUT, IN>, const OUT: usize, const IN: usize>(
        &self,
        simd: S,
        pass: &Pass<'_>,
        bordered: &mut Vec<f32>,
        tile: usize,
        target: &mut [f32],
        step: usize,
    ) {
        let (side, channels) = (self.convolution.side_in, self.convolution.channels_in);
        let [image, row, column] = self.place(&pass.rows, tile);
        let image = &pass.input[image * side * side * channels..][..side * side * channels];
        let inside = |start: usize| start > 0 && start + OUT < side;
        let (source, pitch) = if inside(row) && inside(column) {
            (
                &image[((row - 1) * side + column - 1) * channels..],
                side * channels,
            )
        } else {
            let copy = room(bordered, IN * IN * channels);
            cut_out(image, side, channels, [row, column], IN, copy);
            (&*copy, IN * channels)
        };
        let last = IN - 1;
        assert!(last * (pitch + channels) + channels <= source.len());
        assert!((IN * IN - 1) * step + channels <= target.len());
        for first in vectors::<S>(channels) {
            let mut values = [[simd.splat_f32s(0.0); IN]; IN];
            for (y, values) in values.iter_mut().enumerate() {
                let at = |x| y * pitch + x * channels + first;
                // SAFETY: the tile's last pixel lies within the source.
                let row = from_fn(|x| unsafe { load::<S>(source, at(x)) });
                *values = P::evaluate(simd, row);
            }
            #[expect(clippy::needless_range_loop, reason = "`x` counts columns, not rows")]
            for x in 0..IN {
                let column = P::evaluate(simd, from_fn(|y| values[y][x]));
                for (y, value) in column.into_iter().enumerate() {
                    // SAFETY: the last place lies within the target.
                    unsafe { store::<S>(target, (y * IN + x) * step + first, value) };
                }
            }
        }
    }

    /// Writes `tile`'s results, from products that are `step` numbers apart.
    #[inline(always)]
    fn finish<S: Simd, P: Points<OUT, IN>, const OUT: usize, const IN: usize>(
        &self,
        simd: S,
        source: &[f32],
        step: usize,
        tile: usize,
        pass: &mut Pass<'_>,
    ) {
        let (side, channels) = (self.convolution.side_out, self.convolution.channels_out);
        let (shortcut, output) = (pass.shortcut, &mut *pass.output);
        let [image, row, column] = self.place(&pass.rows, tile);
        let (rows, columns) = (OUT.min(pass.rows.end - row), OUT.min(side - column));
        let start = (image * pass.rows.len() + row - pass.rows.start) * side + column;
        let zero = simd.splat_f32s(0.0);
        let end = (start + (rows - 1) * side + columns) * channels;
        assert!((IN * IN - 1) * step + channels <= source.len());
        assert!(end <= output.len() && shortcut.is_none_or(|all| end <= all.len()));
        assert!(channels <= self.offsets.len());
        for first in vectors::<S>(channels) {
            // SAFETY: there is an offset for each channel.
            let offset = unsafe { load::<S>(&self.offsets, first) };
            let mut values = [[zero; OUT]; IN];
            for (y, values) in values.iter_mut().enumerate() {
                let at = |x| (y * IN + x) * step + first;
                // SAFETY: the last place lies within the source.
                let row = from_fn(|x| unsafe { load::<S>(source, at(x)) });
                *values = P::interpolate(simd, row);
            }
            #[expect(clippy::needless_range_loop, reason = "`x` counts columns, not rows")]
            for x in 0..columns {
                let column = P::interpolate(simd, from_fn(|y| values[y][x]));
                for (y, value) in column.into_iter().enumerate().take(rows) {
                    let here = (start + y * side + x) * channels + first;
                    let mut value = simd.add_f32s(value, offset);
                    if let Some(shortcut) = shortcut {
                        // SAFETY: the last pixel lies within the shortcut.
                        value = simd.add_f32s(value, unsafe { load::<S>(shortcut, here) });
                    }
                    if pass.relu {
                        value = simd.max_f32s(value, zero);
                    }
                    // SAFETY: the last pixel lies within the output.
                    unsafe { store::<S>(output, here, value) };
                }
            }
        }
    }
}

/// The `size`×`size` pixels whose second row and column are those of `corner`, zeros beyond
/// the image.
fn cut_out(
    image: &[f32],
    side: usize,
    channels: usize,
    corner: [usize; 2],
    size: usize,
    target: &mut [f32],
) {
    let [row, column] = corner;
    let (first, last) = (column.saturating_sub(1), (column + size - 1).min(side));
    let before = (first + 1 - column) * channels;
    let length = (last - first) * channels;
    for (y, target) in target.chunks_exact_mut(size * channels).enumerate() {
        match (row + y).checked_sub(1) {
            Some(y) if y < side => {
                let source = &image[(y * side + first) * channels..][..length];
                target[..before].fill(0.0);
                target[before..before + length].copy_from_slice(source);
                target[before + length..].fill(0.0);
            }
            _ => target.fill(0.0),
        }
    }
}

/// For each place of a transformed tile, row by row, its weights: input by output channels.
fn transform_weights<P: Points<OUT, IN>, const OUT: usize, const IN: usize>(
    weights: &[f32],
) -> Vec<Vec<f32>> {
    let taps: Vec<&[f32]> = weights.chunks_exact(weights.len() / 9).collect();
    let place = |y: usize, x: usize| {
        let factor = |tap: usize| P::WEIGHTS[y][tap / 3] * P::WEIGHTS[x][tap % 3];
        let mut sums = vec![0.0; taps[0].len()];
        for (tap, weights) in taps
            .iter()
            .enumerate()
            .filter(|(tap, _)| factor(*tap) != 0.0)
        {
            for (sum, weight) in sums.iter_mut().zip(*weights) {
                *sum += factor(tap) * f64::from(*weight);
            }
        }
        sums.into_iter().map(|sum| sum as f32).collect()
    };
    (0..IN * IN).map(|i| place(i / IN, i % IN)).collect()
}
