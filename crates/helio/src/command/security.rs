//! `helio security`: what is weak about an image, package, key store or log.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use witness::BootId;

use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::keys::DeviceKey;
use crate::log::source::boot_id;
use crate::output::Output;
use crate::security::{Context, Report, Severity, audit};

/// Audit images, packages, key stores and logs.
///
/// Looks at a boot image (its files), a package, a kernel, a folder of keys,
/// or a log (folder, disk or capture), whichever each is. The exit code is 1
/// where something is at least as bad as --fail-on.
#[derive(Debug, Args)]
pub struct Security {
    /// What to look at.
    #[arg(required = true)]
    targets: Vec<PathBuf>,
    /// The least finding that makes the exit code 1.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Level::High)]
    fail_on: Level,
    /// Folder of the keys and the trust file to judge by [default: build/keys,
    /// if it is there].
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Verify logs by this public key of the device: a PEM file, or a verifier
    /// key (name+id+base64) [default: KEYS/device.pub.pem].
    #[arg(long)]
    key: Option<String>,
    /// The package that ran: shows which capabilities its tasks never used.
    #[arg(long)]
    package: Option<PathBuf>,
    /// Of a capture take this boot, 32 hexadecimal digits, not the last one.
    #[arg(long, value_parser = boot_id)]
    boot: Option<BootId>,
}

/// A level, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    High,
    Medium,
    Low,
    Info,
    Never,
}

impl Level {
    const fn least(self) -> Option<Severity> {
        match self {
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

#[derive(Serialize)]
struct Counts {
    high: usize,
    medium: usize,
    low: usize,
    info: usize,
}

#[derive(Serialize)]
struct Shown {
    reports: Vec<Report>,
    counts: Counts,
    fail_on: Level,
    failed: bool,
}

impl Security {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        if let Some(folder) = self.keys.as_deref().filter(|folder| !folder.is_dir()) {
            let advice = "name the folder that `helio keys init` made";
            return Err(HelioError::input("security", folder.display(), "it is no folder", advice));
        }
        let context = Context {
            keys: Some(self.keys.unwrap_or_else(|| super::KEYS.into())),
            device_key: self.key.as_deref().map(DeviceKey::parse).transpose()?,
            package: self.package,
            boot: self.boot,
        };
        let reports = self.targets.iter().map(|path| audit(path, &context));
        let reports = reports.collect::<Result<Vec<_>>>()?;
        let all = || reports.iter().flat_map(|report| &report.findings);
        let count = |severity| all().filter(|finding| finding.severity == severity).count();
        let least = self.fail_on.least();
        let failed = all().any(|finding| least.is_some_and(|least| finding.severity >= least));
        let counts = Counts {
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
            info: count(Severity::Info),
        };
        output.show(&Shown { reports, counts, fail_on: self.fail_on, failed });
        Ok(if failed { ExitCode::Failed } else { ExitCode::Success })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.reports {
            writeln!(f, "{}: {}", report.target.display(), report.kind.name())?;
            report.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        }
        let Counts { high, medium, low, info } = &self.counts;
        write!(f, "{high} high, {medium} medium, {low} low, {info} info")
    }
}
