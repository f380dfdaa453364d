//! Faults: each kind ends in a report that says what happened and where, and
//! in a status of its own.

use helio::symbolize::Symbols;
use integration::{Arch, Left, MachineStatus, Trial, artefacts};

/// What a report must hold.
struct Fault {
    /// The self test that causes it.
    test: &'static str,
    /// How the first line of the report begins.
    report: &'static str,
    /// What is named as the place of the fault.
    culprit: &'static str,
    status: MachineStatus,
}

const FAULTS: [Fault; 4] = [
    Fault {
        test: "write-code",
        report: "trap: write of 0xffffffff8",
        culprit: " write_code at ",
        status: MachineStatus::WriteFault,
    },
    Fault {
        test: "jump-data",
        report: "trap: execution of 0xffffffff8",
        culprit: " kernel::selftest::DATA",
        status: MachineStatus::ExecuteFault,
    },
    Fault {
        test: "stack-overflow",
        report: "trap: stack overflow, guard page touched at 0x",
        culprit: " overflow at ",
        status: MachineStatus::StackOverflow,
    },
    Fault {
        test: "null",
        report: "trap: null pointer: read of 0x0000000000000008 at pc 0x",
        culprit: " null at ",
        status: MachineStatus::NullAccess,
    },
];

/// Registers that a report on each port names, the instruction and stack
/// pointers among them.
fn registers(arch: Arch) -> &'static [&'static str] {
    match arch {
        Arch::X86_64 => &["rax", "rsp", "rbp", "r15", "rip", "cr2"],
        Arch::Aarch64 => &["x0", "x29", "x30", "sp", "pc", "spsr", "esr", "far"],
    }
}

fn run(arch: Arch, test: &str) -> Left {
    Trial::on(arch).words(&format!("test={test}")).run()
}

/// The report with names, as `helio symbolize` gives them.
fn symbolized(arch: Arch, left: &Left) -> String {
    let console = left.console();
    let report = &console[console.find("test ").unwrap()..];
    Symbols::read(&artefacts::symbols_path(arch)).unwrap().annotate(report).unwrap()
}

/// The backtrace goes from the fault outwards to where the run began.
#[track_caller]
fn assert_goes_back_to_the_run(report: &str) {
    let is_run = |line: &str| line.contains(" run at ") && line.contains("kernel/src/run.rs:");
    assert!(report.lines().any(is_run), "{report}");
}

fn every_fault_is_reported(arch: Arch) {
    for Fault { test, report, culprit, status } in FAULTS {
        let left = run(arch, test).ended(status);
        let lines = left.kernel_lines();
        let begins = lines.iter().position(|line| *line == format!("test {test} begins"));
        let rest = &lines[begins.unwrap() + 1..];
        assert!(rest[0].starts_with(report), "{}", left.console());
        assert_eq!(rest[1], "registers:");
        let words: Vec<&str> = rest[2..].iter().flat_map(|line| line.split_whitespace()).collect();
        for register in registers(arch) {
            let at = words.iter().position(|word| word == register);
            let value = words[at.unwrap_or_else(|| panic!("no {register}: {words:?}")) + 1];
            assert!(value.starts_with("0x") && value.len() == 18, "{register} {value}");
        }
        assert!(rest.iter().any(|line| line == "backtrace:"), "{}", left.console());
        assert_eq!(rest.last().unwrap(), "the machine is switched off");

        let named = symbolized(arch, &left);
        assert!(named.contains(culprit), "{named}");
        // Of a stack that is full of frames only the innermost are shown.
        if status != MachineStatus::StackOverflow {
            assert_goes_back_to_the_run(&named);
        }
    }
}

fn a_panic_is_reported(arch: Arch) {
    let left = run(arch, "panic").ended(MachineStatus::Panic);
    let said = left.said("panic: the command line asked for it (kernel/src/selftest.rs:");
    assert_eq!(said.len(), 1, "{}", left.console());
    let named = symbolized(arch, &left);
    assert_goes_back_to_the_run(&named);
}

/// Five starts by UEFI: what the processor does at a fault, and how the port
/// tells it, is the port's own.
#[test]
fn every_fault_on_x86_64_ends_in_a_report_with_names_and_a_status_of_its_own() {
    every_fault_is_reported(Arch::X86_64);
}

#[test]
fn every_fault_on_aarch64_ends_in_a_report_with_names_and_a_status_of_its_own() {
    every_fault_is_reported(Arch::Aarch64);
}

#[test]
fn a_panic_on_either_port_ends_in_a_report_and_a_status_of_its_own() {
    Arch::ALL.into_iter().for_each(a_panic_is_reported);
}
