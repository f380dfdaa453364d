//! The run that most tests look at: the payload `regress`.

use std::sync::OnceLock;

use integration::{Left, MachineStatus, Trial, artefacts, hosted};
use witness::Hasher;
use witness::manifest::{End, Outcome};
use witness::record::{Body, Kind, Record};
use witness::verify::{Expected, Facts};

/// What a verifier would ask of every run here.
pub const NONCE: [u8; 32] = [0x6e; 32];

/// The same run in this process, once.
pub fn hosted() -> &'static hosted::Left {
    static RUN: OnceLock<hosted::Left> = OnceLock::new();
    RUN.get_or_init(|| hosted::run(artefacts::package("regress"), &artefacts::keys()))
}

/// Words that put the nonce into leaf 1.
pub fn nonce() -> String {
    format!("nonce={}", witness::hex::encode(&NONCE))
}

/// What a log of this machine must be bound to.
pub fn expected(trial: &Trial) -> Expected {
    let digest = |bytes: &Vec<u8>| Hasher::SOFTWARE.hash(bytes);
    Expected {
        package: trial.spec.package.as_ref().map(digest),
        nonce: Some(NONCE),
        trust: trial.spec.trust.as_ref().map(digest),
        kernel: Some(digest(&trial.spec.kernel)),
    }
}

/// Runs it to its end, and sees that the log verifies, that its records are
/// those of the hosted run, and that what was printed is what was attested.
#[track_caller]
pub fn runs(trial: Trial) -> (Left, Facts) {
    let expected = expected(&trial);
    let left = trial.words(&nonce()).run().ended(MachineStatus::Success);
    let facts = ran(&left, expected);
    (left, facts)
}

/// The same of a machine that has ended, however it said so.
#[track_caller]
pub fn ran(left: &Left, expected: Expected) -> Facts {
    let log = left.log();
    let facts = log.verified(expected);
    let manifest = facts.manifest.as_ref().unwrap();
    let [task] = &manifest.tasks[..] else { panic!("{manifest:?}") };
    assert_eq!((task.name.as_str(), task.outcome, task.code), ("regress", Outcome::Exit, 0));
    assert_eq!(manifest.end, End::Finished);
    log.assert_same_records(&hosted().log);

    let result = result(&left.console());
    assert!(result.contains("least LRE 1") && result.ends_with(": accurate\n"), "{result}");
    let [claim] = log.of_kind(Kind::Call(abi::Call::AttestEmit))[..] else { panic!("{log}") };
    assert_eq!(claimed(&claim), Hasher::SOFTWARE.hash(result.as_bytes()), "{result}");
    facts
}

/// The digest that a claim is about.
fn claimed(record: &Record<'_>) -> [u8; 32] {
    let Body::Call(call) = record.body else { panic!("{record}") };
    call.digest
}

/// The result as it was printed: what is between its first line and the line
/// that attests it.
fn result(console: &str) -> String {
    let start = console.find("Longley: 16 observations").unwrap_or_else(|| panic!("{console}"));
    let length = console[start..].find("attested ").unwrap_or_else(|| panic!("{console}"));
    console[start..start + length].to_owned()
}
