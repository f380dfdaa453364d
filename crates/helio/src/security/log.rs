//! A log: whether it can be believed, and what it shows of the machine.

use std::collections::BTreeMap;
use std::path::Path;

use abi::Stage;
use witness::record::{Body, EventKind, Flags, Record};
use witness::verify::{Expected, Facts, Missing, Verdict};

use super::{Context, Findings, Severity, capabilities, package};
use crate::error::{HelioError, Result};
use crate::file;
use crate::keys::Role;
use crate::log::{Folder, Opened, source};
use crate::verify::{Finding, Word, verify_folder};

/// Looks at a log.
pub(super) fn look(path: &Path, context: &Context, findings: &mut Findings) -> Result<()> {
    let Opened { mut log, remarks } = source::open(path, context.boot)?;
    // A stream has no tiles, and none are missing from it.
    let is_stream = !path.is_dir();
    if is_stream {
        log.missing = None;
    }
    for remark in remarks {
        findings.add(
            Severity::Low,
            "stream-damaged",
            "the stream",
            remark,
            "take the log from a disk, or capture the serial port from power-on",
        );
    }
    let records = records(&log);
    let facts = judged(&log, context, findings);
    if let Some(facts) = &facts {
        machine(facts, findings);
    }
    outside(&records, findings);
    denials(&records, findings);
    let package = match &context.package {
        None => None,
        Some(path) => {
            let bytes = file::read(path)?;
            let is_it = facts.as_ref().and_then(|facts| facts.package)
                == Some(witness::Hasher::SOFTWARE.hash(&bytes));
            if !is_it {
                return Err(HelioError::input(
                    "security",
                    path.display(),
                    "it is not the package that ran",
                    "give the one whose SHA-256 is in record 0, or leave --package out",
                ));
            }
            package::manifest(&bytes)
        }
    };
    if package.is_none() {
        findings.add(
            Severity::Info,
            "initial-capabilities-not-checked",
            "the log",
            "which capabilities the tasks began with is in the package, which was not given",
            "add --package",
        );
    }
    capabilities::look(&records, package.as_ref(), findings);
    Ok(())
}

/// The records that can be decoded, with their numbers.
pub(super) type Records<'a> = Vec<(u64, Record<'a>)>;

fn records(log: &Folder) -> Records<'_> {
    (0..)
        .zip(&log.entries)
        .filter_map(|(index, entry): (u64, &Vec<u8>)| {
            Record::decode(entry).ok().map(|record| (index, record))
        })
        .collect()
}

/// The verdict, and the facts, which are worth as much.
fn judged(log: &Folder, context: &Context, findings: &mut Findings) -> Option<Facts> {
    let in_store = || context.store()?.public(Role::Device).ok();
    let key = context.device_key.clone();
    let key = key.unwrap_or_else(|| in_store().unwrap_or_default().into());
    let finding = verify_folder(log, key, Expected::default());
    let word = finding.word();
    let advice = "do not rely on it; `helio verify` says more";
    match word {
        Word::Forged => {
            findings.add(Severity::High, "forged-log", "the log", finding.sentence(), advice);
        }
        Word::WrongKey if context.device_key.is_some() => {
            findings.add(Severity::High, "wrong-key", "the log", finding.sentence(), advice);
        }
        Word::WrongKey => findings.add(
            Severity::Info,
            "signer-not-checked",
            "the log",
            format!("whose key signed it was not looked at: {}", finding.sentence()),
            "give --key the device's public key",
        ),
        Word::Incomplete => incomplete(&finding, findings),
        Word::Verified => {}
    }
    Some(finding.report.facts)
}

fn incomplete(finding: &Finding, findings: &mut Findings) {
    let (severity, what) = match finding.report.verdict {
        Verdict::Incomplete { missing: Missing::Checkpoint, .. } => {
            (Severity::High, "nobody signed it".into())
        }
        _ => (Severity::Medium, finding.sentence()),
    };
    findings.add(
        severity,
        "incomplete-log",
        "the log",
        what,
        "bring it home after the run has ended; what is missing proves nothing",
    );
}

