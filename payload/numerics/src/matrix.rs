//! Dense matrices, column by column.

use alloc::vec::Vec;

/// A dense matrix. Columns are contiguous: all work here goes down columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// The matrix whose element in a row and a column, from 0, `element`
    /// gives.
    pub fn new(rows: usize, columns: usize, element: impl Fn(usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(rows * columns);
        for column in 0..columns {
            values.extend((0..rows).map(|row| element(row, column)));
        }
        Self { rows, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.values.len().checked_div(self.rows).unwrap_or(0)
    }

    /// A column, from 0.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn column(&self, column: usize) -> &[f64] {
        &self.values[column * self.rows..][..self.rows]
    }

    /// A column, and the columns after it in one slice.
    ///
    /// # Panics
    /// If there is no such column.
    pub(crate) fn column_and_rest(&mut self, column: usize) -> (&mut [f64], &mut [f64]) {
        self.values[column * self.rows..].split_at_mut(self.rows)
    }

    /// Multiplies a column by a number.
    pub(crate) fn scale_column(&mut self, column: usize, by: f64) {
        for value in self.column_and_rest(column).0 {
            *value *= by;
        }
    }
}

/// The scalar product, summed from the first element on.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Adds `factor * x` to `y`.
pub(crate) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}
