//! From wasmi's traps to those of the record format.

use wasmi::{Error, TrapCode as Wasm};
use witness::record::TrapCode;

/// The code for a trap; none if the host had no memory left, which is no
/// fault of the task.
pub(crate) fn code(error: &Error) -> Option<TrapCode> {
    Some(match error.as_trap_code() {
        Some(Wasm::UnreachableCodeReached) => TrapCode::Unreachable,
        Some(Wasm::MemoryOutOfBounds) => TrapCode::MemoryOutOfBounds,
        Some(Wasm::TableOutOfBounds) => TrapCode::TableOutOfBounds,
        Some(Wasm::IndirectCallToNull) => TrapCode::IndirectCallToNull,
        Some(Wasm::IntegerDivisionByZero) => TrapCode::DivisionByZero,
        Some(Wasm::IntegerOverflow) => TrapCode::IntegerOverflow,
        Some(Wasm::BadConversionToInteger) => TrapCode::BadConversion,
        Some(Wasm::StackOverflow) => TrapCode::StackOverflow,
        Some(Wasm::BadSignature) => TrapCode::BadSignature,
        Some(Wasm::GrowthOperationLimited) => TrapCode::GrowthLimit,
        Some(Wasm::OutOfSystemMemory) => return None,
        Some(Wasm::OutOfFuel) | None => TrapCode::Other,
    })
}
