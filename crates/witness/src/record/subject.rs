//! Who a record is about.

use core::fmt;

/// A chain of records: the kernel, a task, the world outside, or leaf 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub u32);

impl Subject {
    /// The kernel itself.
    pub const KERNEL: Self = Self(0);
    /// Where events come from.
    pub const OUTSIDE: Self = Self(u32::MAX);
    /// The machine, whose only record is leaf 1. A chain of its own, so that
    /// leaf 1 is nobody's ancestor.
    pub const MACHINE: Self = Self(u32::MAX - 1);

    /// Whether it is a task. Tasks are numbered from 1 in order of spawn.
    pub const fn is_task(self) -> bool {
        self.0 != Self::KERNEL.0 && self.0 < Self::MACHINE.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::KERNEL => f.pad("kernel"),
            Self::OUTSIDE => f.pad("outside"),
            Self::MACHINE => f.pad("machine"),
            Self(number) => f.pad(&alloc::format!("task {number}")),
        }
    }
}
