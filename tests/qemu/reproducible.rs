//! The same inputs give the same bytes.

use helio::image;
use integration::work::Work;
use integration::{Arch, Trial, Way, artefacts, packages};
use witness::Hasher;

#[test]
fn an_image_built_twice_is_the_same_byte_for_byte() {
    for arch in Arch::ALL {
        let build = || {
            let work = Work::new("image");
            let path = work.path().join("disk.img");
            let mut spec = Trial::new(arch, Way::Uefi).spec;
            spec.command_line = "nonce=00".into();
            image::build(&spec, &path).unwrap();
            Hasher::SOFTWARE.hash(&std::fs::read(path).unwrap())
        };
        let first = build();
        // A FAT time stamp counts pairs of seconds.
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        assert_eq!(build(), first, "{arch}");
    }
}

#[test]
fn a_package_packed_twice_is_the_same_byte_for_byte() {
    let pack = || packages::hostile("loop").sign(&artefacts::operator()).unwrap();
    assert_eq!(pack(), pack());
}

#[test]
#[ignore = "builds the kernel once more: some minutes"]
fn a_kernel_built_twice_is_the_same_byte_for_byte() {
    let work = Work::new("kernel");
    let output = std::process::Command::new(artefacts::helio())
        .args(["build", "kernel", "--target", "x86_64", "--output"])
        .arg(work.path().join("build"))
        .current_dir(artefacts::root())
        .env("CARGO_TARGET_DIR", work.path().join("target"))
        .env("RUSTFLAGS", "-Copt-level=0")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kernel = artefacts::read(&work.path().join("build/x86_64/kernel.elf"));
    assert!(kernel == artefacts::kernel(Arch::X86_64));
}
