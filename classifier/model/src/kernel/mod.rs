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
mod tests;
