//! Convolution as matrix products over tiles of image patches.
//!
//! Images are stored pixel by pixel with their channels together (NHWC), so a patch
//! is a few contiguous runs and a tile of patches times the weights is a tile of
//! the result. Tiles are small enough to stay in the second-level cache.

use std::ops::Range;

use crate::matrix::{Matrix, Target, multiply};

/// Output pixels whose patches are handled together.
pub(crate) const TILE: usize = 256;

/// A square convolution over square images, padded with `size / 2` zeros.
#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) channels_in: usize,
    pub(crate) channels_out: usize,
    pub(crate) side_in: usize,
    pub(crate) side_out: usize,
    /// Where its weights lie among the network's: patch values by output channels.
    pub(crate) weights: Range<usize>,
}

/// Where the patch of one output pixel meets its image, in rows and columns.
struct Window {
    top: isize,
    left: isize,
    first: usize,
    last: usize,
    image: usize,
}

impl Convolution {
    /// Numbers in one patch.
    pub(crate) fn patch(&self) -> usize {
        self.size * self.size * self.channels_in
    }

    /// Output pixels of `images` images.
    pub(crate) fn pixels(&self, images: usize) -> usize {
        images * self.side_out * self.side_out
    }

    /// Whether each output pixel is made of the input pixel at its place alone.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.size == 1 && self.stride == 1
    }

    /// Calls `visit` for each tile: its output pixels, and their patches as a matrix.
    pub(crate) fn for_each_tile(
        &self,
        input: &[f32],
        images: usize,
        buffer: &mut [f32],
        mut visit: impl FnMut(Range<usize>, Matrix<'_>),
    ) {
        let (pixels, patch) = (self.pixels(images), self.patch());
        for start in (0..pixels).step_by(TILE) {
            let tile = start..(start + TILE).min(pixels);
            if self.is_pointwise() {
                let rows = Matrix::new(&input[start * patch..], tile.len(), patch);
                visit(tile, rows);
            } else {
                self.gather(input, tile.clone(), buffer);
                let rows = Matrix::new(buffer, tile.len(), patch);
                visit(tile, rows);
            }
        }
    }

    /// Adds to `gradient_in` what `gradient_out` says about the input; `after_tile` is called
    /// after each piece of that work.
    pub(crate) fn backward_input(
        &self,
        weights: &[f32],
        gradient_out: &[f32],
        gradient_in: &mut [f32],
        images: usize,
        buffer: &mut [f32],
        mut after_tile: impl FnMut(),
    ) {
        let (pixels, patch) = (self.pixels(images), self.patch());
        let weights = Matrix::new(weights, patch, self.channels_out).transposed();
        for start in (0..pixels).step_by(TILE) {
            let tile = start..(start + TILE).min(pixels);
            let gradient = &gradient_out[start * self.channels_out..];
            let gradient = Matrix::new(gradient, tile.len(), self.channels_out);
            if self.is_pointwise() {
                let target = &mut gradient_in[start * patch..];
                multiply(target, gradient, weights, Target::Add);
            } else {
                multiply(buffer, gradient, weights, Target::Overwrite);
                self.scatter(gradient_in, tile, buffer);
            }
            after_tile();
        }
    }

    fn window(&self, pixel: usize) -> Window {
        let (area, pad) = (self.side_out * self.side_out, (self.size / 2) as isize);
        let (image, within) = (pixel / area, pixel % area);
        let left = (within % self.side_out * self.stride) as isize - pad;
        Window {
            top: (within / self.side_out * self.stride) as isize - pad,
            left,
            first: (-left).max(0) as usize,
            last: (self.side_in as isize - left).min(self.size as isize) as usize,
            image: image * self.side_in * self.side_in * self.channels_in,
        }
    }

    /// For row `row` of a window: the range within the patch that is inside the
    /// image, and where it starts in the images; `None` above and below the image.
    fn run(&self, window: &Window, row: usize) -> Option<(Range<usize>, usize)> {
        let y = window.top + row as isize;
        if y < 0 || y >= self.side_in as isize {
            return None;
        }
        let base = row * self.size * self.channels_in;
        let inside = base + window.first * self.channels_in..base + window.last * self.channels_in;
        let x = window.left + window.first as isize;
        let pixel = (y * self.side_in as isize + x) as usize;
        Some((inside, window.image + pixel * self.channels_in))
    }

    /// Copies the patches of `pixels` into `patches`, zeros where they leave the image.
    fn gather(&self, input: &[f32], pixels: Range<usize>, patches: &mut [f32]) {
        let row_length = self.size * self.channels_in;
        for (patch, pixel) in patches.chunks_exact_mut(self.patch()).zip(pixels) {
            let window = self.window(pixel);
            for row in 0..self.size {
                let whole = row * row_length..(row + 1) * row_length;
                match self.run(&window, row) {
                    Some((inside, from)) => {
                        patch[whole.start..inside.start].fill(0.0);
                        patch[inside.end..whole.end].fill(0.0);
                        patch[inside.clone()].copy_from_slice(&input[from..from + inside.len()]);
                    }
                    None => patch[whole].fill(0.0),
                }
            }
        }
    }

    /// The reverse of `gather`: adds patches to where they came from.
    fn scatter(&self, output: &mut [f32], pixels: Range<usize>, patches: &[f32]) {
        for (patch, pixel) in patches.chunks_exact(self.patch()).zip(pixels) {
            let window = self.window(pixel);
            for row in 0..self.size {
                if let Some((inside, to)) = self.run(&window, row) {
                    let target = &mut output[to..to + inside.len()];
                    for (sum, value) in target.iter_mut().zip(&patch[inside]) {
                        *sum += value;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use classifier_imaging::Random;
    use proptest::prelude::*;

    fn convolution(
        size: usize,
        stride: usize,
        channels: (usize, usize),
        side: usize,
    ) -> Convolution {
        Convolution {
            size,
            stride,
            channels_in: channels.0,
            channels_out: channels.1,
            side_in: side,
            side_out: side / stride,
            weights: 0..size * size * channels.0 * channels.1,
        }
    }

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        (0..count).map(|_| random.normal()).collect()
    }

    fn forward(c: &Convolution, weights: &[f32], input: &[f32], images: usize) -> Vec<f32> {
        let mut out = vec![0.0; c.pixels(images) * c.channels_out];
        let mut buffer = vec![f32::NAN; TILE * c.patch()];
        let weights = Matrix::new(weights, c.patch(), c.channels_out);
        c.for_each_tile(input, images, &mut buffer, |tile, patches| {
            multiply(
                &mut out[tile.start * c.channels_out..],
                patches,
                weights,
                Target::Overwrite,
            );
        });
        out
    }

    /// The definition of a convolution, one number at a time.
    fn by_definition(c: &Convolution, weights: &[f32], input: &[f32], images: usize) -> Vec<f32> {
        let mut out = Vec::new();
        for pixel in 0..c.pixels(images) * c.channels_out {
            let (pixel, channel) = (pixel / c.channels_out, pixel % c.channels_out);
            let (image, y, x) = (
                pixel / (c.side_out * c.side_out),
                pixel / c.side_out % c.side_out * c.stride,
                pixel % c.side_out * c.stride,
            );
            let mut sum = 0.0;
            for (ky, kx) in (0..c.size).flat_map(|y| (0..c.size).map(move |x| (y, x))) {
                let (iy, ix) = (
                    (y + ky).wrapping_sub(c.size / 2),
                    (x + kx).wrapping_sub(c.size / 2),
                );
                if iy >= c.side_in || ix >= c.side_in {
                    continue;
                }
                for i in 0..c.channels_in {
                    let value =
                        input[((image * c.side_in + iy) * c.side_in + ix) * c.channels_in + i];
                    sum += value
                        * weights
                            [((ky * c.size + kx) * c.channels_in + i) * c.channels_out + channel];
                }
            }
            out.push(sum);
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn agrees_with_the_definition(size in prop::sample::select(vec![1usize, 3, 5]), stride in 1usize..3, channels in (1usize..4, 1usize..4), half in 2usize..11, images in 1usize..3) {
            let c = convolution(size, stride, channels, half * 2);
            let weights = numbers(c.weights.len(), 1);
            let input = numbers(images * c.side_in * c.side_in * c.channels_in, 2);
            let expected = by_definition(&c, &weights, &input, images);
            for (a, b) in forward(&c, &weights, &input, images).iter().zip(&expected) {
                prop_assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }

        /// A linear map and its gradient are adjoint: <conv(x), g> = <x, backward(g)>.
        #[test]
        fn backward_is_the_adjoint_of_forward(size in prop::sample::select(vec![1usize, 3, 5]), channels in (1usize..4, 1usize..4), half in 2usize..11, images in 1usize..3, stride in 1usize..3) {
            let c = convolution(size, stride, channels, half * 2);
            let weights = numbers(c.weights.len(), 3);
            let input = numbers(images * c.side_in * c.side_in * c.channels_in, 4);
            let gradient = numbers(c.pixels(images) * c.channels_out, 5);
            let mut back = vec![0.0; input.len()];
            c.backward_input(&weights, &gradient, &mut back, images, &mut vec![0.0; TILE * c.patch()], || ());
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
            let (left, right) = (dot(&forward(&c, &weights, &input, images), &gradient), dot(&input, &back));
            prop_assert!((left - right).abs() < 1e-3 * (1.0 + left.abs()), "{left} {right}");
        }
    }
}
