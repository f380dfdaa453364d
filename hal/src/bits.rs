//! Registers as a person reads them.

use core::fmt;

/// A control register: its value, and the names of the bits that are set.
#[derive(Clone, Copy, Debug)]
pub struct Bits {
    /// What the register holds.
    pub value: u64,
    /// Number and name of each bit worth naming, in the order they are shown.
    pub names: &'static [(u32, &'static str)],
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.value)?;
        let is_set = |bit: &u32| self.value.checked_shr(*bit).is_some_and(|rest| rest & 1 == 1);
        let mut set = self.names.iter().filter(|(bit, _)| is_set(bit));
        let Some((_, first)) = set.next() else { return Ok(()) };
        write!(f, ": {first}")?;
        set.try_for_each(|(_, name)| write!(f, " {name}"))
    }
}

/// How the processor computes with floating point numbers.
#[derive(Clone, Copy, Debug)]
pub struct FloatControl {
    /// The register it was read from.
    pub value: u64,
    /// Whether results are rounded to the nearest number.
    pub to_nearest: bool,
    /// Whether any floating point exception is trapped.
    pub traps: bool,
    /// Whether numbers too small to be normal become zero.
    pub flushes: bool,
}

impl fmt::Display for FloatControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}: ", self.value)?;
        f.write_str(if self.to_nearest { "round to nearest" } else { "round elsewhere" })?;
        f.write_str(if self.traps { ", exceptions trapped" } else { ", no exception trapped" })?;
        f.write_str(if self.flushes { ", flush to zero" } else { ", no flush to zero" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_bits_are_named_and_others_are_not() {
        let names = &[(0, "PE"), (16, "WP"), (31, "PG"), (64, "none has this")];
        let bits = |value| Bits { value, names }.to_string();
        assert_eq!(bits(0x8001_0001), "0x80010001: PE WP PG");
        assert_eq!(bits(0x8000_0002), "0x80000002: PG");
        assert_eq!(bits(2), "0x2");
    }

    #[test]
    fn a_float_state_says_what_it_means() {
        let state = FloatControl { value: 0, to_nearest: true, traps: false, flushes: false };
        let text = "0x0: round to nearest, no exception trapped, no flush to zero";
        assert_eq!(state.to_string(), text);
        let state = FloatControl { value: 1 << 24, flushes: true, ..state };
        let text = "0x1000000: round to nearest, no exception trapped, flush to zero";
        assert_eq!(state.to_string(), text);
    }
}
