//! Tasks that misbehave, on machines. What each of them may do to the log is
//! tried hosted; what they could do to a kernel, here, all at once.

use integration::packages::{self, Ends, HOSTILE};
use integration::{Arch, MachineStatus, Trial, artefacts};
use witness::verify::Expected;

fn all_at_once(arch: Arch) {
    // Where the records are spent, they are spent for the neighbour too.
    let several = HOSTILE.iter().filter(|(_, ends)| !matches!(ends, Ends::RecordsSpent));
    let names: Vec<&str> = several.clone().map(|(name, _)| *name).collect();
    let package = packages::together(&names).sign(&artefacts::operator()).unwrap();
    let left = Trial::on(arch).package(package).run().ended(MachineStatus::TaskFailed);
    let log = left.log();
    let facts = log.verified(Expected::default());
    let tasks = facts.manifest.unwrap().tasks;
    for (name, ends) in several {
        packages::assert_ends(name, *ends, &tasks, &log);
    }
    assert!(left.console().contains("neighbour: still here\n"), "{}", left.console());

    // What one of them printed is neither the kernel's word nor a log frame.
    let lines = left.kernel_lines();
    assert!(!lines.iter().any(|line| line.contains("all is well")), "{lines:?}");
    assert!(left.console().contains("all is well"), "{}", left.console());
    assert!(!left.serial.windows(8).any(|bytes| bytes == b"\x1eHG AAAA"));
    assert!(!left.serial.windows(7).any(|bytes| bytes == b"\x1b]0;tit"));
}

#[test]
fn all_hostile_tasks_at_once_do_no_harm_on_aarch64() {
    all_at_once(Arch::Aarch64);
}

/// Recursion and traps run on the port's own stack, so once on each.
#[test]
fn all_hostile_tasks_at_once_do_no_harm_on_x86_64() {
    all_at_once(Arch::X86_64);
}

#[test]
fn a_line_that_a_task_leaves_open_does_not_swallow_the_kernels_next() {
    let package = packages::that_prints("no line end").sign(&artefacts::operator()).unwrap();
    let left = Trial::quick().package(package).run().ended(MachineStatus::Success);
    assert!(left.console().contains("no line end"), "{}", left.console());
    left.assert_said("task printer: exit 0");
}
