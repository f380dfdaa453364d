//! Packages that a kernel refuses by itself, where no loader has checked
//! them: a sentence, a denied mount in a log that verifies, and a machine that
//! goes on.

use helio::{keys, pack};
use integration::{Left, MachineStatus, Trial, artefacts, packages};
use witness::Hasher;
use witness::record::{Body, Kind, Verdict};
use witness::verify::Expected;

/// Boots with the package; the kernel must refuse it in one sentence with
/// these words at its start, and with this reason in the record.
#[track_caller]
fn refused(package: Vec<u8>, words: &str, reason: abi::Error) -> Left {
    let digest = Hasher::SOFTWARE.hash(&package);
    let left = Trial::quick().package(package).run().ended(MachineStatus::TaskFailed);
    let said = left.said("package refused ");
    assert!(said.len() == 1 && said[0].starts_with(words), "{words}\n{}", left.console());
    let log = left.log();
    let facts = log.verified(Expected { package: Some(digest), ..Expected::default() });
    assert_eq!(facts.tasks, []);
    let mounts = log.of_kind(Kind::Call(abi::Call::RvfMount));
    let [mount] = &mounts[..] else { panic!("{log}") };
    assert_eq!(mount.verdict, Verdict::Denied(reason), "{log}");
    assert!(matches!(mount.body, Body::Call(call) if call.object != witness::record::NO_OBJECT));
    left
}

fn contents() -> pack::Contents {
    packages::hostile("trap")
}

#[test]
fn an_unsigned_package_is_refused_by_the_kernel() {
    let package = pack::unsigned(&contents()).unwrap();
    refused(package, "(signature): the file carries no signature", abi::Error::Unsigned);
}

#[test]
fn a_strangers_package_is_refused_by_the_kernel() {
    let package = contents().sign(&keys::generate().unwrap()).unwrap();
    refused(package, "(trust): the key ", abi::Error::UntrustedKey);
}

#[test]
fn a_truncated_package_is_refused_by_the_kernel() {
    let package = contents().sign(&artefacts::operator()).unwrap();
    let half = package[..package.len() / 2].to_vec();
    refused(half, "(container): ", abi::Error::Truncated);
}

#[test]
fn a_changed_package_is_refused_by_the_kernel() {
    let mut package = contents().sign(&artefacts::operator()).unwrap();
    package[200] ^= 1;
    refused(package, "(signature): the key ", abi::Error::BadSignature);
}

/// What the words of the configuration do, all in one boot.
#[test]
fn a_package_beyond_the_configuration_is_refused_and_the_log_goes_where_that_says() {
    let package = contents().sign(&artefacts::operator()).unwrap();
    let words = "tasks=0 stores=1000000 memory=64000000 heap=100663296 log=serial";
    let trial = Trial::quick().package(package.clone()).words(words);
    let mut left = trial.run().ended(MachineStatus::TaskFailed);
    left.assert_said("the heap has 96 MiB");
    left.assert_said("the package lists 2 tasks, of 0 that this machine was told to take");
    assert!(left.disk.take().unwrap().iter().all(|&byte| byte == 0), "the disk is left alone");
    let log = left.log();
    let package = Some(Hasher::SOFTWARE.hash(&package));
    log.verified(Expected { package, ..Expected::default() });
    let mounts = log.of_kind(Kind::Call(abi::Call::RvfMount));
    assert_eq!(mounts[0].verdict, Verdict::Denied(abi::Error::OutOfMemory), "{log}");
}

/// What a loader says that it checked is what the kernel must have been given.
#[test]
fn a_file_that_is_another_than_was_checked_is_not_started() {
    let other = "0".repeat(64);
    let run = |word: &str| Trial::quick().words(&format!("{word}={other}")).run();
    run("kernel.sha256").ended(MachineStatus::InitFailed).assert_said(
        "the machine cannot start: digests failed: the kernel's file has not the digest that \
         kernel.sha256 says",
    );
    for word in ["package.sha256", "trust.sha256"] {
        let left = run(word).ended(MachineStatus::TaskFailed);
        left.assert_said(&format!(
            "there is nothing to run: a module has not the digest that the command line's {word} \
             says"
        ));
    }
}

#[test]
fn a_machine_without_a_package_says_so() {
    let mut trial = Trial::quick();
    trial.spec.package = None;
    let left = trial.run().ended(MachineStatus::TaskFailed);
    let said = left.said("there is nothing to run: ");
    assert!(said.len() == 1 && said[0].contains("no module named package"), "{}", left.console());
}
