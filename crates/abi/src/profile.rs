//! The engine profile: what a unit of work costs and how far things go.
//!
//! Replaying a log needs the same numbers, so the genesis record names them
//! by [`NAME`], which changes whenever one of them does.

use crate::{Call, Handle};

/// Names the interpreter, its features and every number in this file.
pub const NAME: &str = "heliograph-1/wasmi-2.0.0/deterministic+libm/eager/fuel-3";

/// Units of fuel that make a nanosecond of logical time.
pub const FUEL_PER_NS: u64 = 1;

/// Fuel a task gets before the scheduler chooses again.
pub const SLICE_FUEL: u64 = 1_000_000;

/// Most records one slice may write; the slice ends when it gets there.
pub const SLICE_RECORDS: usize = 256;

/// Fuel that `memory.grow` and `table.grow` cost, whatever they grow by. An
/// attempt that fails takes up to 256 bytes of the interpreter's own stack
/// until the slice ends (wasmi 2.0.0 does not continue it by a sibling call),
/// so a slice must not buy many: 3,907 are 1 MiB.
pub const GROW_FUEL: u8 = 255;

/// Most of these instructions in the code of one component. A stretch of code
/// without a branch is paid for at once, however long, so they are counted.
pub const GROW_INSTRUCTIONS: usize = 1_024;

/// Deepest nesting of Wasm calls in one task.
pub const CALL_DEPTH: usize = 512;

/// Largest Wasm stack of one task, in bytes: reached before the depth is only
/// by frames of more than 2 KiB.
pub const STACK_BYTES: usize = 1 << 20;

/// Most elements a table of a component may have.
pub const TABLE_ELEMENTS: usize = 65_536;

/// Most tasks alive at once in one cell.
pub const TASKS: usize = 256;

/// Most objects alive at once in one cell.
pub const OBJECTS: usize = 4_096;

/// Most capabilities one task can hold, beside the one of its mailbox.
pub const CAPABILITIES: usize = 64;

/// The caller's own mailbox. No slot that is counted from zero has this
/// handle, and it is never given to anything else.
pub const MAILBOX: Handle = Handle(u32::MAX - 1);

/// Where a handle may stand and none does. Names no slot.
pub const NO_HANDLE: Handle = Handle(u32::MAX);

/// Deepest derivation of a capability.
pub const DERIVATION_DEPTH: u8 = 8;

/// Largest message sent by copy, in bytes.
pub const MESSAGE_BYTES: usize = 4_096;

/// Most numbers in a vector of a store.
pub const VECTOR_DIMENSION_MAX: u32 = 1_024;

/// Most vectors in a store.
pub const VECTOR_CAPACITY_MAX: u32 = 131_072;

/// Most nodes in a graph.
pub const GRAPH_NODES_MAX: u32 = 131_072;

/// Most edges in a graph.
pub const GRAPH_EDGES_MAX: u32 = 131_072;

/// Most keys that may approve changes of one store.
pub const APPROVERS_MAX: usize = 8;

/// Most neighbours one search may ask for.
pub const NEAREST_MAX: u32 = 64;

/// Most nodes of an index one search may visit.
pub const VISIT_MAX: u32 = 4_096;

/// Fuel that a call costs before any data it moves.
pub const fn call_fuel(call: Call) -> u64 {
    match call {
        Call::TaskSpawn | Call::RvfMount => 100_000,
        Call::VectorGet | Call::VectorPutProved | Call::GraphApplyProved => 2_000,
        _ => 1_000,
    }
}

/// Fuel that a function of WASI costs that makes no call, before any data it
/// moves. One that makes a call costs what the call does.
pub const WASI_FUEL: u64 = 200;

/// Fuel that a reactor's being called costs, whatever it does then. Without it
/// one that leaves its message where it is would have a slice for each unit of
/// its fuel, and others would wait for millions of them.
pub const TURN_FUEL: u64 = 1_000;

/// Bytes of a page of a task's memory (WebAssembly core specification, 4.2.8).
pub const PAGE_BYTES: u64 = 65_536;

/// Fuel for each page of memory that is set up with a task, or kept for a
/// snapshot at a reactor's turn. Growing costs what the interpreter takes.
pub const PAGE_FUEL: u64 = 4_096;

/// Fuel for looking at a signed proof, whatever comes of it.
pub const PROOF_FUEL: u64 = 250_000;

/// Bytes that a task's mailbox holds.
pub const MAILBOX_BYTES: usize = 8_192;

/// Fuel for each vector of this dimension that a search looks at.
pub const fn visit_fuel(dimension: u32) -> u64 {
    20 + dimension as u64 / 4
}

/// Fuel for moving and hashing data: each 64 bytes, or part of 64, cost 200.
pub const fn data_fuel(bytes: u64) -> u64 {
    bytes.div_ceil(64).saturating_mul(200)
}

const _: () = {
    assert!(MAILBOX.slot() as usize > CAPABILITIES);
    assert!(NO_HANDLE.slot() as usize > CAPABILITIES);
};
