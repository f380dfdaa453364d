//! Programs that others wrote: the same on each machine as in this process.

use integration::programs::{
    CALCULATES, CHECKS, COMPRESSES, COUNTS, Case, IMPORTS, INTERPRETS, SIEVES,
};
use integration::{Arch, MachineStatus, Trial, artefacts, hosted};
use witness::verify::Expected;

#[track_caller]
fn is_the_same_everywhere(case: &Case) {
    let Some(package) = case.package() else { return };
    let here = hosted::run(package.clone(), &artefacts::keys());
    case.assert_printed(&here.bytes);
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let left = Trial::on(arch).package(package.clone()).run();
        let left = left.ended(MachineStatus::Success);
        let log = left.log();
        log.verified(Expected::default());
        log.assert_same_records(&here.log);
        // Of bytes that are no text, a terminal shows something else.
        if here.bytes.is_ascii() {
            assert!(left.console().contains(&here.console), "{}", left.console());
        }
    }
}

#[test]
fn a_compressor_writes_the_same_file_everywhere() {
    is_the_same_everywhere(&COMPRESSES);
}

#[test]
fn a_compressor_reads_a_file_everywhere() {
    is_the_same_everywhere(&CHECKS);
}

#[test]
fn floating_point_has_the_same_twenty_digits_everywhere() {
    is_the_same_everywhere(&CALCULATES);
}

#[test]
fn a_program_with_rusts_std_is_the_same_everywhere() {
    is_the_same_everywhere(&COUNTS);
}

#[test]
fn a_program_in_assemblyscript_is_the_same_everywhere() {
    is_the_same_everywhere(&SIEVES);
}

/// Slow: a million bytes are translated on an emulated machine.
#[test]
fn an_interpreter_runs_a_script_everywhere() {
    is_the_same_everywhere(&INTERPRETS);
}

#[test]
#[ignore = "long"]
fn an_interpreter_imports_a_script_everywhere() {
    is_the_same_everywhere(&IMPORTS);
}
