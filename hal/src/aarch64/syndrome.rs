//! What an exception was, from ESR_EL1 (Arm ARM, "ESR_EL1, Exception
//! Syndrome Register").

use crate::traits::{Access, FaultKind};

/// Bits 31:26 of ESR_ELx.
const EC_SHIFT: u32 = 26;
/// Unknown reason: mostly an instruction that is not allocated.
const EC_UNKNOWN: u64 = 0x00;
/// Access to SIMD or floating point trapped by CPACR_EL1.
const EC_FLOAT_TRAPPED: u64 = 0x07;
/// Illegal execution state (PSTATE.IL).
const EC_ILLEGAL_STATE: u64 = 0x0e;
/// Trapped MSR, MRS or system instruction.
const EC_SYSTEM_TRAPPED: u64 = 0x18;
/// Instruction abort without a change of exception level.
const EC_INSTRUCTION_ABORT: u64 = 0x21;
/// Data abort without a change of exception level.
const EC_DATA_ABORT: u64 = 0x25;

/// ESR bit 6, WnR: the data abort was a write (or cache maintenance).
const WRITE: u64 = 1 << 6;
/// ESR bit 10, FnV: FAR does not hold the address.
const ADDRESS_UNKNOWN: u64 = 1 << 10;

/// Exception class of a syndrome, 0 to 63.
pub fn class(syndrome: u64) -> u64 {
    (syndrome >> EC_SHIFT) & 0x3f
}

/// What the kernel is told. `address` is FAR_EL1, `stack_pointer` the
/// interrupted stack, `is_guard` knows the guard pages.
pub fn decode(
    syndrome: u64,
    address: u64,
    stack_pointer: u64,
    is_guard: impl Fn(u64) -> bool,
) -> FaultKind {
    let class = class(syndrome);
    let access = match class {
        EC_INSTRUCTION_ABORT => Access::Execute,
        EC_DATA_ABORT if syndrome & WRITE != 0 => Access::Write,
        EC_DATA_ABORT => Access::Read,
        EC_UNKNOWN | EC_FLOAT_TRAPPED | EC_ILLEGAL_STATE | EC_SYSTEM_TRAPPED => {
            return FaultKind::IllegalInstruction;
        }
        _ => return FaultKind::Other { code: class },
    };
    let Some(present) = page_presence(syndrome) else {
        return FaultKind::Other { code: class };
    };
    if syndrome & ADDRESS_UNKNOWN != 0 {
        return FaultKind::Other { code: class };
    }
    // A big frame may step over the whole guard page before it touches
    // memory: then the stack pointer itself has left the stack.
    if access != Access::Execute && (is_guard(address) || is_guard(stack_pointer)) {
        return FaultKind::StackOverflow { address };
    }
    FaultKind::Page { address, access, present }
}

/// Whether the fault status code says that the page is there but forbids the
/// access; `None` for codes that are not about the tables (bits 5:0, table
/// "Data Fault Status Code").
fn page_presence(syndrome: u64) -> Option<bool> {
    match syndrome & 0x3f {
        // Address size and translation faults, levels 0 to 3.
        0x00..=0x07 => Some(false),
        // Access flag and permission faults, levels 0 to 3.
        0x08..=0x0f => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traits::PAGE_SIZE;
    use proptest::prelude::*;

    const GUARD: u64 = 0xffff_ffff_8010_0000;

    fn guard(address: u64) -> bool {
        (GUARD..GUARD + PAGE_SIZE).contains(&address)
    }

    fn abort(class: u64, status: u64, write: bool) -> u64 {
        (class << EC_SHIFT) | status | if write { WRITE } else { 0 }
    }

    #[test]
    fn write_to_code_is_a_write_to_a_present_page() {
        let kind = decode(abort(EC_DATA_ABORT, 0x0f, true), 0xffff_ffff_8000_0000, 0, guard);
        let address = 0xffff_ffff_8000_0000;
        assert_eq!(kind, FaultKind::Page { address, access: Access::Write, present: true });
    }

    #[test]
    fn jump_into_data_is_an_execution() {
        let kind = decode(abort(EC_INSTRUCTION_ABORT, 0x0f, false), 0x1234, 0, guard);
        let expected = FaultKind::Page { address: 0x1234, access: Access::Execute, present: true };
        assert_eq!(kind, expected);
    }

    #[test]
    fn null_read_is_a_read_of_an_absent_page() {
        let kind = decode(abort(EC_DATA_ABORT, 0x04, false), 8, 0, guard);
        assert_eq!(kind, FaultKind::Page { address: 8, access: Access::Read, present: false });
    }

    #[test]
    fn touch_of_a_guard_page_is_a_stack_overflow() {
        let touched = decode(abort(EC_DATA_ABORT, 0x07, true), GUARD + 8, 0, guard);
        assert_eq!(touched, FaultKind::StackOverflow { address: GUARD + 8 });
        let stepped_over = decode(abort(EC_DATA_ABORT, 0x07, true), GUARD - 80, GUARD + 16, guard);
        assert_eq!(stepped_over, FaultKind::StackOverflow { address: GUARD - 80 });
    }

    #[test]
    fn external_abort_and_unknown_address_are_other_faults() {
        let code = EC_DATA_ABORT;
        assert_eq!(decode(abort(code, 0x10, false), GUARD, 0, guard), FaultKind::Other { code });
        let unknown = abort(code, 0x04, false) | ADDRESS_UNKNOWN;
        assert_eq!(decode(unknown, GUARD, 0, guard), FaultKind::Other { code });
    }

    #[test]
    fn unallocated_instruction_is_illegal() {
        assert_eq!(decode(0, 0, 0, guard), FaultKind::IllegalInstruction);
    }

    proptest! {
        #[test]
        fn every_syndrome_has_a_meaning(syndrome: u64, address: u64, stack: u64) {
            let _ = decode(syndrome, address, stack, guard);
        }
    }
}
