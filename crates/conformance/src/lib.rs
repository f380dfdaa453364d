#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! Runs lists of Wasm tests, the same way wherever it is called.
//!
//! A [`list`] holds the directives of test files, made from text on a host. The
//! kernel runs one and so does a test on the host, with the engine that tasks
//! have; each directive's [`outcome`] goes into one digest, so two numbers tell
//! whether two machines agree on every value, trap and unit of fuel.
//!
//! `suite` runs a file of the WebAssembly specification's test suite, `task` a
//! module under the limits of a task.

extern crate alloc;

mod suite;
mod task;

pub mod list;
pub mod outcome;

use alloc::vec::Vec;

use witness::{Hasher, sha256::Hash};

use crate::list::{BadList, Directive, File, Reader};
use crate::outcome::{Outcome, Verdict};

/// How many directives ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As the list says they should.
    pub passed: u32,
    /// Otherwise.
    pub failed: u32,
    /// Not run: what they test is no business of an engine.
    pub skipped: u32,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, verdict: Verdict) {
        let number = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Skipped => &mut self.skipped,
        };
        *number = number.saturating_add(1);
    }

    /// Adds another's numbers.
    pub fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }
}

/// Who hears how a run goes.
pub trait Listener {
    /// A directive, the place of which in its file is `number`, is over.
    fn directive(&mut self, file: &str, number: u32, outcome: &Outcome, verdict: Verdict);

    /// A file is over.
    fn file(&mut self, name: &str, tally: Tally);
}

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Over all files.
    pub tally: Tally,
    /// SHA-256 over all files' names and their directives' outcomes and fuel.
    pub digest: Hash,
}

/// Runs a list.
///
/// # Errors
/// [`BadList`] if it is not one; what comes before the damage is run.
pub fn run(list: &[u8], hasher: Hasher, listener: &mut dyn Listener) -> Result<Summary, BadList> {
    let mut reader = Reader::new(list)?;
    let mut summary = Summary { tally: Tally::default(), digest: [0; 32] };
    while let Some(file) = reader.file()? {
        let (tally, outcomes) = run_file(&file, &mut reader, hasher, listener)?;
        summary.tally.add(tally);
        let parts = [&summary.digest[..], file.name.as_bytes(), &[0], &outcomes];
        summary.digest = hasher.concatenation(&parts);
        listener.file(file.name, tally);
    }
    Ok(summary)
}

fn run_file(
    file: &File<'_>,
    reader: &mut Reader<'_>,
    hasher: Hasher,
    listener: &mut dyn Listener,
) -> Result<(Tally, Vec<u8>), BadList> {
    let (mut tally, mut outcomes) = (Tally::default(), Vec::new());
    // Modules of one file may be linked with each other, so they have one
    // store; nothing stays of it for the next file.
    let mut suite = None;
    for number in 0..file.directives {
        let (outcome, verdict, fuel) = match reader.directive()? {
            Directive::Task(task) => task::run(&task, hasher),
            directive => suite.get_or_insert_with(suite::Suite::new).run(directive),
        };
        tally.count(verdict);
        outcome.put(verdict, &mut outcomes);
        outcomes.extend(fuel.to_le_bytes());
        listener.directive(file.name, number, &outcome, verdict);
    }
    Ok((tally, outcomes))
}
