//! What NIST certifies for the data: Statistical Reference Datasets, Longley,
//! computed by NIST with 500 digits and published to 15.

/// A parameter of the model and its certified values.
#[derive(Clone, Copy, Debug)]
pub struct Certified {
    /// The regressor's column in the table; `None` for the intercept.
    pub column: Option<&'static str>,
    /// The estimate.
    pub estimate: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// The response's column in the table.
pub const RESPONSE: &str = "TOTEMP";

/// B0 to B6.
pub const PARAMETERS: [Certified; 7] = [
    Certified { column: None, estimate: -3482258.63459582, deviation: 890420.383607373 },
    Certified { column: Some("GNPDEFL"), estimate: 15.0618722713733, deviation: 84.9149257747669 },
    Certified { column: Some("GNP"), estimate: -0.0358191792925910, deviation: 0.0334910077722432 },
    Certified { column: Some("UNEMP"), estimate: -2.02022980381683, deviation: 0.488399681651699 },
    Certified { column: Some("ARMED"), estimate: -1.03322686717359, deviation: 0.214274163161675 },
    Certified { column: Some("POP"), estimate: -0.0511041056535807, deviation: 0.226073200069370 },
    Certified { column: Some("YEAR"), estimate: 1829.15146461355, deviation: 455.478499142212 },
];

/// Residual standard deviation.
pub const RESIDUAL_DEVIATION: f64 = 304.854073561965;

/// R².
pub const R_SQUARED: f64 = 0.995479004577296;

/// Digits published; agreement beyond them cannot be told.
pub const DIGITS: f64 = 15.0;

/// The log relative error of a value: about how many of its leading digits
/// agree with the certified one, from 0 to [`DIGITS`].
pub fn log_relative_error(value: f64, certified: f64) -> f64 {
    let relative = libm::fabs(value - certified) / libm::fabs(certified);
    // A NaN is no agreement at all; `clamp` would pass it on.
    if relative.is_nan() {
        return 0.0;
    }
    (-libm::log10(relative)).clamp(0.0, DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreeing_digits_are_counted() {
        assert_eq!(log_relative_error(1.0, 1.0), DIGITS);
        assert!((log_relative_error(1.001, 1.0) - 3.0).abs() < 1e-9);
        assert_eq!(log_relative_error(-1.0, 1.0), 0.0);
        assert_eq!(log_relative_error(f64::NAN, 1.0), 0.0);
        assert_eq!(log_relative_error(f64::INFINITY, 1.0), 0.0);
    }
}
