//! Least squares to nearly full precision: QR with iterative refinement.
//!
//! For a matrix A the augmented system
//! ```text
//!   r + A x = b
//!     Aᵀ r  = c
//! ```
//! is least squares when c is zero (r is the residual) and, when b is zero and
//! c is minus the j-th unit vector, gives column j of (AᵀA)⁻¹ as x. Björck
//! (1967, "Iterative refinement of linear least squares solutions I") solves
//! it by QR and repeats on what is left over, computed in twice the working
//! precision. That converges as long as the condition of A, not its square, is
//! well below 2^53, and ends with x as good as its rounding.

use alloc::vec;
use alloc::vec::Vec;

use crate::{Matrix, Qr, RankDeficient, Twofold};

/// Most refinements. Each wins the digits that the condition leaves to one
/// solution, so that one or two do it and the third finds nothing to do.
const REFINEMENTS: usize = 8;

/// A matrix and its factors, columns scaled to like size.
#[derive(Clone, Debug)]
pub struct Augmented {
    scaled: Matrix,
    qr: Qr,
    /// What each column was multiplied by, a power of two, hence exactly.
    scales: Vec<f64>,
}

/// What solves the augmented system.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// One element a column.
    pub x: Vec<f64>,
    /// One element a row.
    pub r: Vec<f64>,
}

impl Augmented {
    /// Prepares to solve with a matrix.
    ///
    /// # Errors
    /// [`RankDeficient`], see [`Qr::new`].
    pub fn new(matrix: Matrix) -> Result<Self, RankDeficient> {
        let mut scaled = matrix;
        let mut scales = Vec::with_capacity(scaled.columns());
        for column in 0..scaled.columns() {
            let scale = power_of_two_over(scaled.column(column));
            scaled.scale_column(column, scale);
            scales.push(scale);
        }
        let qr = Qr::new(scaled.clone())?;
        Ok(Self { scaled, qr, scales })
    }

    /// The x for which A x is nearest to `b`, and b - A x.
    pub fn least_squares(&self, b: &[f64]) -> Solution {
        self.solve(b, &vec![0.0; self.qr.columns()])
    }

    /// Element (j, j) of (AᵀA)⁻¹.
    pub fn inverse_diagonal(&self, j: usize) -> f64 {
        self.inverse_column(j).x[j]
    }

    /// Row j of A⁺ = (AᵀA)⁻¹Aᵀ: its product with a response is element j of
    /// the least-squares solution.
    pub fn pseudo_inverse_row(&self, j: usize) -> Vec<f64> {
        self.inverse_column(j).r.into_iter().map(|r| -r).collect()
    }

    /// Column j of (AᵀA)⁻¹ as x, and minus A x as r.
    fn inverse_column(&self, j: usize) -> Solution {
        // With A D for A, the second line becomes D Aᵀ r = D c.
        let mut c = vec![0.0; self.qr.columns()];
        c[j] = -self.scales[j];
        self.solve(&vec![0.0; self.scaled.rows()], &c)
    }

    /// Solves for any b and c, the latter already scaled like the columns.
    fn solve(&self, b: &[f64], c: &[f64]) -> Solution {
        let mut solution =
            Solution { x: vec![0.0; self.qr.columns()], r: vec![0.0; self.scaled.rows()] };
        let mut last_step = f64::INFINITY;
        for _ in 0..=REFINEMENTS {
            let step = self.step(b, c, &solution);
            let size = largest(&step.x);
            // Once steps stop shrinking, it is rounding that moves.
            let converges = size < last_step / 2.0;
            if !converges {
                break;
            }
            add(&mut solution.x, &step.x);
            add(&mut solution.r, &step.r);
            if size <= f64::EPSILON * largest(&solution.x) {
                break;
            }
            last_step = size;
        }
        for (x, scale) in solution.x.iter_mut().zip(&self.scales) {
            *x *= scale;
        }
        solution
    }

    /// Solves for what `at` leaves over.
    fn step(&self, b: &[f64], c: &[f64], at: &Solution) -> Solution {
        let columns = self.qr.columns();
        let mut x: Vec<f64> =
            (0..columns).map(|j| leftover(c[j], self.scaled.column(j), &at.r)).collect();
        // Down the columns, which is how they lie in memory.
        let mut sums: Vec<Twofold> = b.iter().map(|b| Twofold::from(*b)).collect();
        for (sum, r) in sums.iter_mut().zip(&at.r) {
            sum.add(-r);
        }
        for (j, x) in at.x.iter().enumerate() {
            for (sum, a) in sums.iter_mut().zip(self.scaled.column(j)) {
                sum.add_product(-x, *a);
            }
        }
        let mut r: Vec<f64> = sums.into_iter().map(Twofold::value).collect();

        // With A = Q [R; 0]: the top of Qᵀr is R⁻ᵀ c, the bottom that of Qᵀb,
        // and R x is what the top of Qᵀb has more than that of Qᵀr.
        self.qr.solve_r_transposed(&mut x);
        self.qr.apply_q_transposed(&mut r);
        for (top, x) in r.iter_mut().zip(&mut x) {
            (*top, *x) = (*x, *top - *x);
        }
        self.qr.solve_r(&mut x);
        self.qr.apply_q(&mut r);
        Solution { x, r }
    }
}

