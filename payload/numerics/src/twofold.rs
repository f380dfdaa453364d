//! Sums of products in twice the working precision.
//!
//! A [`Twofold`] is an unevaluated sum of two `f64`. Products and sums are
//! split into a rounded value and its exact error by the transformations of
//! Dekker (1971) and Knuth (TAOCP 2, 4.2.2); Ogita, Rump and Oishi, "Accurate
//! Sum and Dot Product" (2005), show that a dot product kept this way is as
//! accurate as if computed with 106 bits and rounded once.

/// An accumulator of 106 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Twofold {
    high: f64,
    low: f64,
}

impl From<f64> for Twofold {
    fn from(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }
}

impl Twofold {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        let (sum, error) = two_sum(self.high, value);
        self.high = sum;
        self.low += error;
    }

    /// Adds a product. Exact splitting needs factors below 2^996 and a
    /// product above 2^-969 in size, or zero.
    pub fn add_product(&mut self, a: f64, b: f64) {
        let (product, error) = two_product(a, b);
        self.add(product);
        self.low += error;
    }

    /// The sum, rounded.
    pub fn value(self) -> f64 {
        self.high + self.low
    }
}

/// The rounded sum and its error; exact for all finite arguments without
/// overflow.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// The rounded product and its error. By splitting, not by a fused
/// multiply-add, which Wasm has no instruction for.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    let error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low);
    (product, error)
}

/// Two halves of 26 bits whose sum is exact.
fn split(a: f64) -> (f64, f64) {
    const FACTOR: f64 = ((1u64 << 27) + 1) as f64;
    let scaled = FACTOR * a;
    let high = scaled - (scaled - a);
    (high, a - high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Integers below 2^53 have exact products in i128.
        #[test]
        fn dot_products_of_integers_are_rounded_once(
            pairs in prop::collection::vec((-(1i64 << 53)..1 << 53, -(1i64 << 53)..1 << 53), 1..20),
        ) {
            let mut sum = Twofold::default();
            let mut exact = 0i128;
            // Each product and its negation, so that nearly all cancels.
            for &(a, b) in &pairs {
                sum.add_product(a as f64, b as f64);
                exact += i128::from(a) * i128::from(b);
            }
            let first = pairs[0];
            sum.add_product(-first.0 as f64, first.1 as f64);
            exact -= i128::from(first.0) * i128::from(first.1);
            let error = (sum.value() - exact as f64).abs();
            let size: f64 = pairs.iter().map(|&(a, b)| (a as f64 * b as f64).abs()).sum();
            prop_assert!(error <= exact.abs() as f64 * f64::EPSILON + size * 1e-29);
        }
    }

    #[test]
    fn what_plain_summation_loses_is_kept() {
        let mut sum = Twofold::default();
        for value in [1.0, 1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.value(), 2.0);
    }
}
