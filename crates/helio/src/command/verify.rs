//! `helio verify`: whether a log is what it claims to be.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use witness::manifest::Outcome;
use witness::record::{Arch, Flags, TrapCode};
use witness::verify::{self, CLAIMED, Expected, Facts};
use witness::{Hasher, hex};

use crate::error::Result;
use crate::exit::ExitCode;
use crate::file;
use crate::keys::DeviceKey;
use crate::log::folder;
use crate::log::show::{Decoder, Line};
use crate::output::Output;
use crate::verify::{Finding, Word, verify_folder};

/// Verify a log: every record, the tree, the signatures.
#[derive(Debug, Args)]
pub struct Verify {
    /// The log's folder.
    log: PathBuf,
    /// The device's public key: a PEM file, or a verifier key
    /// (name+id+base64).
    #[arg(long)]
    key: String,
    /// The package that must have run.
    #[arg(long)]
    package: Option<PathBuf>,
    /// The nonce that must be in the log, 64 hexadecimal digits.
    #[arg(long, value_parser = nonce)]
    nonce: Option<[u8; 32]>,
    /// The kernel that must have run.
    #[arg(long)]
    kernel: Option<PathBuf>,
    /// The trust file that must have been used.
    #[arg(long)]
    trust: Option<PathBuf>,
}

/// A nonce on a command line.
pub fn nonce(text: &str) -> core::result::Result<[u8; 32], String> {
    hex::decode(&text.to_ascii_lowercase()).ok_or_else(|| "give 64 hexadecimal digits".into())
}

impl Verify {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let digest = |path: &Option<PathBuf>| -> Result<Option<witness::sha256::Hash>> {
            path.as_ref().map(|path| Ok(Hasher::SOFTWARE.hash(&file::read(path)?))).transpose()
        };
        let expected = Expected {
            package: digest(&self.package)?,
            nonce: self.nonce,
            trust: digest(&self.trust)?,
            kernel: digest(&self.kernel)?,
        };
        let key = DeviceKey::parse(&self.key)?;
        let log = folder::read(&self.log)?;
        let finding = verify_folder(&log, key, expected);
        let bad = finding.bad_record().and_then(|index| {
            let entry = log.entries.get(usize::try_from(index).ok()?)?;
            Some(Decoder::new(&log).line(index, entry))
        });
        output.show(&Shown::new(&finding, bad));
        Ok(finding.exit_code())
    }
}

/// A finding, as it is printed.
#[derive(Serialize)]
pub struct Shown {
    verdict: Word,
    sentence: String,
    bad_record: Option<Line>,
    facts: Value,
    checked: Vec<String>,
    reproducible: Vec<String>,
    claimed: Vec<&'static str>,
    #[serde(skip)]
    lines: Vec<(&'static str, String)>,
}

impl Shown {
    /// Prepares a finding, with the bad record decoded where there is one.
    pub fn new(finding: &Finding, bad_record: Option<Line>) -> Self {
        let word = finding.word();
        let is_worth_something = matches!(word, Word::Verified | Word::Incomplete);
        let facts = &finding.report.facts;
        Self {
            verdict: word,
            sentence: finding.sentence(),
            bad_record,
            facts: as_json(facts),
            lines: if is_worth_something { as_lines(facts) } else { Vec::new() },
            checked: match is_worth_something {
                true => verify::checked(&finding.report),
                false => Vec::new(),
            },
            reproducible: match is_worth_something {
                true => verify::reproducible(facts),
                false => Vec::new(),
            },
            claimed: if is_worth_something { CLAIMED.to_vec() } else { Vec::new() },
        }
    }
}

fn as_json(facts: &Facts) -> Value {
    let machine = facts.machine.as_ref();
    json!({
        "origin": facts.origin,
        "records": facts.records,
        "denied": facts.denied,
        "package": facts.package.map(|digest| hex::encode(&digest)),
        "seed": facts.seed.map(|seed| seed.to_string()),
        "profile": facts.profile,
        "time_ns": facts.time_ns.to_string(),
        "arch": machine.map(|it| it.arch.name()),
        "board": machine.map(|it| it.board.name()),
        "nonce": machine.and_then(|it| it.nonce).map(|nonce| hex::encode(&nonce)),
        "development_keys": machine.map(|it| it.flags.contains(Flags::DEVELOPMENT_KEYS)),
        "kernel_checked": machine.map(|it| it.flags.contains(Flags::KERNEL_CHECKED)),
        "end": facts.manifest.as_ref().map(|it| it.end.name()),
        "tasks": facts.manifest.as_ref().map(|it| it.tasks.iter().map(|task| json!({
            "name": task.name,
            "subject": task.subject,
            "outcome": task.outcome.name(),
            "code": task.code,
        })).collect::<Vec<_>>()),
    })
}

fn as_lines(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut lines = vec![("log", facts.origin.clone())];
    if let Some(machine) = &facts.machine {
        let place = match machine.arch {
            Arch::Hosted => "none: hosted, in a process".into(),
            arch => format!("{}, board {}", arch.name(), machine.board.name()),
        };
        lines.push(("machine", place));
        lines.push(("nonce", machine.nonce.map_or("none".into(), |nonce| hex::encode(&nonce))));
    }
    if let Some(package) = &facts.package {
        lines.push(("package", hex::encode(package)));
    }
    lines.push(("profile", facts.profile.clone()));
    let (ms, rest) = (facts.time_ns / 1_000_000, facts.time_ns % 1_000_000);
    let Facts { records, denied, .. } = facts;
    lines.push(("records", format!("{records}, {denied} denials, {ms}.{rest:06} ms logical")));
    for task in facts.manifest.iter().flat_map(|manifest| &manifest.tasks) {
        let trap = u16::try_from(task.code).ok().filter(|_| task.outcome == Outcome::Trap);
        let reason = trap.and_then(TrapCode::from_number);
        let reason = reason.map_or(String::new(), |code| format!(", {}", code.name()));
        let end = format!("{}: {} {}{reason}", task.name, task.outcome.name(), task.code);
        lines.push(("task", end));
    }
    if let Some(manifest) = &facts.manifest {
        lines.push(("end", manifest.end.name().into()));
    }
    if facts.machine.is_some_and(|machine| machine.flags.contains(Flags::DEVELOPMENT_KEYS)) {
        lines.push(("keys", "for development only: anybody may have them".into()));
    }
    lines
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.sentence)?;
        if let Some(line) = &self.bad_record {
            writeln!(f, "{line}")?;
        }
        for (what, text) in &self.lines {
            writeln!(f, "  {what:<8} {text}")?;
        }
        let claimed: Vec<_> = self.claimed.iter().map(|&line| line.to_owned()).collect();
        let lists = [
            ("checked", &self.checked),
            ("reproducible by replay", &self.reproducible),
            ("only claimed", &claimed),
        ];
        for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            writeln!(f, "{title}:")?;
            list.iter().try_for_each(|line| writeln!(f, "  - {line}"))?;
        }
        Ok(())
    }
}
