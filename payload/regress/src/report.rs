//! The result as text. Its SHA-256 is what the payload attests, so its form
//! is part of the result: change it and every log's claim changes.

use alloc::string::String;
use core::fmt::{self, Write};

use numerics::Significant;

use crate::certified::{PARAMETERS, R_SQUARED, RESIDUAL_DEVIATION, log_relative_error};
use crate::fit::Fit;

/// Digits of agreement that every value must have.
pub const LEAST_DIGITS: f64 = 11.0;

/// Digits printed, as many as are certified.
const PRINTED: usize = 15;

/// The text, and how well the worst of its values agrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// All of it, with line ends.
    pub text: String,
    /// The least log relative error of all.
    pub least_digits: f64,
}

impl Report {
    /// Whether every value is as good as it must be.
    pub fn is_accurate(&self) -> bool {
        self.least_digits >= LEAST_DIGITS
    }
}

/// Writes a fit down beside the certified values.
///
/// # Errors
/// None: writing to a `String` does not fail.
pub fn report(fit: &Fit) -> Result<Report, fmt::Error> {
    let mut report = Report { text: String::new(), least_digits: f64::INFINITY };
    writeln!(
        report.text,
        "Longley: {} observations, {} parameters, least squares by Householder QR\n\
         LRE: digits that agree with NIST's certified value, {LEAST_DIGITS} needed, 15 published\n\n   \
         {:<9}{:>20}{:>6}{:>20}{:>6}",
        fit.observations,
        fit.parameters.len(),
        "parameter",
        "estimate",
        "LRE",
        "standard deviation",
        "LRE",
    )?;
    for (number, (found, certified)) in fit.parameters.iter().zip(&PARAMETERS).enumerate() {
        write!(report.text, "B{number} {:<9}", certified.column.unwrap_or("constant"))?;
        report.value(found.estimate, certified.estimate, 20)?;
        report.value(found.deviation, certified.deviation, 20)?;
        report.text.push('\n');
    }
    for (name, found, certified) in [
        ("residual standard deviation", fit.residual_deviation, RESIDUAL_DEVIATION),
        ("R squared", fit.r_squared, R_SQUARED),
    ] {
        write!(report.text, "{name:<38}")?;
        report.value(found, certified, 20)?;
        report.text.push('\n');
    }
    let verdict = if report.is_accurate() { "accurate" } else { "NOT ACCURATE" };
    writeln!(report.text, "least LRE {:.1}: {verdict}", report.least_digits)?;
    Ok(report)
}

impl Report {
    /// A value in a column of this width, and its digits.
    fn value(&mut self, found: f64, certified: f64, width: usize) -> fmt::Result {
        let digits = log_relative_error(found, certified);
        self.least_digits = self.least_digits.min(digits);
        write!(self.text, "{:width$}{digits:>6.1}", Significant(found, PRINTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::fit;

    #[test]
    fn the_text_is_what_it_was() {
        let fit = fit(include_bytes!("../data/longley.csv")).unwrap();
        let report = report(&fit).unwrap();
        assert!(report.is_accurate());
        assert_eq!(report.text, include_str!("../data/expected.txt"));
    }

    #[test]
    fn one_bad_value_makes_the_report_bad() {
        let mut fit = fit(include_bytes!("../data/longley.csv")).unwrap();
        fit.parameters[3].deviation *= 1.0 + 1e-10;
        let report = report(&fit).unwrap();
        assert!(!report.is_accurate());
        assert!(report.text.ends_with("least LRE 10.0: NOT ACCURATE\n"), "{}", report.text);
    }
}