/// What record 1 claims.
fn machine(facts: &Facts, findings: &mut Findings) {
    let Some(machine) = &facts.machine else { return };
    let mut lack = |flag, severity, code, what: &str, advice: &str| {
        if !machine.flags.contains(flag) {
            findings.add(severity, code, "record 1", what, advice);
        }
    };
    lack(
        Flags::KERNEL_CHECKED,
        Severity::Medium,
        "unchecked-boot",
        "no loader checked the kernel's signature",
        "boot by the UEFI loader",
    );
    lack(
        Flags::TO_DISK,
        Severity::Low,
        "log-to-uart",
        "the log went over the serial port: what was shown may be lost with the power",
        "give the machine a log disk",
    );
    let is_to_disk = machine.flags.contains(Flags::TO_DISK);
    if is_to_disk && !machine.flags.contains(Flags::FLUSHES) {
        findings.add(
            Severity::Low,
            "no-flush",
            "record 1",
            "the log's disk cannot flush: what was shown may be lost with the power",
            "give the machine a disk that can",
        );
    }
    if machine.flags.contains(Flags::DEVELOPMENT_KEYS) {
        findings.add(
            Severity::High,
            "development-keys",
            "record 1",
            "the keys are for development only: anybody may have made this log",
            "make keys of your own and a trust file without the mark",
        );
    }
    if machine.nonce.is_none() && facts.challenges.is_empty() {
        findings.add(
            Severity::Low,
            "no-nonce",
            "record 1",
            "no verifier gave a nonce: nothing shows that the run is not an old one",
            "give one at the start (helio run --nonce) or at the prompt (challenge)",
        );
    }
    if machine.trust == [0; 32] {
        findings.add(
            Severity::High,
            "no-trust-file",
            "record 1",
            "the machine had no trust file",
            "boot it with one",
        );
    }
    if let Some(index) = facts.unrecorded {
        findings.add(
            Severity::Medium,
            "unrecorded",
            format_args!("record {index}"),
            "from here on the run depends on something that is not in its log",
            "do not call it reproducible",
        );
    }
}

/// What came in from outside that commands the machine.
fn outside(records: &Records<'_>, findings: &mut Findings) {
    let mut commands: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (index, record) in records {
        let Body::Event(event) = record.body else { continue };
        let commands_it = matches!(
            event.kind,
            EventKind::Stop
                | EventKind::Resume
                | EventKind::Shutdown
                | EventKind::Reboot
                | EventKind::MountRequest
                | EventKind::Trace
        );
        if commands_it && !event.signed {
            let (_, count) = commands.entry(event.kind.name()).or_insert((*index, 0));
            *count += 1;
        }
    }
    for (name, (first, count)) in commands {
        findings.add(
            Severity::Info,
            "unsigned-command",
            format_args!("record {first}"),
            format!("{count} {name} events came from the console, signed by nobody"),
            "guard the console, or switch the shell off",
        );
    }
}

/// Calls that the gate denied because the caller had no business making them.
fn denials(records: &Records<'_>, findings: &mut Findings) {
    let mut denied: BTreeMap<(Door, u32), (u64, u64)> = BTreeMap::new();
    for (index, record) in records {
        let witness::Verdict::Denied(error) = record.verdict else { continue };
        let stage = match error.stage() {
            Stage::Capability => Door::Capability,
            Stage::Proof => Door::Proof,
            _ => continue,
        };
        let (_, count) = denied.entry((stage, record.subject.0)).or_insert((*index, 0));
        *count += 1;
    }
    for ((stage, subject), (first, count)) in denied {
        let (code, what, advice) = match stage {
            Door::Capability => (
                "denied-capability",
                "calls for which it held no capability",
                "find out why it tries: a mistake, or a task that is not what it should be",
            ),
            Door::Proof => (
                "denied-proof",
                "changes, claims or mounts without a proof that holds",
                "find out why it tries; the gate let none of them through",
            ),
        };
        let subject = witness::Subject(subject);
        findings.add(
            Severity::Medium,
            code,
            format_args!("record {first}"),
            format!("{subject} made {count} {what}; this is the first"),
            advice,
        );
    }
}

/// The stages of the gate whose denials are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Door {
    Capability,
    Proof,
}
