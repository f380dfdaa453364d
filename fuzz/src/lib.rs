#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a target reports")]
//! Fuzzing: everything that reads bytes of strangers, one target a file.
//!
//! A target is a function from bytes to nothing, which panics if what it
//! tests does not hold. It knows nothing of who feeds it: `tests/corpus.rs`
//! does with the corpus and with seeded mutations of it, a short while in
//! `make test` and as long as one likes with `FUZZ_SECONDS`; `src/main.rs`
//! hands the same functions to libFuzzer (`make fuzz`), which finds its way
//! by coverage.
//!
//! Where bytes must be hashed, signed or numbered before anything looks at
//! them, a target does so after they were mutated: a stranger's bytes get as
//! far as an operator's would.

mod input;
mod measure;
mod mutate;
mod run;
pub mod seeds;
mod targets;
mod world;

pub use mutate::Mutator;

/// What is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: the folder of its corpus.
    pub name: &'static str,
    /// What is fed.
    pub run: fn(&[u8]),
    /// Executions in `make test`.
    pub executions: u32,
    /// Longest input, in bytes.
    pub length_max: usize,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "syscall", run: targets::syscall::fuzz, executions: 500, length_max: 2_000 },
    Target { name: "component", run: targets::component::fuzz, executions: 500, length_max: 8_000 },
    Target { name: "package", run: targets::package::fuzz, executions: 1_500, length_max: 8_000 },
    Target { name: "mount", run: targets::mount::fuzz, executions: 1_000, length_max: 8_000 },
    Target { name: "proof", run: targets::proof::fuzz, executions: 10_000, length_max: 2_000 },
    Target { name: "record", run: targets::record::fuzz, executions: 100_000, length_max: 450 },
    Target { name: "log", run: targets::log::fuzz, executions: 500, length_max: 8_000 },
    Target { name: "note", run: targets::note::fuzz, executions: 4_000, length_max: 4_000 },
    Target { name: "json", run: targets::json::fuzz, executions: 20_000, length_max: 4_000 },
    Target { name: "uart", run: targets::uart::fuzz, executions: 3_000, length_max: 8_000 },
    Target { name: "disk", run: targets::disk::fuzz, executions: 5_000, length_max: 16_000 },
    Target { name: "shell", run: targets::shell::fuzz, executions: 5_000, length_max: 4_000 },
    Target { name: "tree", run: targets::tree::fuzz, executions: 4_000, length_max: 8_000 },
    Target { name: "volume", run: targets::volume::fuzz, executions: 20_000, length_max: 2_000 },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