/// `c` minus the scalar product, in twice the precision.
fn leftover(c: f64, column: &[f64], r: &[f64]) -> f64 {
    let mut sum = Twofold::from(c);
    for (a, r) in column.iter().zip(r) {
        sum.add_product(-a, *r);
    }
    sum.value()
}

fn add(to: &mut [f64], step: &[f64]) {
    for (to, step) in to.iter_mut().zip(step) {
        *to += step;
    }
}

/// The largest size of an element.
fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| libm::fmax(largest, libm::fabs(*value)))
}

/// The power of two that brings the largest element into [0.5, 1), or one for
/// a column of zeros.
fn power_of_two_over(column: &[f64]) -> f64 {
    let (_, exponent) = libm::frexp(largest(column));
    libm::ldexp(1.0, -exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// An integer solution of an exact system, with columns of very
        /// different size, comes out as if rounded once.
        #[test]
        fn exact_solutions_are_found_to_the_last_digit(
            values in prop::collection::vec(-1000i32..1000, 8 * 3),
            x in prop::collection::vec(-1000i32..1000, 3),
        ) {
            let size = [1.0, 1000.0, 1_000_000.0];
            let matrix = Matrix::new(8, 3, |r, c| f64::from(values[c * 8 + r]) * size[c]);
            let b: Vec<f64> = (0..8)
                .map(|r| (0..3).map(|c| matrix.column(c)[r] * f64::from(x[c])).sum())
                .collect();
            let Ok(augmented) = Augmented::new(matrix) else { return Ok(()) };
            let solution = augmented.least_squares(&b);
            let largest = x.iter().zip(&size).map(|(x, s)| f64::from(x.abs()) * s).fold(0.0, f64::max);
            for ((found, x), size) in solution.x.iter().zip(&x).zip(&size) {
                prop_assert!((found - f64::from(*x)).abs() * size <= largest * f64::EPSILON);
            }
        }
    }

    /// Läuchli's matrix: (AᵀA)⁻¹ is known in closed form, and forming AᵀA in
    /// f64 would lose it altogether.
    #[test]
    fn the_inverse_survives_where_the_normal_equations_do_not() {
        let e = 1e-7;
        let matrix = Matrix::new(4, 3, |r, c| match r {
            0 => 1.0,
            _ if r == c + 1 => e,
            _ => 0.0,
        });
        // (e² I + 1 1ᵀ)⁻¹ = (I - 1 1ᵀ / (e² + 3)) / e².
        let expected = (1.0 - 1.0 / (e * e + 3.0)) / (e * e);
        let augmented = Augmented::new(matrix).unwrap();
        for j in 0..3 {
            let found = augmented.inverse_diagonal(j);
            assert!((found / expected - 1.0).abs() < 1e-13, "{found} {expected}");
        }
    }

    proptest! {
        #[test]
        fn the_pseudo_inverse_solves_any_response(
            values in prop::collection::vec(-1000i32..1000, 8 * 3),
            b in prop::collection::vec(-1000i32..1000, 8),
        ) {
            let matrix = Matrix::new(8, 3, |r, c| f64::from(values[c * 8 + r]));
            let b: Vec<f64> = b.into_iter().map(f64::from).collect();
            let Ok(augmented) = Augmented::new(matrix) else { return Ok(()) };
            let x = augmented.least_squares(&b).x;
            let size = x.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
            for (j, x) in x.iter().enumerate() {
                let row = augmented.pseudo_inverse_row(j);
                let by_row: f64 = row.iter().zip(&b).map(|(row, b)| row * b).sum();
                prop_assert!((by_row - x).abs() <= 1e-9 * size, "{by_row} {x}");
            }
        }
    }

    #[test]
    fn the_residual_is_normal_to_the_columns() {
        let matrix = Matrix::new(5, 2, |r, c| if c == 0 { 1.0 } else { r as f64 });
        let solution = Augmented::new(matrix).unwrap().least_squares(&[1.0, 3.0, 2.0, 5.0, 4.0]);
        // By hand: slope 0.8, intercept 1.4.
        assert!((solution.x[0] - 1.4).abs() < 1e-15 && (solution.x[1] - 0.8).abs() < 1e-15);
        assert!(solution.r.iter().sum::<f64>().abs() < 1e-15);
    }
}
