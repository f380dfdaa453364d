//! Replays of logs, as `helio replay` makes them.

use helio::replay::{self, Assumption, Divergence, Inputs, NoStart, TrustFile, Verdict};
use helio::verify::Finding;
use witness::verify::Expected;

use crate::artefacts;
use crate::log::Log;

/// What came of one.
#[derive(Debug)]
pub struct Replayed {
    /// The verdict.
    pub verdict: Verdict,
    /// Records that were made again.
    pub equal: u64,
    /// What was taken for granted.
    pub assumed: Vec<Assumption>,
}

/// Replays a log that verifies, with the trust file of the development keys.
#[track_caller]
pub fn replay(log: &Log, package: &[u8]) -> Replayed {
    let trust = artefacts::read(&artefacts::keys().trust_path());
    replay_with(log, package, TrustFile::Given(&trust))
}

/// The same with another trust file, or none.
#[track_caller]
pub fn replay_with(log: &Log, package: &[u8], trust: TrustFile<'_>) -> Replayed {
    let finding: Finding = log.finding(Expected::default());
    let Some((records, extent)) = replay::extent(&finding) else {
        panic!("{}\n{log}", finding.sentence())
    };
    let entries = &log.folder().entries[..usize::try_from(records).unwrap()];
    match replay::start(entries, extent, Inputs { package, trust, keeps_journals: false }) {
        Ok(mut replay) => {
            let verdict = replay.driver.run(None, &mut |_, _| {}).unwrap();
            let verdict =
                replay::conclude(verdict, replay.driver.cell(), &finding, &replay.assumed);
            Replayed { verdict, equal: replay.driver.equal(), assumed: replay.assumed }
        }
        Err(NoStart::Gap(gap)) => {
            let verdict = Verdict::NotReproducible(gap);
            Replayed { verdict, equal: 0, assumed: Vec::new() }
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Asserts that a log replays equal, from the first record to the end of the
/// run.
#[track_caller]
pub fn assert_equal(log: &Log, package: &[u8]) {
    let replayed = replay(log, package);
    assert_eq!(replayed.verdict, Verdict::Equal, "{log}");
    assert_eq!(replayed.equal, log.folder().entries.len() as u64);
}

impl Replayed {
    /// The divergence that it must have come to.
    #[track_caller]
    pub fn divergence(&self) -> &Divergence {
        let Verdict::Diverged(divergence) = &self.verdict else { panic!("{:?}", self.verdict) };
        divergence
    }
}
