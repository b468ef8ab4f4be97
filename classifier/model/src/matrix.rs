//! The one place where matrices are multiplied.

/// A view of numbers as a matrix, row by row unless transposed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// The first `rows * columns` of `values`; panics if there are fewer.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix {
            values: &values[..rows * columns],
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same numbers with rows and columns exchanged; nothing moves.
    pub(crate) fn transposed(self) -> Matrix<'a> {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// What happens to the numbers that the product's target already holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Overwrite,
    Add,
}

/// Writes `a · b`, row by row, to the start of `out`, on the calling thread.
pub(crate) fn multiply(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, target: Target) {
    assert_eq!(a.columns, b.rows, "inner sizes of a matrix product differ");
    let out = &mut out[..a.rows * b.columns];
    // SAFETY: `Matrix` guarantees that its strides stay within its values, and
    // `out` was just cut to the product's size.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            target == Target::Add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_views_and_transposed_views() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut out = [0.0; 9];
        multiply(
            &mut out,
            Matrix::new(&a, 2, 3),
            Matrix::new(&a, 3, 2),
            Target::Overwrite,
        );
        assert_eq!(out[..4], [22.0, 28.0, 49.0, 64.0]);
        let wide = Matrix::new(&a, 2, 3);
        multiply(&mut out, wide, wide.transposed(), Target::Overwrite);
        assert_eq!(out[..4], [14.0, 32.0, 32.0, 77.0]);
        multiply(&mut out, wide, wide.transposed(), Target::Add);
        assert_eq!(out[..4], [28.0, 64.0, 64.0, 154.0]);
    }
}
