//! Logical time: fuel spent, and jumps over stretches where everyone waits.

use crate::snapshot::saved;
use abi::profile::FUEL_PER_NS;

/// Where the machine is in logical time. It only goes forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Fuel that passed, spent or jumped over.
    fuel: u64,
    /// Number of the scheduler's slice, from 0 before the first.
    slice: u64,
}

impl Clock {
    /// Nanoseconds since the start.
    pub fn now_ns(self) -> u64 {
        self.fuel / FUEL_PER_NS
    }

    /// Number of the current slice, or of the last one between two.
    pub fn slice(self) -> u64 {
        self.slice
    }

    /// Time passes by work. It stops at the end of a u64, 584 years in.
    pub(crate) fn spend(&mut self, fuel: u64) {
        self.fuel = self.fuel.saturating_add(fuel);
    }

    /// Time passes without work, until `ns` if that is ahead.
    pub(crate) fn jump(&mut self, ns: u64) {
        self.fuel = self.fuel.max(ns.saturating_mul(FUEL_PER_NS));
    }

    /// The scheduler chose.
    pub(crate) fn begin_slice(&mut self) {
        self.slice = self.slice.saturating_add(1);
    }
}

saved!(struct Clock { fuel, slice });
