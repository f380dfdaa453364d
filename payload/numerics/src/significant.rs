//! Numbers printed to a number of significant digits.

use core::fmt;

/// Shows the value in plain decimals with this many significant digits, 1 to
/// 17. `core::fmt` rounds correctly from the exact value, so the text is the
/// same everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Significant(pub f64, pub usize);

impl fmt::Display for Significant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, digits) = *self;
        let decimals = decimals(libm::fabs(value), digits);
        match (f.width(), decimals) {
            (Some(width), Some(decimals)) => write!(f, "{value:>width$.decimals$}"),
            (None, Some(decimals)) => write!(f, "{value:.decimals$}"),
            (width, None) => {
                write!(f, "{value:>0$.1$e}", width.unwrap_or(0), digits.saturating_sub(1))
            }
        }
    }
}

/// Digits after the point that make `digits` significant ones, or `None` where
/// plain decimals would need zeros for show: too large, too small, not finite.
fn decimals(size: f64, digits: usize) -> Option<usize> {
    const SMALLEST: f64 = 1e-5;
    if size == 0.0 {
        return Some(0);
    }
    let mut before = 0usize;
    let mut limit = 1.0;
    while before <= digits && size >= limit {
        limit *= 10.0;
        before += 1;
    }
    if before > 0 {
        return digits.checked_sub(before);
    }
    let mut zeros = 0usize;
    let mut limit = 0.1;
    while size >= SMALLEST && size < limit {
        limit /= 10.0;
        zeros += 1;
    }
    (size >= SMALLEST).then_some(digits + zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn digits_count_from_the_first_that_is_not_zero() {
        for (value, digits, text) in [
            (-3482258.63459582, 15, "-3482258.63459582"),
            (-0.0358191792925910, 15, "-0.0358191792925910"),
            (0.995479004577296, 15, "0.995479004577296"),
            (15.0618722713733, 15, "15.0618722713733"),
            (1.0, 3, "1.00"),
            (100.0, 3, "100"),
            (0.0, 3, "0"),
            (1e9, 3, "1.00e9"),
            (1e-9, 3, "1.00e-9"),
            (f64::NAN, 3, "NaN"),
            (f64::INFINITY, 3, "inf"),
        ] {
            assert_eq!(format!("{}", Significant(value, digits)), text);
        }
        assert_eq!(format!("[{:8}]", Significant(1.5, 2)), "[     1.5]");
    }
}
