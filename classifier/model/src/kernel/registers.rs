//! Tiles of output pixels times blocks of output channels, summed up in registers.

use pulp::{MemMask, Simd, WithSimd};

use super::direct::Direct;

/// Output pixels of a tile at most: each needs an address in a register, too.
const PIXELS_MAX: usize = 10;
/// Sums of a tile at most. More would fit into 32 registers, but compilers give up then.
const SUMS_MAX: usize = 24;

/// A convolution of images that have their borders.
pub(super) struct Sums<'a> {
    pub(super) direct: &'a Direct,
    pub(super) input: &'a [f32],
    pub(super) shortcut: Option<&'a [f32]>,
    pub(super) relu: bool,
    pub(super) output: &'a mut [f32],
    pub(super) images: usize,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.direct.block {
            3 => self.blocks::<S, 3>(simd),
            2 => self.blocks::<S, 2>(simd),
            _ => self.blocks::<S, 1>(simd),
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn blocks<S: Simd, const BLOCK: usize>(self, simd: S) {
        let direct = self.direct;
        let convolution = &direct.convolution;
        let width = BLOCK * S::F32_LANES;
        // Pixels that need no neighbours may as well be of one image.
        let images = if convolution.is_pointwise() {
            1
        } else {
            self.images
        };
        let pixels = convolution.pixels(self.images / images);
        let size = direct.bordered_size() * (self.images / images);
        let result = pixels * convolution.channels_out;
        // Beside a tile's sums, a block's weights and one number of the input.
        let room = S::REGISTER_COUNT.saturating_sub(BLOCK + 1).min(SUMS_MAX) / BLOCK;
        let blocks = direct.weights.chunks_exact(convolution.patch() * width);
        for (block, weights) in blocks.enumerate() {
            for image in 0..images {
                let there = image * result..(image + 1) * result;
                let tiles = Tiles {
                    direct,
                    weights,
                    first: block * width,
                    pixels,
                    input: &self.input[image * size..][..size],
                    shortcut: self.shortcut.map(|all| &all[there.clone()]),
                    relu: self.relu,
                    output: &mut self.output[there],
                };
                tiles.run::<S, BLOCK>(simd, room.clamp(1, PIXELS_MAX));
            }
        }
    }
}

/// One image and one block of output channels.
struct Tiles<'a> {
    direct: &'a Direct,
    weights: &'a [f32],
    /// The block's first output channel.
    first: usize,
    /// The image with its border.
    input: &'a [f32],
    pixels: usize,
    shortcut: Option<&'a [f32]>,
    relu: bool,
    output: &'a mut [f32],
}

