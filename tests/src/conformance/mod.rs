//! Lists of Wasm tests, for `conformance::run`: the specification's own test
//! suite, generated modules, and modules that go to their limits.

pub mod limits;
pub mod smith;
pub mod suite;

use conformance::list::Writer;
use conformance::outcome::{Outcome, Verdict};
use conformance::{Listener, Summary, Tally};
use helio::pack::write::NamedBytes;
use witness::{Hasher, hex};

use crate::{artefacts, packages};

/// How many of the generated modules are run each time.
pub const SAMPLE: u64 = 200;

/// What is run each time: the suite, the limits, and a sample of generated
/// modules.
pub fn each_time() -> Vec<u8> {
    let mut writer = Writer::default();
    suite::write(&mut writer);
    limits::write(&mut writer);
    smith::write(&mut writer, 0..SAMPLE);
    writer.finish()
}

/// A package that hands a list to the kernel's test `conformance`.
pub fn package(list: Vec<u8>) -> Vec<u8> {
    let mut contents = packages::that_prints("");
    contents.regions = vec![NamedBytes { name: "tests".into(), bytes: list }];
    contents.sign(&artefacts::operator()).unwrap()
}

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

impl Hosted {
    /// The lines that a kernel says if it comes to the same.
    pub fn lines(&self) -> Vec<String> {
        let words = |Tally { passed, failed, skipped }| {
            format!("passed {passed} failed {failed} skipped {skipped}")
        };
        let file = |(name, tally): &(String, Tally)| format!("{name} {}", words(*tally));
        let Summary { tally, digest } = self.summary;
        let last = format!("Wasm tests {}, digest {}", words(tally), hex::encode(&digest));
        self.files.iter().map(file).chain([last]).collect()
    }
}

/// Runs a list here.
pub fn run(list: &[u8]) -> Hosted {
    let mut notes = Notes::default();
    let summary = conformance::run(list, Hasher::SOFTWARE, &mut notes).unwrap();
    let Notes { files, failures, outcomes } = notes;
    Hosted { summary, files, failures, outcomes }
}
