//! Numbers in registers, of whatever kind the machine has, from and to where they lie.

use pulp::Simd;

/// Where registers begin that together hold `channels` numbers; the last two may overlap.
#[inline(always)]
pub(crate) fn vectors<S: Simd>(channels: usize) -> impl Iterator<Item = usize> {
    assert!(channels >= S::F32_LANES, "a register is filled by channels");
    let last = channels - S::F32_LANES;
    (0..channels)
        .step_by(S::F32_LANES)
        .map(move |first| first.min(last))
}

/// # Safety
///
/// A register's numbers from `at` on have to lie within `from`.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd>(from: &[f32], at: usize) -> S::f32s {
    // SAFETY: the caller says so, and any numbers make a register.
    unsafe { from.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
}

/// # Safety
///
/// A register's numbers from `at` on have to lie within `to`.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd>(to: &mut [f32], at: usize, numbers: S::f32s) {
    // SAFETY: the caller says so, and a register is nothing but numbers.
    unsafe {
        to.as_mut_ptr()
            .add(at)
            .cast::<S::f32s>()
            .write_unaligned(numbers)
    }
}
