//! The small transforms behind Winograd's convolutions, for one row or column of a tile.
//!
//! A convolution by three weights is a product of polynomials: both are evaluated at a few
//! points, multiplied there, and the result is interpolated. Points are 0, ±1, ±2 as needed,
//! and infinity. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"
//! (2015).

use pulp::Simd;

/// `OUT` results from `IN` numbers, which are `OUT + 2`.
pub(super) trait Points<const OUT: usize, const IN: usize> {
    /// What weights are multiplied by, a row for each point.
    const WEIGHTS: [[f64; 3]; IN];

    /// The numbers' values at the points.
    fn evaluate<S: Simd>(simd: S, numbers: [S::f32s; IN]) -> [S::f32s; IN];

    /// The results, from products at the points.
    fn interpolate<S: Simd>(simd: S, products: [S::f32s; IN]) -> [S::f32s; OUT];
}

/// F(2, 3): 4 multiplications in place of 6.
pub(super) struct TwoResults;

/// F(4, 3): 6 multiplications in place of 12.
pub(super) struct FourResults;

impl Points<2, 4> for TwoResults {
    const WEIGHTS: [[f64; 3]; 4] = [
        [1.0, 0.0, 0.0],
        [0.5, 0.5, 0.5],
        [0.5, -0.5, 0.5],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn evaluate<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
        [
            simd.sub_f32s(a, c),
            simd.add_f32s(b, c),
            simd.sub_f32s(c, b),
            simd.sub_f32s(b, d),
        ]
    }

    #[inline(always)]
    fn interpolate<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
        [
            simd.add_f32s(simd.add_f32s(a, b), c),
            simd.sub_f32s(simd.sub_f32s(b, c), d),
        ]
    }
}

impl Points<4, 6> for FourResults {
    const WEIGHTS: [[f64; 3]; 6] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn evaluate<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 6] {
        let [two, minus_four, four, minus_five] =
            [2.0, -4.0, 4.0, -5.0].map(|n| simd.splat_f32s(n));
        let even = simd.mul_add_e_f32s(minus_four, c, e);
        let odd = simd.mul_add_e_f32s(minus_four, b, d);
        let even_2 = simd.sub_f32s(e, c);
        let odd_2 = simd.mul_f32s(two, simd.sub_f32s(d, b));
        [
            simd.mul_add_e_f32s(four, a, simd.mul_add_e_f32s(minus_five, c, e)),
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(even_2, odd_2),
            simd.sub_f32s(even_2, odd_2),
            simd.mul_add_e_f32s(four, b, simd.mul_add_e_f32s(minus_five, d, f)),
        ]
    }

    #[inline(always)]
    fn interpolate<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 4] {
        let [two, four, eight] = [2.0, 4.0, 8.0].map(|n| simd.splat_f32s(n));
        let (even, odd) = (simd.add_f32s(b, c), simd.sub_f32s(b, c));
        let (even_2, odd_2) = (simd.add_f32s(d, e), simd.sub_f32s(d, e));
        [
            simd.add_f32s(simd.add_f32s(a, even), even_2),
            simd.mul_add_e_f32s(two, odd_2, odd),
            simd.mul_add_e_f32s(four, even_2, even),
            simd.mul_add_e_f32s(eight, odd_2, simd.add_f32s(odd, f)),
        ]
    }
}
