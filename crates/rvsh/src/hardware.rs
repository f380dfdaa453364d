//! What a machine that runs has beside its run: no log shows it, and a
//! replayed machine has none of it.

use alloc::string::String;
use alloc::vec::Vec;

/// The processor, the interrupts, and what the kernel has done for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// Interrupts that are in use.
    pub interrupts: Vec<Line>,
    /// Interrupts that came and that nobody asked for.
    pub spurious: u64,
    /// What there is to say of the processor: names and values.
    pub processor: Vec<(String, String)>,
    /// What the kernel has done.
    pub work: Work,
}

/// An interrupt that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub device: &'static str,
    /// The controller that delivers it.
    pub controller: &'static str,
    /// Its number there.
    pub number: u32,
    /// How often it came.
    pub count: u64,
}

/// What the kernel has done that is no part of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Real time since the log was opened, in ns.
    pub up_ns: u64,
    /// How often records were sealed.
    pub seals: u64,
    /// Checkpoints that were signed.
    pub checkpoints: u64,
    /// Bytes of the log that went to its device.
    pub log_bytes: u64,
}
