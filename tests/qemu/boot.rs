//! Every way to boot the one kernel file of an architecture, each to a run
//! whose log verifies and says how it was booted.
//!
//! Slow: one start each, most of them by UEFI; there is no quicker way to see
//! that a way to boot works.

use integration::{Arch, Trial, Way, artefacts};
use witness::Hasher;
use witness::record::{Arch as Recorded, Board, Flags, MachineFacts};

use crate::regress;

/// Boots it; gives leaf 1 and the line in which the kernel describes its
/// platform.
#[track_caller]
fn boots(trial: Trial) -> (MachineFacts, String) {
    let arch = trial.spec.arch;
    let (left, facts) = regress::runs(trial);
    let machine = facts.machine.unwrap();
    let (recorded, board) = match arch {
        Arch::X86_64 => (Recorded::X86_64, Board::Pc),
        Arch::Aarch64 => (Recorded::Aarch64, Board::Virt),
    };
    assert_eq!((machine.arch, machine.board), (recorded, board));
    assert_ne!(machine.boot_id, [0; 16]);
    for flag in [Flags::TO_DISK, Flags::FLUSHES, Flags::DEVELOPMENT_KEYS] {
        assert!(machine.flags.contains(flag), "{:?}", machine.flags);
    }
    let lines = left.kernel_lines();
    let platform = lines.iter().position(|line| line == "init: devices done").unwrap() - 1;
    (machine, lines[platform].clone())
}

/// Our UEFI loader checks the kernel, and says that it did and who it is.
#[track_caller]
fn boots_checked(trial: Trial) -> String {
    let loader = Hasher::SOFTWARE.hash(&artefacts::loader(trial.spec.arch));
    let (machine, platform) = boots(trial);
    assert!(machine.flags.contains(Flags::KERNEL_CHECKED));
    assert_eq!(machine.loader, loader);
    platform
}

/// Other loaders check nothing, and nothing says that they did.
#[track_caller]
fn boots_unchecked(trial: Trial) -> String {
    let (machine, platform) = boots(trial);
    assert!(!machine.flags.contains(Flags::KERNEL_CHECKED));
    platform
}

#[test]
fn x86_64_boots_by_our_uefi_loader() {
    let platform = boots_checked(Trial::new(Arch::X86_64, Way::Uefi));
    assert!(platform.starts_with("PC: COM1, local and I/O APIC, "), "{platform}");
}

#[test]
fn aarch64_boots_by_our_uefi_loader_with_acpi() {
    let platform = boots_checked(Trial::new(Arch::Aarch64, Way::Uefi));
    assert!(platform.starts_with("virt by ACPI: EL1, PL011, GICv2, "), "{platform}");
}

#[test]
fn aarch64_boots_by_our_uefi_loader_with_a_device_tree() {
    let trial = Trial::new(Arch::Aarch64, Way::Uefi).arguments(&["-machine", "acpi=off"]);
    let platform = boots_checked(trial);
    assert!(platform.starts_with("virt by device tree: EL1, PL011, GICv2, "), "{platform}");
}

#[test]
fn aarch64_boots_directly_at_el1() {
    let platform = boots_unchecked(Trial::quick());
    assert!(platform.starts_with("virt by device tree: EL1, PL011, GICv2, "), "{platform}");
}

#[test]
fn aarch64_boots_directly_at_el2() {
    let trial = Trial::quick().arguments(&["-machine", "virtualization=on"]);
    let platform = boots_unchecked(trial);
    assert!(platform.starts_with("virt by device tree: EL"), "{platform}");
}

#[test]
fn aarch64_boots_with_a_gic_of_version_3() {
    let platform = boots_unchecked(Trial::quick().arguments(&["-machine", "gic-version=3"]));
    assert!(platform.starts_with("virt by device tree: EL1, PL011, GICv3, "), "{platform}");
}

/// A processor of 2008 has neither SHA-NI nor SMEP nor RDRAND: what is used
/// where it is there must not be missed where it is not. It boots from a card
/// that `helio flash` wrote, with a configuration of its own.
#[test]
fn x86_64_boots_on_an_old_processor_from_a_flashed_card_as_it_is_configured() {
    let configuration = "[memory]\nheap = \"96 MiB\"\n\n[tasks]\npace = false\n";
    let trial = Trial::new(Arch::X86_64, Way::Uefi).arguments(&["-cpu", "Nehalem"]);
    let (left, _) = regress::runs(trial.flashed(configuration));
    left.assert_said("SHA-256 by software");
    left.assert_said("the heap has 96 MiB");
}

#[test]
fn a_machine_boots_with_little_and_with_much_memory() {
    // On the PC, 6 GiB lie on both sides of the devices below 4 GiB.
    let sizes = [(Arch::Aarch64, "128M"), (Arch::Aarch64, "6G"), (Arch::X86_64, "6G")];
    for (arch, size) in sizes {
        boots(Trial::on(arch).arguments(&["-m", size]));
    }
}

#[test]
fn genuine_limine_boots_both_architectures() {
    if artefacts::limine().is_none() {
        println!("skipped: set LIMINE_DIR to a folder of Limine's released binaries");
        return;
    }
    for (arch, way) in [
        (Arch::X86_64, Way::LimineUefi),
        (Arch::X86_64, Way::LimineBios),
        (Arch::Aarch64, Way::LimineUefi),
    ] {
        boots_unchecked(Trial::new(arch, way));
    }
}
