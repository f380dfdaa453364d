//! How wasmi is set up: part of the engine profile
//! ([`abi::profile::NAME`]), so a change here is another profile.
//!
//! Off, beyond what is not compiled in (SIMD, 64-bit memories, threads):
//! multiple memories, so that one number limits a task; tail calls, because
//! suspending in a host function that was called in tail position has no
//! frame to go back to; custom page sizes and wide arithmetic.

use abi::profile::{CALL_DEPTH, GROW_FUEL, STACK_BYTES};
use wasmi::{CompilationMode, Config, Engine, OperatorCost};

/// The engine for one cell.
pub fn engine() -> Engine {
    let mut config = Config::default();
    let costs =
        OperatorCost { memory_grow: GROW_FUEL, table_grow: GROW_FUEL, ..Default::default() };
    config
        // Lazy translation would spend fuel on a function's first call.
        .compilation_mode(CompilationMode::Eager)
        .consume_fuel(true)
        .operator_cost(costs)
        .set_max_recursion_depth(CALL_DEPTH)
        .set_max_stack_height(STACK_BYTES)
        .set_max_cached_stacks(2)
        .ignore_custom_sections(true)
        .floats(true)
        .wasm_mutable_global(true)
        .wasm_sign_extension(true)
        .wasm_saturating_float_to_int(true)
        .wasm_multi_value(true)
        .wasm_bulk_memory(true)
        .wasm_reference_types(true)
        .wasm_extended_const(true)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    Engine::new(&config)
}
