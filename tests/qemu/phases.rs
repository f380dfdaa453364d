//! Init: whichever phase fails, those before it are undone in reverse order,
//! and the machine ends with the diagnosis.
//!
//! The phases are taken from what a machine says when it starts, so a new one
//! is tried without a word here.

use integration::{Arch, MachineStatus, Trial};

/// Less would mean that the lines which list them are no longer found.
const FEWEST_PHASES: usize = 8;

/// The phases, in the order in which they ran.
fn phases(arch: Arch) -> Vec<String> {
    // A self test that does next to nothing comes right after init.
    let left = Trial::on(arch).words("test=sha256").run().ended(MachineStatus::Success);
    let names: Vec<String> = left
        .said("init: ")
        .iter()
        .filter_map(|it| it.strip_suffix(" done"))
        .map(Into::into)
        .collect();
    assert!(names.len() >= FEWEST_PHASES, "{names:?}");
    names
}

fn each_phase_fails_in_turn(arch: Arch) {
    let phases = phases(arch);
    for (at, phase) in phases.iter().enumerate() {
        let fail = format!("fail={phase}");
        let left = Trial::on(arch).words(&fail).run().ended(MachineStatus::InitFailed);
        let said = left.said("init: ");
        let (before, after) = said.split_at(at);

        let done: Vec<String> = phases[..at].iter().map(|name| format!("{name} done")).collect();
        assert_eq!(before, done);
        assert_eq!(after[0], format!("{phase} failed: the command line asked for it"));
        let back = &after[1..];
        assert_eq!(back.len(), at, "{said:?}");
        for (line, name) in back.iter().zip(phases[..at].iter().rev()) {
            let stays = line.strip_prefix(&format!("{name} stays: "));
            assert!(*line == format!("{name} undone") || stays.is_some_and(|why| !why.is_empty()));
        }
        let diagnosis =
            format!("the machine cannot start: {phase} failed: the command line asked for it");
        assert_eq!(left.kernel_lines().last(), Some(&diagnosis), "{}", left.console());
    }
}

#[test]
fn whichever_phase_fails_on_aarch64_those_before_it_are_undone_in_reverse() {
    each_phase_fails_in_turn(Arch::Aarch64);
}

/// Slow: a start by UEFI for each phase. What a phase undoes is the port's
/// own, so the quick port cannot stand in for this one.
#[test]
fn whichever_phase_fails_on_x86_64_those_before_it_are_undone_in_reverse() {
    each_phase_fails_in_turn(Arch::X86_64);
}
