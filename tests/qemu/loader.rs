//! What our UEFI loader refuses to start, each in one clear sentence.
//!
//! The checks are the same code on both architectures and have tests of their
//! own in `boot/uefi`; here the loader itself meets files that are wrong.
//! AArch64 is the quicker of the two, so the other sees one refusal only.

use helio::image::paths;
use helio::keys;
use integration::{Arch, Trial, Way, artefacts};
use witness::Trust;

fn trial() -> Trial {
    Trial::new(Arch::Aarch64, Way::Uefi)
}

/// The loader says that it does not start the kernel, and why.
#[track_caller]
fn refuses(trial: Trial, why: &str) {
    let mut machine = trial.start();
    machine.expect(why);
    // Nothing of the kernel ran: its first line comes before anything else.
    let console = machine.console();
    assert!(!console.contains("[kernel] "), "{console}");
}

#[test]
fn an_unsigned_kernel_is_refused() {
    for arch in Arch::ALL {
        let trial = Trial::new(arch, Way::Uefi).file(paths::KERNEL_SIGNATURE, None);
        refuses(
            trial,
            "heliograph/kernel.elf is unsigned: heliograph/kernel.sig is missing on the boot \
             partition",
        );
    }
}

#[test]
fn a_kernel_signed_by_a_stranger_is_refused() {
    let stranger = keys::generate().unwrap();
    let signature = artefacts::signature(&artefacts::kernel(Arch::Aarch64), &stranger);
    refuses(
        trial().file(paths::KERNEL_SIGNATURE, Some(signature)),
        "heliograph/kernel.elf is signed by a stranger",
    );
}

#[test]
fn a_truncated_kernel_is_refused() {
    let mut kernel = artefacts::kernel(Arch::Aarch64);
    kernel.truncate(kernel.len() - 1);
    refuses(
        trial().file(paths::KERNEL, Some(kernel)),
        "heliograph/kernel.elf is truncated: it ends before what its headers announce",
    );
}

#[test]
fn a_kernel_with_a_changed_byte_is_refused() {
    let mut kernel = artefacts::kernel(Arch::Aarch64);
    // In the code, well behind the headers.
    kernel[0x2_0000] ^= 1;
    refuses(
        trial().file(paths::KERNEL, Some(kernel)),
        "heliograph/kernel.elf is not the file that was signed",
    );
}

#[test]
fn a_kernel_that_is_no_elf_file_is_refused_even_if_it_is_signed() {
    let text = b"#!/bin/sh\necho a kernel\n".to_vec();
    let signature = artefacts::signature(&text, &artefacts::operator());
    refuses(
        trial().file(paths::KERNEL, Some(text)).file(paths::KERNEL_SIGNATURE, Some(signature)),
        "heliograph/kernel.elf is not an ELF file",
    );
}

#[test]
fn a_trust_file_by_another_root_key_is_refused() {
    let stranger = keys::generate().unwrap();
    let trust = artefacts::keys().trust().unwrap();
    let note = Trust { ..trust }.sign(&stranger);
    refuses(
        trial().file(paths::TRUST, Some(note.into_bytes())),
        "heliograph/trust.note is signed by a stranger: not by the root key of this loader",
    );
}

#[test]
fn a_missing_package_is_refused() {
    refuses(
        trial().file(paths::PACKAGE, None),
        "heliograph/package.rvf is missing on the boot partition",
    );
}

#[test]
fn a_changed_package_is_refused() {
    let mut package = artefacts::package("regress");
    let middle = package.len() / 2;
    package[middle] ^= 1;
    refuses(
        trial().file(paths::PACKAGE, Some(package)),
        "heliograph/package.rvf: package refused (signature): ",
    );
}
