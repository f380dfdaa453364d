//! The linear model: estimates and how sure they are.

use alloc::vec::Vec;
use core::fmt;

use numerics::{Augmented, Column, ColumnError, Matrix};

use crate::certified::{PARAMETERS, RESPONSE};

/// A parameter's estimate and its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The estimate.
    pub estimate: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// What the fit found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Rows of the table.
    pub observations: usize,
    /// In the order of [`PARAMETERS`].
    pub parameters: Vec<Parameter>,
    /// Residual standard deviation.
    pub residual_deviation: f64,
    /// The share of the response's variance that the model explains.
    pub r_squared: f64,
}

/// Why there is no fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitError {
    /// A column cannot be read.
    Column(&'static str, ColumnError),
    /// A column has a gap.
    Missing(&'static str),
    /// There are not more rows than parameters.
    TooFewRows,
    /// A parameter's column depends on those before it; its number.
    Dependent(usize),
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name, error) => write!(f, "column {name}: {error}"),
            Self::Missing(name) => write!(f, "column {name} has a gap"),
            Self::TooFewRows => f.write_str("too few rows for the model"),
            Self::Dependent(parameter) => {
                write!(f, "B{parameter} cannot be told from the parameters before it")
            }
        }
    }
}

impl core::error::Error for FitError {}

/// A column as whole numbers of some unit, which has no rounding error.
struct Exact {
    units: Vec<f64>,
    units_per_one: f64,
}

/// Fits the response by the regressors and a constant.
///
/// # Errors
/// See [`FitError`].
pub fn fit(table: &[u8]) -> Result<Fit, FitError> {
    let response = exact(table, RESPONSE)?;
    let rows = response.units.len();
    let regressors = PARAMETERS
        .iter()
        .map(|parameter| match parameter.column {
            Some(name) => exact(table, name),
            None => Ok(Exact { units: alloc::vec![1.0; rows], units_per_one: 1.0 }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let columns = regressors.len();
    let freedom = rows.checked_sub(columns).filter(|f| *f > 0).ok_or(FitError::TooFewRows)?;

    let matrix = Matrix::new(rows, columns, |row, column| regressors[column].units[row]);
    let system = Augmented::new(matrix).map_err(|error| FitError::Dependent(error.0))?;
    let solution = system.least_squares(&response.units);

    let residual = sum_of_squares(&solution.r, 0.0);
    let mean = response.units.iter().sum::<f64>() / rows as f64;
    let total = sum_of_squares(&response.units, mean);
    let deviation = libm::sqrt(residual / freedom as f64);
    // From units of the columns back to ones: the response's unit divides a
    // fitted value, the regressor's multiplies its coefficient.
    let parameters = regressors.iter().enumerate().map(|(j, regressor)| {
        let to_ones = regressor.units_per_one / response.units_per_one;
        Parameter {
            estimate: solution.x[j] * to_ones,
            deviation: deviation * libm::sqrt(system.inverse_diagonal(j)) * to_ones,
        }
    });
    Ok(Fit {
        observations: rows,
        parameters: parameters.collect(),
        residual_deviation: deviation / response.units_per_one,
        r_squared: 1.0 - residual / total,
    })
}

fn exact(table: &[u8], name: &'static str) -> Result<Exact, FitError> {
    let column = Column::read(table, name).map_err(|error| FitError::Column(name, error))?;
    let units = column.units().collect::<Option<Vec<_>>>().ok_or(FitError::Missing(name))?;
    Ok(Exact { units, units_per_one: column.units_per_one() })
}

fn sum_of_squares(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean) * (value - mean)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certified::{R_SQUARED, RESIDUAL_DEVIATION, log_relative_error};
    use alloc::string::String;

    const LONGLEY: &str = include_str!("../data/longley.csv");

    /// The requirement is 11 digits of the estimates; 13 of everything leave
    /// room to notice a loss before it is one.
    #[test]
    fn every_value_agrees_with_the_certified_one_to_thirteen_digits() {
        let fit = fit(LONGLEY.as_bytes()).unwrap();
        assert_eq!(fit.observations, 16);
        for (found, certified) in fit.parameters.iter().zip(&PARAMETERS) {
            assert!(log_relative_error(found.estimate, certified.estimate) >= 13.0);
            assert!(log_relative_error(found.deviation, certified.deviation) >= 13.0);
        }
        assert!(log_relative_error(fit.residual_deviation, RESIDUAL_DEVIATION) >= 13.0);
        assert!(log_relative_error(fit.r_squared, R_SQUARED) >= 13.0);
    }

    #[test]
    fn the_order_of_the_rows_does_not_change_the_digits() {
        let mut lines: Vec<&str> = LONGLEY.lines().collect();
        lines[1..].reverse();
        let fit = fit(lines.join("\n").as_bytes()).unwrap();
        for (found, certified) in fit.parameters.iter().zip(&PARAMETERS) {
            assert!(log_relative_error(found.estimate, certified.estimate) >= 13.0);
        }
    }

    #[test]
    fn bad_tables_are_refused_with_the_column() {
        let gap = LONGLEY.replace(",2356,", ",,");
        assert_eq!(fit(gap.as_bytes()), Err(FitError::Missing("UNEMP")));
        let short: String = LONGLEY.lines().take(8).flat_map(|line| [line, "\n"]).collect();
        assert_eq!(fit(short.as_bytes()), Err(FitError::TooFewRows));
        let renamed = LONGLEY.replace("POP", "PIP");
        assert_eq!(fit(renamed.as_bytes()), Err(FitError::Column("POP", ColumnError::NoColumn)));
        let constant = Column::read(LONGLEY.as_bytes(), "ARMED").unwrap();
        let mut flat = String::from(LONGLEY);
        for value in constant.units().flatten() {
            flat = flat.replace(&alloc::format!(",{value},"), ",1,");
        }
        assert_eq!(fit(flat.as_bytes()), Err(FitError::Dependent(4)));
    }
}
