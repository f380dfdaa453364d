//! Lists of Wasm tests, for `conformance::run`: the specification's own test
//! suite, generated modules, and modules that go to their limits.

pub mod limits;
pub mod smith;
pub mod suite;

use conformance::outcome::{Outcome, Verdict};
use conformance::{Listener, Summary, Tally};
use witness::Hasher;

/// A run in this process.
#[derive(Debug)]
pub struct Hosted {
    /// What it comes to.
    pub summary: Summary,
    /// The files with their tallies, in order.
    pub files: Vec<(String, Tally)>,
    /// Directives that failed, with what came of them.
    pub failures: Vec<String>,
    /// What came of each directive.
    pub outcomes: Vec<Outcome>,
}

#[derive(Default)]
struct Notes {
    files: Vec<(String, Tally)>,
    failures: Vec<String>,
    outcomes: Vec<Outcome>,
}

impl Listener for Notes {
    fn directive(&mut self, file: &str, number: u32, outcome: &Outcome, verdict: Verdict) {
        if verdict == Verdict::Failed {
            self.failures.push(format!("{file} {number}: {outcome:?}"));
        }
        self.outcomes.push(outcome.clone());
    }

    fn file(&mut self, name: &str, tally: Tally) {
        self.files.push((name.into(), tally));
    }
}

/// Runs a list here.
pub fn run(list: &[u8]) -> Hosted {
    let mut notes = Notes::default();
    let summary = conformance::run(list, Hasher::SOFTWARE, &mut notes).unwrap();
    let Notes { files, failures, outcomes } = notes;
    Hosted { summary, files, failures, outcomes }
}
