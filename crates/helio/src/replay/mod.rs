//! Replay: making a run again from its package and the events in its log, and
//! comparing each record as it comes.
//!
//! [`start`] judges the inputs and starts a machine with leaf 1 as the log has
//! it; the [`Driver`] runs it, and [`conclude`] has the last word. [`look`]
//! shows the machine where it stands to the shell of `rvsh`. What a verdict
//! proves and does not stands in `docs/REPLAY.md`.
//!
//! What does not belong here: files, and what is printed.

mod driver;
mod events;
pub mod look;
pub mod prompt;
mod start;
mod verdict;

pub use driver::{Driver, Extent};
pub use events::{Events, Recorded};
pub use start::{Inputs, NoStart, Replay, TrustFile, restore, start};
pub use verdict::{Assumption, Divergence, Gap, Refusal, Side, Verdict};

use machine::Cell;
use witness::Record;
use witness::manifest::End;
use witness::record::Body;
use witness::verify::{self, Missing};

use crate::verify::{Finding, Word};

/// How far a log that was verified can be replayed: its first records, and
/// whether they speak for the whole run. None if it does not verify.
pub fn extent(finding: &Finding) -> Option<(u64, Extent)> {
    let facts = &finding.report.facts;
    match (finding.word(), finding.report.verdict) {
        (Word::Verified | Word::Incomplete, verify::Verdict::Verified) => {
            let end = facts.manifest.as_ref()?.end;
            Some((facts.records, if is_in_order(end) { Extent::Whole } else { Extent::Open }))
        }
        // Without a signature over them they are anybody's.
        (Word::Incomplete, verify::Verdict::Incomplete { missing, verified }) => {
            let is_signed = missing != Missing::Checkpoint && verified >= 2;
            is_signed.then_some((verified, Extent::Open))
        }
        _ => None,
    }
}

/// Whether a run that ends so has nothing left to do, so that nothing may
/// follow in the log.
fn is_in_order(end: End) -> bool {
    matches!(end, End::Finished | End::PowerOff | End::Reboot)
}

/// The last word on a driver's verdict, with what only the log as a whole
/// shows: the manifest, that the end is missing, that the trust file is not
/// known.
pub fn conclude(
    verdict: Verdict,
    cell: &Cell,
    finding: &Finding,
    assumed: &[Assumption],
) -> Verdict {
    match verdict {
        Verdict::Equal if finding.word() == Word::Incomplete => Verdict::Incomplete,
        Verdict::Equal => match tasks_part(cell, finding) {
            Some(divergence) => Verdict::Diverged(Box::new(divergence)),
            None => Verdict::Equal,
        },
        Verdict::Diverged(divergence) => {
            let trust = [Assumption::SignerTrusted, Assumption::SignerNotTrusted];
            match trust.iter().any(|it| assumed.contains(it)) && hangs_on_trust(&divergence) {
                true => Verdict::NotReproducible(Gap::NeedsTrust { record: divergence.record }),
                false => Verdict::Diverged(divergence),
            }
        }
        other => other,
    }
}

/// The manifest lists the tasks by names that no record has.
fn tasks_part(cell: &Cell, finding: &Finding) -> Option<Divergence> {
    let facts = &finding.report.facts;
    let manifest = facts.manifest.as_ref().filter(|manifest| is_in_order(manifest.end))?;
    let (log, replay) = (manifest.tasks.clone(), cell.outcomes());
    let (log, replay) = (Side::Tasks(log), Side::Tasks(replay));
    (log != replay).then_some(Divergence { record: facts.records, log, replay })
}

/// Whether the two sides are one call, and one of them was denied for what a
/// trust file says.
fn hangs_on_trust(divergence: &Divergence) -> bool {
    use abi::Error::{RevokedKey, UntrustedKey, VersionTooOld};
    let (Side::Record(log), Side::Record(replay)) = (&divergence.log, &divergence.replay) else {
        return false;
    };
    let (Ok(log), Ok(replay)) = (Record::decode(log), Record::decode(replay)) else {
        return false;
    };
    let by_trust = |record: &Record<'_>| {
        matches!(record.verdict.reason(), Some(UntrustedKey | RevokedKey | VersionTooOld))
    };
    let call = |record: &Record<'_>| match record.body {
        Body::Call(call) => Some((record.subject, record.sequence, call.call)),
        _ => None,
    };
    call(&log).is_some() && call(&log) == call(&replay) && (by_trust(&log) || by_trust(&replay))
}
