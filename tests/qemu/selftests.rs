//! The kernel's own tests of what only a machine has: interrupts, vector
//! registers, the heap over page tables, the disk, the processor's SHA-256.

use integration::{Arch, MachineStatus, Trial};

/// Each test with a line that it says when it has seen what it looked for.
const TESTS: [(&str, &str); 5] = [
    ("irq", " timer interrupts for 10 sleeps, "),
    ("float", "50 sums agree over "),
    ("heap", " MiB and 10000 small blocks"),
    ("disk", "256 KiB written, flushed and read back in "),
    ("sha256", "a MiB in "),
];

fn every_test_passes(arch: Arch) {
    for (test, line) in TESTS {
        let left = Trial::on(arch).words(&format!("test={test}")).run();
        let left = left.ended(MachineStatus::Success);
        assert!(left.kernel_lines().iter().any(|it| it.contains(line)), "{}", left.console());
        left.assert_said(&format!("test {test} passed"));
    }
}

/// Slow: a start by UEFI for each.
#[test]
fn what_only_a_machine_has_works_on_x86_64() {
    every_test_passes(Arch::X86_64);
}

#[test]
fn what_only_a_machine_has_works_on_aarch64() {
    every_test_passes(Arch::Aarch64);
}

#[test]
fn a_key_that_is_pressed_wakes_a_sleeping_machine() {
    for arch in Arch::ALL {
        let mut machine = Trial::on(arch).words("test=input").start();
        machine.expect("[kernel] type a line\r\n");
        machine.send("sixty-four \"keys\"\r");
        let left = machine.wait().ended(MachineStatus::Success);
        let typed = left.said("typed \"sixty-four \\\"keys\\\"\", woken ");
        assert_eq!(typed.len(), 1, "{}", left.console());
        // More than once a byte would be polling.
        let wakes: u32 = typed[0].strip_suffix(" times").unwrap().parse().unwrap();
        assert!((1..=19).contains(&wakes), "{wakes}");
    }
}

#[test]
fn a_test_that_does_not_exist_is_an_error() {
    let left = Trial::quick().words("test=no-such-thing").run();
    left.ended(MachineStatus::TaskFailed).assert_said("there is no test no-such-thing");
}
