//! What the kernel says before a fault or a panic ends it.
//!
//! `helio symbolize` turns the backtrace into names. It reads lines of the
//! form `  #0 0xffffffff80001234`, counted from the innermost frame.

use core::fmt;

use hal::traits::{Access, ExitStatus, Fault, FaultKind, PAGE_SIZE};

/// Walks a backtrace: from the frame record at an address on, gives each
/// return address to the callback, innermost first.
pub type Walk = fn(u64, &mut dyn FnMut(u64));

/// How the machine ends after a fault.
pub fn exit_status(kind: &FaultKind) -> ExitStatus {
    match *kind {
        FaultKind::StackOverflow { .. } => ExitStatus::StackOverflow,
        FaultKind::Page { address, .. } if address < PAGE_SIZE => ExitStatus::NullAccess,
        FaultKind::Page { access: Access::Write, present: true, .. } => ExitStatus::WriteFault,
        FaultKind::Page { access: Access::Execute, .. } => ExitStatus::ExecuteFault,
        _ => ExitStatus::OtherFault,
    }
}

/// Writes the report: what happened, registers, backtrace.
pub fn fault(out: &mut dyn fmt::Write, fault: &Fault<'_>, walk: Walk) -> fmt::Result {
    out.write_str("trap: ")?;
    describe(out, &fault.kind)?;
    writeln!(out, " at pc {:#018x}", fault.program_counter)?;
    writeln!(out, "registers:")?;
    for pair in fault.registers.chunks(3) {
        for (name, value) in pair {
            write!(out, "  {name:>6} {value:#018x}")?;
        }
        writeln!(out)?;
    }
    backtrace(out, Some(fault.program_counter), fault.frame_pointer, walk)
}

/// Writes the backtrace: `first`, if there is one, then the return addresses
/// from the record at `frame_pointer` on.
pub fn backtrace(
    out: &mut dyn fmt::Write,
    first: Option<u64>,
    frame_pointer: u64,
    walk: Walk,
) -> fmt::Result {
    writeln!(out, "backtrace:")?;
    let mut number = 0;
    let mut result = Ok(());
    let mut line = |address: u64| {
        result = result.and(writeln!(out, "  #{number} {address:#018x}"));
        number += 1;
    };
    first.into_iter().for_each(&mut line);
    walk(frame_pointer, &mut line);
    result
}

fn describe(out: &mut dyn fmt::Write, kind: &FaultKind) -> fmt::Result {
    match *kind {
        FaultKind::StackOverflow { address } => {
            write!(out, "stack overflow, guard page touched at {address:#018x}")
        }
        FaultKind::Page { address, access, .. } if address < PAGE_SIZE => {
            write!(out, "null pointer: {} of {address:#018x}", verb(access))
        }
        FaultKind::Page { address, access, present: true } => {
            write!(out, "{} of {address:#018x} is forbidden", verb(access))
        }
        FaultKind::Page { address, access, present: false } => {
            write!(out, "{} of {address:#018x}, where nothing is mapped", verb(access))
        }
        FaultKind::IllegalInstruction => out.write_str("illegal instruction"),
        FaultKind::Other { code } => write!(out, "exception {code}"),
    }
}

fn verb(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write => "write",
        Access::Execute => "execution",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(address: u64, access: Access, present: bool) -> FaultKind {
        FaultKind::Page { address, access, present }
    }

    #[test]
    fn each_kind_of_fault_has_a_status_of_its_own() {
        let text = 0xffff_ffff_8000_0000;
        assert_eq!(exit_status(&page(text, Access::Write, true)), ExitStatus::WriteFault);
        assert_eq!(exit_status(&page(text, Access::Execute, true)), ExitStatus::ExecuteFault);
        assert_eq!(exit_status(&page(8, Access::Read, false)), ExitStatus::NullAccess);
        assert_eq!(exit_status(&page(0, Access::Execute, false)), ExitStatus::NullAccess);
        assert_eq!(exit_status(&page(4096, Access::Read, false)), ExitStatus::OtherFault);
        let overflow = FaultKind::StackOverflow { address: text };
        assert_eq!(exit_status(&overflow), ExitStatus::StackOverflow);
        assert_eq!(exit_status(&FaultKind::IllegalInstruction), ExitStatus::OtherFault);
    }

    #[test]
    fn the_backtrace_counts_from_the_fault_outwards() {
        let what = Fault {
            kind: page(0, Access::Read, false),
            program_counter: 0xffff_ffff_8000_1234,
            stack_pointer: 0,
            frame_pointer: 77,
            registers: &[("rax", 1), ("rbx", 2), ("rcx", 3), ("rdx", 4)],
        };
        let mut text = String::new();
        fault(&mut text, &what, |frame, each| {
            assert_eq!(frame, 77);
            each(0xffff_ffff_8000_5678);
        })
        .unwrap();
        assert!(text.starts_with("trap: null pointer: read of 0x0000000000000000 at pc "));
        assert!(text.contains("     rdx 0x0000000000000004\n"));
        assert!(text.ends_with("backtrace:\n  #0 0xffffffff80001234\n  #1 0xffffffff80005678\n"));
    }
}
