//! Halving an image's sides: the largest, or the mean, of each 2×2 pixels.

use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{load, store, vectors};

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
    fn with_simd<S: Simd>(self, simd: S) {
        match self.pool.pooling {
            Pooling::Max => self.reduce(simd, |numbers: [S::f32s; 4]| {
                let [a, b, c, d] = numbers;
                simd.max_f32s(simd.max_f32s(a, b), simd.max_f32s(c, d))
            }),
            Pooling::Mean => {
                let quarter = simd.splat_f32s(0.25);
                self.reduce(simd, |numbers: [S::f32s; 4]| {
                    let [a, b, c, d] = numbers;
                    let sum = simd.add_f32s(simd.add_f32s(simd.add_f32s(a, b), c), d);
                    simd.mul_f32s(quarter, sum)
                });
            }
        }
    }
}

impl Forward<'_> {
    /// A register of channels at a time.
    #[inline(always)]
    fn reduce<S: Simd>(self, simd: S, combine: impl Fn([S::f32s; 4]) -> S::f32s) {
        let Forward {
            pool,
            input,
            output,
            images,
        } = self;
        let (channels, row) = (pool.channels, pool.side * pool.channels);
        for pixel in 0..pool.pixels_out(images) {
            let corner = pool.corner(pixel);
            let four = [0, channels, row, row + channels]
                .map(|offset| &input[corner + offset..][..channels]);
            let target = &mut output[pixel * channels..][..channels];
            if channels < S::F32_LANES {
                let numbers = four.map(|from| simd.partial_load_f32s(from));
                simd.partial_store_f32s(target, combine(numbers));
                continue;
            }
            for first in vectors::<S>(channels) {
                // SAFETY: `vectors` stay within the channels, of which every slice has all.
                unsafe {
                    let numbers = four.map(|from| load::<S>(from, first));
                    store::<S>(target, first, combine(numbers));
                }
            }
        }
    }
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
    use classifier_imaging::Random;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_number_of_channels_is_pooled(channels in 1usize..70, half in 1usize..4, images in 1usize..3) {
            let mut random = Random::new(channels as u64);
            let side = 2 * half;
            let input: Vec<f32> = (0..images * side * side * channels).map(|_| random.normal()).collect();
            for pooling in [Pooling::Max, Pooling::Mean] {
                let pool = Pool { pooling, side, channels };
                let mut output = vec![f32::NAN; images * half * half * channels];
                pool.forward(&input, &mut output, images);
                for (i, found) in output.iter().enumerate() {
                    let corner = pool.corner(i / channels) + i % channels;
                    let row = side * channels;
                    let four = [0, channels, row, row + channels].map(|offset| input[corner + offset]);
                    let expected = match pooling {
                        Pooling::Max => four.into_iter().fold(f32::MIN, f32::max),
                        Pooling::Mean => 0.25 * four.iter().sum::<f32>(),
                    };
                    prop_assert_eq!(*found, expected);
                }
            }
        }
    }

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
