//! What is weak about an image, a package, a key store or a log.
//!
//! An audit looks at one thing and lists findings, each with what to do about
//! it. It decides nothing that the machine decides: signatures, packages,
//! trust files and logs are judged by the code that judges them there. What it
//! cannot see is said as a finding too, so that silence means something.
//! `docs/AUDIT.md` lists every code.

mod boot;
mod capabilities;
mod code;
mod image;
mod keys;
mod log;
mod package;
mod settings;
mod target;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::keys::{DeviceKey, Store};

pub use target::Kind;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Better done otherwise.
    Low,
    /// Helps an attacker who has something already.
    Medium,
    /// An attacker needs nothing more, or nothing is proved.
    High,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Info];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is, in one word that stays: for scripts.
    pub code: &'static str,
    /// The file, key, record or setting.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// What an audit is given beside what it looks at.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Folder of the keys and the trust file, if there is one.
    pub keys: Option<PathBuf>,
    /// The device's public key, to verify logs by.
    pub device_key: Option<DeviceKey>,
    /// The package that ran.
    pub package: Option<PathBuf>,
    /// The boot wanted of a capture.
    pub boot: Option<witness::BootId>,
}

impl Context {
    /// The key store, if there is one.
    fn store(&self) -> Option<Store> {
        self.keys.as_deref().filter(|folder| folder.is_dir()).map(Store::at)
    }
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The file or folder.
    pub target: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
}

/// Looks at one thing.
///
/// # Errors
/// It cannot be read, or is nothing of what can be looked at.
pub fn audit(path: &Path, context: &Context) -> Result<Report> {
    let target = target::open(path)?;
    let mut findings = Findings::default();
    let kind = target.kind();
    target.look(path, context, &mut findings)?;
    Ok(Report { target: path.to_owned(), kind, findings: findings.sorted() })
}

/// Findings as they are found.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        place: impl fmt::Display,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let place = place.to_string().chars().flat_map(plain).collect();
        self.0.push(Finding { severity, code, place, what: what.into(), advice: advice.into() });
    }

    /// The worst first; else in the order they were found.
    fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.0
    }
}

/// A character of a name in an image or a record, which comes from outside.
fn plain(character: char) -> Vec<char> {
    match character {
        '\'' | '"' => vec![character],
        other => other.escape_debug().collect(),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, place, what, advice } = self;
        writeln!(f, "{:<6}  {code}  {place}", severity.name())?;
        writeln!(f, "        {what}")?;
        write!(f, "        -> {advice}")
    }
}
