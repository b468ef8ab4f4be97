//! The convolutions of inference, each by the way that needs least work.
//!
//! [`direct`] sums up patches where they lie; [`winograd`] needs fewer multiplications where
//! a 3×3 convolution visits every pixel. Both run on registers of whatever kind the machine
//! has. Training, which needs patches as matrices, has [`crate::convolution`]; all are tested
//! against each other.

mod direct;
mod points;
mod registers;
mod winograd;

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::convolution::Convolution;
use crate::helper::Helper;
use direct::Direct;
use winograd::{Tile, Winograd};

/// Fewer channels than these, and transforming tiles costs more than it saves.
const WINOGRAD_CHANNELS_MIN: usize = 16;

/// One convolution, its weights laid out for this machine's registers.
#[derive(Clone, Debug)]
pub(crate) enum Kernel {
    Direct(Direct),
    Winograd(Winograd),
}

/// What a convolution reads, adds and writes.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    /// Whole images.
    pub(crate) input: &'a [f32],
    pub(crate) images: usize,
    /// The rows of each image's result that are asked for.
    pub(crate) rows: Range<usize>,
    /// Added to these rows, number by number.
    pub(crate) shortcut: Option<&'a [f32]>,
    pub(crate) relu: bool,
    /// These rows alone, image after image.
    pub(crate) output: &'a mut [f32],
}

/// A thread's working memory for kernels; each grows as needed.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// Images, or a tile, with a border of zeros.
    bordered: Vec<f32>,
    /// Input tiles, transformed.
    transformed: Vec<f32>,
    /// Output tiles before they are transformed back.
    products: Vec<f32>,
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

/// A kernel with what it works on.
struct Run<'a> {
    kernel: &'a Kernel,
    pass: Pass<'a>,
    buffers: &'a mut Buffers,
    help: Option<&'a mut Helper>,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.pass.rows.is_empty() {
            return;
        }
        match self.kernel {
            Kernel::Direct(direct) => direct.run(simd, self.pass, self.buffers),
            Kernel::Winograd(winograd) => {
                winograd.run(simd, self.pass, self.buffers, self.help);
            }
        }
    }
}

impl Kernel {
    /// `weights` as of [`Convolution`], one of `offsets` for each output channel.
    pub(crate) fn new(convolution: &Convolution, weights: &[f32], offsets: &[f32]) -> Kernel {
        let lanes = Arch::new().dispatch(Lanes);
        match best_tile(convolution, lanes) {
            Some(tile) => {
                Kernel::Winograd(Winograd::new(tile, convolution, weights, offsets, lanes))
            }
            None => Kernel::Direct(Direct::new(convolution, weights, offsets, lanes)),
        }
    }

    /// Convolves `pass.images` images.
    pub(crate) fn run(&self, pass: Pass<'_>, buffers: &mut Buffers) {
        self.dispatch(pass, buffers, None);
    }

    /// Convolves one image, all rows of it; half of that on the helper's thread.
    pub(crate) fn run_with_help(
        &self,
        pass: Pass<'_>,
        buffers: &mut [Buffers; 2],
        help: &mut Helper,
    ) {
        let [buffers, others] = buffers;
        if let Kernel::Winograd(winograd) = self
            && winograd.has_more_weights_than_tiles()
        {
            return self.dispatch(pass, buffers, Some(help));
        }
        let (above, below) = pass.divide(self.convolution(), self.middle());
        help.join(|| self.run(above, buffers), || self.run(below, others));
    }

    fn dispatch(&self, pass: Pass<'_>, buffers: &mut Buffers, help: Option<&mut Helper>) {
        Arch::new().dispatch(Run {
            kernel: self,
            pass,
            buffers,
            help,
        });
    }

    fn convolution(&self) -> &Convolution {
        match self {
            Kernel::Direct(direct) => &direct.convolution,
            Kernel::Winograd(winograd) => &winograd.convolution,
        }
    }

    /// The row that divides an image's work in two, near its middle.
    fn middle(&self) -> usize {
        let height = match self {
            Kernel::Direct(_) => 1,
            Kernel::Winograd(winograd) => winograd.tile.side(),
        };
        let side = self.convolution().side_out;
        (side.div_ceil(height).div_ceil(2) * height).min(side)
    }
}

impl<'a> Pass<'a> {
    /// One image's rows before `middle`, and the others.
    fn divide(self, convolution: &Convolution, middle: usize) -> (Pass<'a>, Pass<'a>) {
        assert_eq!(self.images, 1, "an image alone is divided");
        let Range { start, end } = self.rows;
        let numbers = (middle - start) * convolution.side_out * convolution.channels_out;
        let (above, below) = self.output.split_at_mut(numbers);
        let shortcuts = self.shortcut.map(|all| all.split_at(numbers));
        let first = Pass {
            rows: start..middle,
            shortcut: shortcuts.map(|(above, _)| above),
            output: above,
            ..self
        };
        let second = Pass {
            rows: middle..end,
            shortcut: shortcuts.map(|(_, below)| below),
            output: below,
            ..self
        };
        (first, second)
    }
}

/// The tile with the fewest multiplications; of equal ones the one with fewer weights.
fn best_tile(convolution: &Convolution, lanes: usize) -> Option<Tile> {
    let channels = convolution.channels_in.min(convolution.channels_out);
    let fits = (convolution.size, convolution.stride) == (3, 1)
        && channels >= WINOGRAD_CHANNELS_MIN.max(lanes);
    let products = |tile: &Tile| tile.count(convolution.side_out, convolution) * tile.places();
    Tile::ALL.into_iter().filter(|_| fits).min_by_key(products)
}

/// `len` numbers of `buffer`, which grows if it is shorter; they begin where a line of the
/// processor's caches does.
fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    const LINE_NUMBERS: usize = 16;
    if buffer.len() < len + LINE_NUMBERS {
        buffer.resize(len + LINE_NUMBERS, 0.0);
    }
    let skipped = buffer
        .as_ptr()
        .align_offset(LINE_NUMBERS * size_of::<f32>());
    &mut buffer[skipped..skipped + len]
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
        fn new(
            convolution: Convolution,
            images: usize,
            cut: usize,
            added: bool,
            relu: bool,
        ) -> Case {
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
}
