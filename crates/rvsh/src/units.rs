//! Numbers with units, as a person reads them. JSON output has the plain ones.

use core::fmt;

/// Bytes: `742 B`, `64.0 KiB`.
pub(crate) struct Bytes(pub(crate) u64);

/// A count: `742`, `1.50 M`.
pub(crate) struct Count(pub(crate) u64);

/// Logical time: `0.001234 s`, always in seconds so that rows compare.
pub(crate) struct Seconds(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let mut unit = 0;
        // In tenths, rounded down, so that no budget looks spent before it is.
        let mut tenths = u128::from(self.0) * 10;
        while tenths >= 10_240 && unit + 1 < UNITS.len() {
            tenths /= 1_024;
            unit += 1;
        }
        match unit {
            0 => write!(f, "{} B", self.0),
            _ => write!(f, "{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["", "k", "M", "G", "T", "P"];
        if self.0 < 10_000 {
            return write!(f, "{}", self.0);
        }
        let mut unit = 0;
        let mut hundredths = u128::from(self.0) * 100;
        while hundredths >= 100_000 && unit + 1 < UNITS.len() {
            hundredths /= 1_000;
            unit += 1;
        }
        write!(f, "{}.{:02} {}", hundredths / 100, hundredths % 100, UNITS[unit])
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000_000_000;
        write!(f, "{}.{:06} s", self.0 / SECOND, self.0 % SECOND / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn numbers_are_short_and_never_rounded_up() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1_048_576, "1.0 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
        for (count, text) in [
            (9_999, "9999"),
            (10_000, "10.00 k"),
            (1_936_473, "1.93 M"),
            (999_999, "999.99 k"),
            (u64::MAX, "18446.74 P"),
        ] {
            assert_eq!(Count(count).to_string(), text);
        }
        assert_eq!(Seconds(1_234_567).to_string(), "0.001234 s");
        assert_eq!(Seconds(u64::MAX).to_string(), "18446744073.709551 s");
    }
}
