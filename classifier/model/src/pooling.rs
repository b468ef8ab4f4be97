//! Halving an image's sides: the largest, or the mean, of each 2×2 pixels.

use pulp::{Arch, Simd, WithSimd};

/// How four pixels become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    Max,
    Mean,
}

/// The sizes of a pooling step; `side` is the input's and even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) pooling: Pooling,
    pub(crate) side: usize,
    pub(crate) channels: usize,
}

/// Images to pool, on registers of whatever kind the machine has.
struct Forward<'a> {
    pool: &'a Pool,
    input: &'a [f32],
    output: &'a mut [f32],
    images: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (pool, input, output, images) = (self.pool, self.input, self.output, self.images);
        match pool.pooling {
            Pooling::Max => pool.reduce(input, output, images, |a, b, c, d| {
                larger(larger(a, b), larger(c, d))
            }),
            Pooling::Mean => {
                pool.reduce(input, output, images, |a, b, c, d| 0.25 * (a + b + c + d))
            }
        }
    }
}

/// The larger of two numbers. Activations are numbers, so that `f32::max`'s care for what is
/// not would be in vain.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl Pool {
    /// Pools `images` images from `input` into `output`.
    pub(crate) fn forward(&self, input: &[f32], output: &mut [f32], images: usize) {
        Arch::new().dispatch(Forward {
            pool: self,
            input,
            output,
            images,
        });
    }

    #[inline(always)]
    fn reduce(
        &self,
        input: &[f32],
        output: &mut [f32],
        images: usize,
        combine: impl Fn(f32, f32, f32, f32) -> f32,
    ) {
        let (channels, row) = (self.channels, self.side * self.channels);
        for pixel in 0..self.pixels_out(images) {
            let corner = self.corner(pixel);
            let (top, bottom) = (
                &input[corner..][..2 * channels],
                &input[corner + row..][..2 * channels],
            );
            let target = &mut output[pixel * channels..][..channels];
            for j in 0..channels {
                target[j] = combine(top[j], top[channels + j], bottom[j], bottom[channels + j]);
            }
        }
    }

    /// Adds to `gradient_in` what `gradient_out` says about the input. The largest
    /// pixel takes all; equal ones (zeros after a ReLU, whose gradient is dropped
    /// anyway) each take it.
    pub(crate) fn backward(
        &self,
        input: &[f32],
        output: &[f32],
        gradient_out: &[f32],
        gradient_in: &mut [f32],
        images: usize,
    ) {
        let (channels, row) = (self.channels, self.side * self.channels);
        for pixel in 0..self.pixels_out(images) {
            let corner = self.corner(pixel);
            let here = pixel * channels..(pixel + 1) * channels;
            let (gradient, result) = (&gradient_out[here.clone()], &output[here]);
            for offset in [0, channels, row, row + channels] {
                let there = corner + offset..corner + offset + channels;
                let (source, target) = (&input[there.clone()], &mut gradient_in[there]);
                for j in 0..channels {
                    target[j] += match self.pooling {
                        Pooling::Mean => 0.25 * gradient[j],
                        Pooling::Max if source[j] == result[j] => gradient[j],
                        Pooling::Max => 0.0,
                    };
                }
            }
        }
    }

    fn pixels_out(&self, images: usize) -> usize {
        images * (self.side / 2) * (self.side / 2)
    }

    /// Where the upper left of the four pixels behind output pixel `pixel` starts.
    fn corner(&self, pixel: usize) -> usize {
        let half = self.side / 2;
        let (image, within) = (pixel / (half * half), pixel % (half * half));
        let (y, x) = (within / half * 2, within % half * 2);
        ((image * self.side + y) * self.side + x) * self.channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_pixels_become_one_and_their_gradient_finds_back() {
        // Two channels, two rows of four pixels would not be square: one 2×2 image twice.
        let input = [1.0, 10.0, 2.0, 20.0, 3.0, 5.0, 4.0, 1.0].repeat(2);
        for (pooling, result, back) in [
            (
                Pooling::Max,
                [4.0, 20.0],
                [0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 4.0, 0.0],
            ),
            (
                Pooling::Mean,
                [2.5, 9.0],
                [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0],
            ),
        ] {
            let pool = Pool {
                pooling,
                side: 2,
                channels: 2,
            };
            let mut output = [0.0; 4];
            pool.forward(&input, &mut output, 2);
            assert_eq!(output, [result, result].concat()[..]);
            let mut gradient = vec![0.0; 16];
            pool.backward(&input, &output, &[4.0, 8.0, 4.0, 8.0], &mut gradient, 2);
            assert_eq!(gradient, [back, back].concat());
        }
    }
}
