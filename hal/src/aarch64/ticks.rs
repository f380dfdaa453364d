//! Between counter ticks and nanoseconds, without overflow.
//!
//! The generic timer counts at `CNTFRQ_EL0` ticks a second: 1 GHz for newer
//! machines, 62.5 MHz on older `virt`, 54 MHz on a Raspberry Pi 4.

/// Nanoseconds in a second.
const SECOND_NS: u128 = 1_000_000_000;

/// Nanoseconds that `ticks` at `frequency_hz` take, rounded down; 0 for a
/// counter that does not run.
pub fn to_ns(ticks: u64, frequency_hz: u64) -> u64 {
    match (u128::from(ticks) * SECOND_NS).checked_div(u128::from(frequency_hz)) {
        Some(ns) => u64::try_from(ns).unwrap_or(u64::MAX),
        None => 0,
    }
}

/// The first tick at `frequency_hz` that is not before `ns`.
pub fn from_ns(ns: u64, frequency_hz: u64) -> u64 {
    let ticks = (u128::from(ns) * u128::from(frequency_hz)).div_ceil(SECOND_NS);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_deadline_has_passed_at_its_tick_and_not_before(
            ns in 0u64..1 << 62,
            frequency_hz in 1u64..=1_000_000_000,
        ) {
            let tick = from_ns(ns, frequency_hz);
            prop_assert!(to_ns(tick, frequency_hz) >= ns);
            if tick > 0 {
                prop_assert!(to_ns(tick - 1, frequency_hz) < ns);
            }
        }

        #[test]
        fn time_never_goes_back(ticks: u64, more in 0u64..1000, frequency_hz: u64) {
            let later = ticks.saturating_add(more);
            prop_assert!(to_ns(later, frequency_hz) >= to_ns(ticks, frequency_hz));
        }
    }

    #[test]
    fn a_counter_that_does_not_run_stands_at_zero() {
        assert_eq!(to_ns(u64::MAX, 0), 0);
    }
}
