//! Every kernel against what training computes.

use super::*;
use crate::convolution::TILE;
use crate::matrix::{Matrix, Target, multiply};
use classifier_imaging::Random;
use proptest::prelude::*;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

/// What is convolved, and with what.
struct Case {
    convolution: Convolution,
    weights: Vec<f32>,
    offsets: Vec<f32>,
    input: Vec<f32>,
    shortcut: Option<Vec<f32>>,
    relu: bool,
    images: usize,
    cut: usize,
}

impl Case {
    fn new(convolution: Convolution, images: usize, cut: usize, added: bool, relu: bool) -> Case {
        let c = &convolution;
        let shortcut = added.then(|| numbers(c.pixels(images) * c.channels_out, 4));
        Case {
            weights: numbers(c.weights.len(), 1),
            offsets: numbers(c.channels_out, 2),
            input: numbers(images * c.side_in * c.side_in * c.channels_in, 3),
            shortcut,
            relu,
            images,
            cut,
            convolution,
        }
    }

    /// What training computes, and then offsets, shortcut and ReLU.
    fn expected(&self) -> Vec<f32> {
        let c = &self.convolution;
        let mut out = vec![0.0; c.pixels(self.images) * c.channels_out];
        let mut buffer = vec![0.0; TILE * c.patch()];
        let weights = Matrix::new(&self.weights, c.patch(), c.channels_out);
        c.for_each_tile(&self.input, self.images, &mut buffer, |tile, patches| {
            let target = &mut out[tile.start * c.channels_out..];
            multiply(target, patches, weights, Target::Overwrite);
        });
        for (i, value) in out.iter_mut().enumerate() {
            *value += self.offsets[i % c.channels_out];
            *value += self.shortcut.as_ref().map_or(0.0, |all| all[i]);
            if self.relu {
                *value = value.max(0.0);
            }
        }
        out
    }

    /// What each kernel that fits computes on registers of one kind.
    fn found<S: Simd>(&self, simd: S) -> Vec<Vec<f32>> {
        let kernels = self.kernels(S::F32_LANES);
        let results = kernels.iter().map(|kernel| self.run(simd, kernel));
        results.collect()
    }

    /// Each that fits, for registers of so many lanes.
    fn kernels(&self, lanes: usize) -> Vec<Kernel> {
        let (c, weights, offsets) = (&self.convolution, &self.weights, &self.offsets);
        let mut kernels = vec![Kernel::Direct(Direct::new(c, weights, offsets, lanes))];
        if (c.size, c.stride) == (3, 1) && c.channels_in.min(c.channels_out) >= lanes {
            let tiles = Tile::ALL.into_iter();
            let of = |tile| Kernel::Winograd(Winograd::new(tile, c, weights, offsets, lanes));
            kernels.extend(tiles.map(of));
        }
        kernels
    }

    /// In two parts: the rows of all images before `cut`, and the others.
    fn run<S: Simd>(&self, simd: S, kernel: &Kernel) -> Vec<f32> {
        let c = &self.convolution;
        let row = c.side_out * c.channels_out;
        let mut output = vec![f32::NAN; c.pixels(self.images) * c.channels_out];
        for rows in [0..self.cut, self.cut..c.side_out] {
            let there = rows.start * row..rows.end * row;
            let shortcut = self.shortcut.as_ref();
            let shortcut = shortcut.map(|all| rows_of(all, row * c.side_out, &there));
            let mut part = vec![f32::NAN; self.images * there.len()];
            let pass = Pass {
                input: &self.input,
                images: self.images,
                rows,
                shortcut: shortcut.as_deref(),
                relu: self.relu,
                output: &mut part,
            };
            simd.vectorize(Run {
                kernel,
                pass,
                buffers: &mut used_buffers(),
                help: None,
            });
            let images = output.chunks_exact_mut(row * c.side_out);
            for (i, image) in images.enumerate() {
                let part = &part[i * there.len()..][..there.len()];
                image[there.clone()].copy_from_slice(part);
            }
        }
        output
    }

    /// What two threads compute of the first image.
    fn run_with_help(&self, kernel: &Kernel, helper: &mut Helper) -> Vec<f32> {
        let c = &self.convolution;
        let mut output = vec![f32::NAN; c.pixels(1) * c.channels_out];
        let pass = Pass {
            input: &self.input[..c.side_in * c.side_in * c.channels_in],
            images: 1,
            rows: 0..c.side_out,
            shortcut: self.shortcut.as_deref().map(|all| &all[..output.len()]),
            relu: self.relu,
            output: &mut output,
        };
        let mut buffers = [used_buffers(), used_buffers()];
        kernel.run_with_help(pass, &mut buffers, helper);
        output
    }
}

/// The range `there` of each of `all`'s images.
fn rows_of(all: &[f32], image: usize, there: &Range<usize>) -> Vec<f32> {
    let images = all.chunks_exact(image);
    images.flat_map(|all| all[there.clone()].to_vec()).collect()
}

fn used_buffers() -> Buffers {
    Buffers {
        bordered: vec![f32::NAN; 7],
        transformed: vec![f32::NAN; 7],
        products: vec![f32::NAN; 7],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_kernel_agrees_with_training_on_registers_of_every_kind(
        size in prop::sample::select(vec![1usize, 3, 3, 5]),
        stride in 1usize..3,
        channels in (1usize..40, prop::sample::select(vec![1usize, 3, 16, 24, 31, 48, 96])),
        half in 1usize..8,
        odd: bool,
        images in 1usize..4,
        cut: prop::sample::Index,
        relu: bool,
        added: bool,
    ) {
        let side_in = half * 2 + usize::from(odd && stride == 1);
        let convolution = Convolution {
            size,
            stride,
            channels_in: channels.0,
            channels_out: channels.1,
            side_in,
            side_out: side_in / stride,
            weights: 0..size * size * channels.0 * channels.1,
        };
        let cut = cut.index(convolution.side_out);
        let case = Case::new(convolution, images, cut, added, relu);
        let expected = case.expected();
        let mut results = case.found(pulp::Scalar);
        #[cfg(target_arch = "x86_64")]
        {
            use pulp::x86::{V3, V4};
            results.extend(V3::try_new().into_iter().flat_map(|v3| case.found(v3)));
            results.extend(V4::try_new().into_iter().flat_map(|v4| case.found(v4)));
        }
        let mut helper = Helper::start("helper").unwrap();
        for kernel in case.kernels(Arch::new().dispatch(Lanes)) {
            results.push(case.run_with_help(&kernel, &mut helper));
        }
        for found in results {
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{a} {b}");
            }
        }
    }
}

#[test]
fn small_tiles_are_for_small_images_and_other_convolutions_have_none() {
    let tile = |size, stride, channels, side| {
        best_tile(
            &Convolution {
                size,
                stride,
                channels_in: channels,
                channels_out: channels,
                side_in: side,
                side_out: side / stride,
                weights: 0..size * size * channels * channels,
            },
            16,
        )
    };
    assert_eq!(tile(3, 1, 24, 40), Some(Tile::Four));
    assert_eq!(tile(3, 1, 192, 5), Some(Tile::Two));
    assert_eq!(tile(3, 2, 48, 40), None);
    assert_eq!(tile(1, 1, 48, 40), None);
    assert_eq!(tile(3, 1, 8, 40), None);
}
