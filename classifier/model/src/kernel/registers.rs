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
    pub(super) images: usize,
    /// Of each image's result.
    pub(super) rows: usize,
    pub(super) shortcut: Option<&'a [f32]>,
    pub(super) relu: bool,
    pub(super) output: &'a mut [f32],
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
        let rows = self.rows * (self.images / images);
        let pixels = rows * convolution.side_out;
        let size = direct.bordered_size(self.rows) * (self.images / images);
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
        self.finish(simd, start, sums);
    }

    /// Adds the shortcut, cuts off what is negative, and writes a tile's pixels.
    #[inline(always)]
    fn finish<S: Simd, const PIXELS: usize, const BLOCK: usize>(
        &mut self,
        simd: S,
        start: usize,
        mut sums: [[S::f32s; BLOCK]; PIXELS],
    ) {
        let channels = self.direct.convolution.channels_out;
        let here = start * channels + self.first;
        let present = (channels - self.first).min(BLOCK * S::F32_LANES);
        let there = here..here + (PIXELS - 1) * channels + present;
        let last = Last::new(simd, present - (BLOCK - 1) * S::F32_LANES);
        let place = |pixel, vector| pixel * channels + vector * S::F32_LANES;
        if let Some(shortcut) = self.shortcut {
            let shortcut = shortcut[there.clone()].as_ptr();
            for (pixel, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the tile's numbers lie within the shortcut.
                    let numbers = unsafe {
                        let from = shortcut.add(place(pixel, vector));
                        last.load(simd, vector + 1 == BLOCK, from)
                    };
                    *sum = simd.add_f32s(*sum, numbers);
                }
            }
        }
        if self.relu {
            let zero = simd.splat_f32s(0.0);
            for sum in sums.as_flattened_mut() {
                *sum = simd.max_f32s(*sum, zero);
            }
        }
        let output = self.output[there].as_mut_ptr();
        for (pixel, sums) in sums.into_iter().enumerate() {
            for (vector, sum) in sums.into_iter().enumerate() {
                // SAFETY: the tile's numbers lie within the output.
                unsafe {
                    let to = output.add(place(pixel, vector));
                    last.store(simd, vector + 1 == BLOCK, to, sum);
                }
            }
        }
    }
}

/// A pixel's last register, of which a part may be beyond the last channel.
struct Last<S: Simd> {
    whole: bool,
    mask: MemMask<S::m32s>,
}

impl<S: Simd> Last<S> {
    /// The first `count` numbers of a register, at least one.
    #[inline(always)]
    fn new(simd: S, count: usize) -> Last<S> {
        Last {
            whole: count == S::F32_LANES,
            // Made anew, the mask is used by an instruction; as it is, by a call.
            mask: MemMask::new(simd.mask_between_m32s(0, count as u32).mask()),
        }
    }

    /// # Safety
    ///
    /// From `from` on a register's numbers have to lie within one slice; of the last one its own.
    #[inline(always)]
    unsafe fn load(&self, simd: S, is_last: bool, from: *const f32) -> S::f32s {
        // SAFETY: the caller says so, and any numbers make a register.
        unsafe {
            if self.whole || !is_last {
                from.cast::<S::f32s>().read_unaligned()
            } else {
                simd.mask_load_ptr_f32s(self.mask, from)
            }
        }
    }

    /// # Safety
    ///
    /// As [`Last::load`].
    #[inline(always)]
    unsafe fn store(&self, simd: S, is_last: bool, to: *mut f32, numbers: S::f32s) {
        // SAFETY: the caller says so, and a register is nothing but numbers.
        unsafe {
            if self.whole || !is_last {
                to.cast::<S::f32s>().write_unaligned(numbers);
            } else {
                simd.mask_store_ptr_f32s(self.mask, to, numbers);
            }
        }
    }
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
