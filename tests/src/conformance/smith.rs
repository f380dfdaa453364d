//! Modules that a generator makes from a number.

use arbitrary::Unstructured;
use conformance::list::{Directive, Task, Writer};
use wasm_smith::{Config, Module};

/// How many there are.
pub const MODULES: u64 = 10_000;

/// Fuel for setting one up and for each of its functions.
const FUEL: u64 = 20_000;

/// Most bytes of a memory: somewhat less than the largest that is declared.
const MEMORY_BYTES: u32 = 12 << 16;

/// Bytes that a module is made from.
const CHOICES: usize = 4_096;

/// How many modules one file of the list has.
const TOGETHER: usize = 250;

/// The features that are on, everything exported, and nothing imported.
fn config() -> Config {
    Config {
        export_everything: true,
        min_types: 3,
        min_funcs: 2,
        max_funcs: 10,
        max_imports: 0,
        max_instructions: 200,
        max_memories: 1,
        max_memory32_bytes: 16 << 16,
        max_tables: 4,
        max_table_elements: 1_000,
        bulk_memory_enabled: true,
        extended_const_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: true,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014), as bytes.
fn choices(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..CHOICES / 8).flat_map(|_| next().to_le_bytes()).collect()
}

/// The module with this number.
pub fn module(seed: u64) -> Vec<u8> {
    let choices = choices(seed);
    Module::new(config(), &mut Unstructured::new(&choices)).unwrap().to_bytes()
}

/// Appends the modules with these numbers.
pub fn write(writer: &mut Writer, seeds: impl Iterator<Item = u64>) {
    let seeds: Vec<u64> = seeds.collect();
    for part in seeds.chunks(TOGETHER) {
        let modules: Vec<_> = part.iter().map(|seed| module(*seed)).collect();
        let task = |module| Task { fuel: FUEL, memory_bytes: MEMORY_BYTES, module };
        let directives: Vec<_> = modules.iter().map(|it| Directive::Task(task(it))).collect();
        writer.file(&format!("generated/{}-{}", part[0], part[part.len() - 1]), &directives);
    }
}