impl Tiles<'_> {
    /// In tiles as equal as may be, of at most `most` pixels.
    #[inline(always)]
    fn run<S: Simd, const BLOCK: usize>(mut self, simd: S, most: usize) {
        let pixels = self.pixels;
        let count = pixels.div_ceil(most);
        let mut walk = Walk::new(self.direct);
        for tile in 0..count {
            let (start, end) = (tile * pixels / count, (tile + 1) * pixels / count);
            macro_rules! of_size {
                ($($size:literal)*) => {
                    match end - start {
                        $($size => self.tile::<S, $size, BLOCK>(simd, start, &mut walk),)*
                        _ => unreachable!("a tile has 1 to PIXELS_MAX pixels"),
                    }
                };
            }
            of_size!(1 2 3 4 5 6 7 8 9 10);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const PIXELS: usize, const BLOCK: usize>(
        &mut self,
        simd: S,
        start: usize,
        walk: &mut Walk,
    ) {
        let convolution = &self.direct.convolution;
        let run = convolution.size * convolution.channels_in;
        let offsets = S::as_simd_f32s(&self.direct.offsets[self.first..]).0;
        let mut sums = [[offsets[0]; BLOCK]; PIXELS];
        for sums in &mut sums {
            sums.copy_from_slice(&offsets[..BLOCK]);
        }
        let mut patches = [0; PIXELS];
        for patch in &mut patches {
            *patch = walk.step();
        }
        let last = patches[PIXELS - 1] + (convolution.size - 1) * self.direct.pitch() + run;
        assert!(last <= self.input.len(), "patches lie within the border");
        let rows = self.weights.chunks_exact(run * BLOCK * S::F32_LANES);
        for (row, weights) in rows.enumerate() {
            let from = row * self.direct.pitch();
            let (weights, _) = S::as_simd_f32s(weights).0.as_chunks::<BLOCK>();
            for (i, weights) in weights.iter().enumerate() {
                for (sums, patch) in sums.iter_mut().zip(patches) {
                    // SAFETY: the last of the patches ends within the input, and the
                    // others lie before it.
                    let number = unsafe { *self.input.get_unchecked(patch + from + i) };
                    let number = simd.splat_f32s(number);
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(number, *weight, *sum);
                    }
                }
            }
        }
        for (sums, pixel) in sums.iter().zip(start..) {
            self.store(simd, pixel, sums);
        }
    }

    /// Adds the shortcut, cuts off what is negative, and writes a pixel's channels.
    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, pixel: usize, sums: &[S::f32s]) {
        let channels = self.direct.convolution.channels_out;
        let zero = simd.splat_f32s(0.0);
        for (first, sum) in (self.first..channels).step_by(S::F32_LANES).zip(sums) {
            let here = pixel * channels + first;
            let there = here..here + S::F32_LANES.min(channels - first);
            let mut sum = *sum;
            if let Some(shortcut) = self.shortcut {
                let shortcut = load(simd, &shortcut[there.clone()]);
                sum = simd.add_f32s(sum, shortcut);
            }
            if self.relu {
                sum = simd.max_f32s(sum, zero);
            }
            store(simd, &mut self.output[there], sum);
        }
    }
}

/// As many numbers as a register holds, or fewer and zeros.
#[inline(always)]
fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    match S::as_simd_f32s(from) {
        ([whole], []) => *whole,
        // SAFETY: no more numbers are read than there are.
        _ => unsafe { simd.mask_load_ptr_f32s(first::<S>(simd, from.len()), from.as_ptr()) },
    }
}

/// As many numbers as `to` takes, up to a register's.
#[inline(always)]
fn store<S: Simd>(simd: S, to: &mut [f32], numbers: S::f32s) {
    match S::as_mut_simd_f32s(to) {
        ([whole], []) => *whole = numbers,
        (_, to) => {
            let mask = first::<S>(simd, to.len());
            // SAFETY: no more numbers are written than there is room for.
            unsafe { simd.mask_store_ptr_f32s(mask, to.as_mut_ptr(), numbers) }
        }
    }
}

/// The first `count` numbers of a register. Made anew, the mask is used by an instruction; as
/// it is, by a call.
#[inline(always)]
fn first<S: Simd>(simd: S, count: usize) -> MemMask<S::m32s> {
    MemMask::new(simd.mask_between_m32s(0, count as u32).mask())
}

/// Where the patches of output pixels begin in an image with its border, row by row.
struct Walk {
    next: usize,
    column: usize,
    columns: usize,
    step: usize,
    /// From the last pixel of a row to the first of the next, besides a step.
    to_next_row: usize,
}

impl Walk {
    fn new(direct: &Direct) -> Walk {
        let convolution = &direct.convolution;
        let step = convolution.stride * convolution.channels_in;
        Walk {
            next: 0,
            column: 0,
            columns: convolution.side_out,
            step,
            to_next_row: convolution.stride * direct.pitch() - step * convolution.side_out,
        }
    }

    #[inline(always)]
    fn step(&mut self) -> usize {
        let here = self.next;
        self.next += self.step;
        self.column += 1;
        if self.column == self.columns {
            self.column = 0;
            self.next += self.to_next_row;
        }
        here
    }
}
