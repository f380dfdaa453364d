//! A machine without a log disk: the log comes over the serial port, between
//! the lines of the console.

use integration::{Arch, Trial};
use witness::record::Flags;

use crate::regress;

fn the_log_comes_over_the_serial_port(arch: Arch) {
    let (left, facts) = regress::runs(Trial::on(arch).without_log_disk());
    assert!(left.disk.is_none());
    let flags = facts.machine.unwrap().flags;
    assert!(!flags.contains(Flags::TO_DISK) && !flags.contains(Flags::FLUSHES), "{flags:?}");
    // No frame was left on a person's screen.
    assert!(left.serial.contains(&0x1e) && !left.console().contains("HG "), "{}", left.console());
}

#[test]
fn a_log_over_the_serial_port_verifies_on_aarch64() {
    the_log_comes_over_the_serial_port(Arch::Aarch64);
}

/// Another UART.
#[test]
fn a_log_over_the_serial_port_verifies_on_x86_64() {
    the_log_comes_over_the_serial_port(Arch::X86_64);
}
