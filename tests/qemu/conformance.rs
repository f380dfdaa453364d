//! The lists of Wasm tests come to the same in the kernel as in this process.

use integration::conformance::{self as lists, smith};
use integration::{Arch, MachineStatus, Trial};

use conformance::list::Writer;

#[track_caller]
fn is_the_same_on(arch: Arch, list: Vec<u8>) {
    let here = lists::run(&list);
    assert_eq!(here.failures, [""; 0]);
    let trial = Trial::on(arch).words("test=conformance").package(lists::package(list));
    let left = trial.run().ended(MachineStatus::Success);
    here.lines().iter().for_each(|line| left.assert_said(line));
    println!("{arch}: {:?}", left.said("Wasm tests "));
}

/// Slow: the suite has 27,000 directives, on an emulated machine.
#[test]
fn wasm_tests_come_to_the_same_on_x86_64_as_hosted() {
    is_the_same_on(Arch::X86_64, lists::each_time());
}

/// Slow, as above.
#[test]
fn wasm_tests_come_to_the_same_on_aarch64_as_hosted() {
    is_the_same_on(Arch::Aarch64, lists::each_time());
}

/// Generated modules in each of the machines that share them.
const PART: u64 = 2_500;

fn generated_ones_are_the_same_on(arch: Arch) {
    for first in (0..smith::MODULES).step_by(PART as usize) {
        let mut writer = Writer::default();
        smith::write(&mut writer, first..first + PART);
        is_the_same_on(arch, writer.finish());
    }
}

#[test]
#[ignore = "long"]
fn ten_thousand_generated_modules_are_the_same_on_x86_64() {
    generated_ones_are_the_same_on(Arch::X86_64);
}

#[test]
#[ignore = "long"]
fn ten_thousand_generated_modules_are_the_same_on_aarch64() {
    generated_ones_are_the_same_on(Arch::Aarch64);
}
