//! Years of measurements: from lines of text to vectors.

use crate::protocol::{DIMENSION, Vector};

/// One year, as far as it was read.
#[derive(Clone, Copy, Debug, Default)]
struct Year {
    number: u64,
    sums: [f32; DIMENSION],
    counts: [u16; DIMENSION],
}

impl Year {
    /// Differences of the monthly means from their own mean; `None` where a
    /// month has no measurement.
    fn vector(&self) -> Option<Vector> {
        let mut means = [0.0; DIMENSION];
        for (mean, (sum, count)) in means.iter_mut().zip(self.sums.iter().zip(&self.counts)) {
            if *count == 0 {
                return None;
            }
            *mean = sum / f32::from(*count);
        }
        let mean = means.iter().sum::<f32>() / DIMENSION as f32;
        Some(means.map(|it| it - mean))
    }
}

/// Gives every complete year of a table with lines such as `19580329,316.1`,
/// the first of which is a heading.
pub fn for_each(table: &str, mut act: impl FnMut(u64, Vector)) {
    let mut year = Year::default();
    for (number, month, value) in table.lines().filter_map(measurement) {
        if number != year.number {
            if let Some(vector) = year.vector() {
                act(year.number, vector);
            }
            year = Year { number, ..Year::default() };
        }
        if let (Some(sum), Some(count)) = (year.sums.get_mut(month), year.counts.get_mut(month)) {
            // Relative to a value near all of them, which f32 keeps apart.
            *sum += value - 340.0;
            *count += 1;
        }
    }
    if let Some(vector) = year.vector() {
        act(year.number, vector);
    }
}

/// Year, month from 0, and value of a line; `None` for one without a value.
fn measurement(line: &str) -> Option<(u64, usize, f32)> {
    let (date, value) = line.split_once(',')?;
    let year = date.get(..4)?.parse().ok()?;
    let month = date.get(4..6)?.parse::<usize>().ok()?.checked_sub(1)?;
    Some((year, month, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    const TABLE: &str = include_str!("../../bootstrap/data/co2.csv");

    #[test]
    fn complete_years_balance_and_rise_in_spring() {
        let mut years = Vec::new();
        for_each(TABLE, |number, vector| years.push((number, vector)));
        assert_eq!(years.len(), 42, "{:?}", years.iter().map(|it| it.0).collect::<Vec<_>>());
        for (number, vector) in years {
            assert!(vector.iter().sum::<f32>().abs() < 0.001, "{number}");
            // May is above, September below, whatever the year.
            assert!(vector[4] > 1.0 && vector[8] < -1.0, "{number}: {vector:?}");
        }
    }

    #[test]
    fn what_is_no_measurement_is_passed_over() {
        assert_eq!(measurement("date,co2"), None);
        assert_eq!(measurement("19580510,"), None);
        assert_eq!(measurement("19580517,317.5"), Some((1958, 4, 317.5)));
        assert_eq!(measurement(""), None);
    }
}
