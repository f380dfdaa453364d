//! Householder QR of a matrix with at least as many rows as columns.

use alloc::vec::Vec;

use crate::Matrix;
use crate::matrix::{add_scaled, dot};

/// A column is, to working precision, a combination of those before it, or
/// there are fewer rows than columns. Holds the column's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankDeficient(pub usize);

/// The factors Q and R of a matrix, Q as reflections.
///
/// Reflection k maps the part from row k on of column k to a multiple of the
/// first unit vector; its direction is kept below and on the diagonal, R above
/// it, and R's diagonal apart.
#[derive(Clone, Debug)]
pub struct Qr {
    packed: Matrix,
    diagonal: Vec<f64>,
}

impl Qr {
    /// Factors a matrix.
    ///
    /// # Errors
    /// [`RankDeficient`] when what is left of a column is rounding error.
    pub fn new(mut matrix: Matrix) -> Result<Self, RankDeficient> {
        let (rows, columns) = (matrix.rows(), matrix.columns());
        if rows < columns {
            return Err(RankDeficient(rows));
        }
        let mut diagonal = Vec::with_capacity(columns);
        for k in 0..columns {
            let full = libm::sqrt(dot(matrix.column(k), matrix.column(k)));
            let (column, rest) = matrix.column_and_rest(k);
            let below = &mut column[k..];
            let norm = libm::sqrt(dot(below, below));
            // The reflections before it keep a column's length. For a NaN this
            // is false too.
            let independent = norm > full * rows as f64 * f64::EPSILON;
            if !independent {
                return Err(RankDeficient(k));
            }
            // The sign that does not cancel.
            let image = if below[0] > 0.0 { -norm } else { norm };
            below[0] -= image;
            diagonal.push(image);
            for other in rest.chunks_exact_mut(rows) {
                reflect(below, image, &mut other[k..]);
            }
        }
        Ok(Self { packed: matrix, diagonal })
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.diagonal.len()
    }

    /// Replaces `y` by Qᵀ y. `y` has as many elements as the matrix has rows.
    pub fn apply_q_transposed(&self, y: &mut [f64]) {
        for k in 0..self.columns() {
            reflect(&self.packed.column(k)[k..], self.diagonal[k], &mut y[k..]);
        }
    }

    /// Replaces `y` by Q y.
    pub fn apply_q(&self, y: &mut [f64]) {
        for k in (0..self.columns()).rev() {
            reflect(&self.packed.column(k)[k..], self.diagonal[k], &mut y[k..]);
        }
    }

    /// Replaces `x`, one element a column, by R⁻¹ x.
    pub fn solve_r(&self, x: &mut [f64]) {
        for k in (0..self.columns()).rev() {
            x[k] /= self.diagonal[k];
            let value = x[k];
            add_scaled(&mut x[..k], -value, self.packed.column(k));
        }
    }

    /// Replaces `x`, one element a column, by R⁻ᵀ x.
    pub fn solve_r_transposed(&self, x: &mut [f64]) {
        for k in 0..self.columns() {
            let known = dot(&x[..k], self.packed.column(k));
            x[k] = (x[k] - known) / self.diagonal[k];
        }
    }
}

/// Reflects `y` at the plane normal to `direction`, which is the difference of
/// a vector and its image: `image` times the first unit vector. Then the
/// squared length of `direction` is `-2 image direction[0]`.
fn reflect(direction: &[f64], image: f64, y: &mut [f64]) {
    let factor = dot(direction, y) / (image * direction[0]);
    add_scaled(y, factor, direction);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    const ROWS: usize = 6;
    const COLUMNS: usize = 4;

    proptest! {
        /// Row k of R is the first elements of Qᵀ times each column.
        #[test]
        fn q_transposed_makes_the_columns_triangular_and_q_takes_it_back(
            values in prop::collection::vec(-1.0f64..1.0, ROWS * COLUMNS),
        ) {
            let matrix = Matrix::new(ROWS, COLUMNS, |r, c| values[c * ROWS + r]);
            let qr = Qr::new(matrix.clone()).unwrap();
            for c in 0..COLUMNS {
                let mut y = matrix.column(c).to_vec();
                qr.apply_q_transposed(&mut y);
                prop_assert!((dot(&y, &y) - dot(matrix.column(c), matrix.column(c))).abs() < 1e-13);
                for (r, &value) in y.iter().enumerate() {
                    if r > c { prop_assert!(value.abs() < 1e-14); }
                    if r == c { prop_assert!((value - qr.diagonal[c]).abs() < 1e-14); }
                    if r < c { prop_assert!((value - qr.packed.column(c)[r]).abs() < 1e-14); }
                }
                qr.apply_q(&mut y);
                for (back, &value) in y.iter().zip(matrix.column(c)) {
                    prop_assert!((back - value).abs() < 1e-14);
                }
            }
        }

        #[test]
        fn the_triangular_solvers_undo_multiplication_by_r(
            x in prop::collection::vec(-9.0f64..9.0, COLUMNS),
        ) {
            let matrix = Matrix::new(ROWS, COLUMNS, |r, c| 1.0 / (1.0 + (r * r + c) as f64));
            let qr = Qr::new(matrix).unwrap();
            let r = |row: usize, column: usize| match row.cmp(&column) {
                core::cmp::Ordering::Less => qr.packed.column(column)[row],
                core::cmp::Ordering::Equal => qr.diagonal[row],
                core::cmp::Ordering::Greater => 0.0,
            };
            let mut y: Vec<f64> =
                (0..COLUMNS).map(|i| (0..COLUMNS).map(|j| r(i, j) * x[j]).sum()).collect();
            qr.solve_r(&mut y);
            let mut z: Vec<f64> =
                (0..COLUMNS).map(|j| (0..COLUMNS).map(|i| r(i, j) * x[i]).sum()).collect();
            qr.solve_r_transposed(&mut z);
            for k in 0..COLUMNS {
                prop_assert!((y[k] - x[k]).abs() < 1e-8);
                prop_assert!((z[k] - x[k]).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn a_dependent_column_is_named() {
        let matrix = Matrix::new(5, 3, |r, c| if c == 2 { 3.0 * r as f64 } else { (r + c) as f64 });
        // The third column is three times the first.
        assert_eq!(Qr::new(matrix).unwrap_err(), RankDeficient(2));
        assert_eq!(Qr::new(Matrix::new(3, 1, |_, _| 0.0)).unwrap_err(), RankDeficient(0));
        assert_eq!(Qr::new(Matrix::new(3, 1, |_, _| f64::NAN)).unwrap_err(), RankDeficient(0));
        assert_eq!(Qr::new(Matrix::new(2, 3, |_, _| 1.0)).unwrap_err(), RankDeficient(2));
    }

    #[test]
    fn a_square_system_is_solved() {
        let qr = Qr::new(Matrix::new(2, 2, |r, c| [[2.0, 1.0], [1.0, 3.0]][r][c])).unwrap();
        let mut y = vec![4.0, 7.0];
        qr.apply_q_transposed(&mut y);
        qr.solve_r(&mut y);
        assert!((y[0] - 1.0).abs() < 1e-15 && (y[1] - 2.0).abs() < 1e-15);
    }
}
