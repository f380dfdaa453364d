//! How alike two vectors are.

use crate::protocol::Vector;

/// Their cosine; 0 where one has no direction.
pub fn likeness(a: &Vector, b: &Vector) -> f32 {
    let dot = |x: &Vector, y: &Vector| -> f32 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
    let norms = libm::sqrtf(dot(a, a) * dot(b, b));
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_is_the_cosine() {
        let (mut a, mut b) = ([0.0; 12], [0.0; 12]);
        assert_eq!(likeness(&a, &b), 0.0);
        (a[0], b[0], b[1]) = (2.0, 3.0, 4.0);
        assert!((likeness(&a, &b) - 0.6).abs() < 1e-6);
    }
}
