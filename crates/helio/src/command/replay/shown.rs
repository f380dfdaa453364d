//! What is printed of a replay.

use std::fmt;
use std::time::Duration;

use machine::Cell;
use serde::Serialize;
use witness::manifest::TaskEnd;
use witness::record::Record;
use witness::verify::{self, CLAIMED, REPRODUCIBLE};

use crate::log::Folder;
use crate::log::fields::{Difference, differences};
use crate::log::show::{Decoder, Line};
use crate::replay::{Assumption, Divergence, Side, Verdict};
use crate::verify::Finding;

/// A verdict, as it is printed.
#[derive(Serialize)]
pub(super) struct Shown {
    verdict: &'static str,
    sentence: String,
    /// The record that the verdict is about.
    record: Option<u64>,
    log: Option<SideShown>,
    replay: Option<SideShown>,
    differences: Vec<Difference>,
    /// Records from the first that are equal to the log's.
    equal: u64,
    /// The first that was made again, where a snapshot stood for those before.
    from: Option<u64>,
    /// Records of the log.
    records: u64,
    stands: Option<Stands>,
    seconds: Option<f64>,
    records_per_second: Option<f64>,
    checked: Vec<String>,
    reproduced: Vec<&'static str>,
    claimed: Vec<String>,
}

/// One side of a divergence.
#[derive(Serialize)]
struct SideShown {
    text: String,
    line: Option<Line>,
}

/// Where the machine stands.
#[derive(Serialize)]
struct Stands {
    records: u64,
    time_ns: u64,
    slice: u64,
}

impl Shown {
    /// Of a log that does not verify.
    pub(super) fn unverified(finding: &Finding, log: &Folder) -> Self {
        let record = finding.bad_record();
        let entry = record.and_then(|index| {
            let entry = log.entries.get(usize::try_from(index).ok()?)?;
            Some(Decoder::new(log).line(index, entry))
        });
        Self {
            record,
            log: entry.map(|line| SideShown { text: line.to_string(), line: Some(line) }),
            ..Self::plain("does-not-verify", finding.sentence(), finding)
        }
    }

    /// Of a replay that made `equal` records again.
    pub(super) fn new(
        verdict: &Verdict,
        equal: u64,
        finding: &Finding,
        decoder: impl FnOnce() -> Decoder,
    ) -> Self {
        let mut shown = Self {
            equal,
            checked: verify::checked(&finding.report),
            ..Self::plain(verdict.word(), sentence(verdict, equal, finding), finding)
        };
        match verdict {
            Verdict::Diverged(parted) => shown.sides(parted, &decoder()),
            Verdict::NotReproducible(gap) => shown.record = Some(gap.record()),
            Verdict::Equal | Verdict::Incomplete => {
                shown.reproduced = REPRODUCIBLE.to_vec();
                shown.claimed = CLAIMED.map(str::to_owned).to_vec();
            }
            Verdict::Stopped => {}
        }
        shown
    }

    fn plain(verdict: &'static str, sentence: String, finding: &Finding) -> Self {
        Self {
            verdict,
            sentence,
            record: None,
            log: None,
            replay: None,
            differences: Vec::new(),
            equal: 0,
            from: None,
            records: finding.report.facts.records,
            stands: None,
            seconds: None,
            records_per_second: None,
            checked: Vec::new(),
            reproduced: Vec::new(),
            claimed: Vec::new(),
        }
    }

    fn sides(&mut self, parted: &Divergence, decoder: &Decoder) {
        self.record = Some(parted.record);
        self.log = Some(side(&parted.log, parted.record, decoder));
        self.replay = Some(side(&parted.replay, parted.record, decoder));
        if let (Side::Record(log), Side::Record(replay)) = (&parted.log, &parted.replay)
            && let (Ok(log), Ok(replay)) = (Record::decode(log), Record::decode(replay))
        {
            self.differences = differences(&log, &replay, decoder);
        }
    }

    /// With how long it took.
    pub(super) fn took(self, took: Duration) -> Self {
        let seconds = took.as_secs_f64();
        Self { seconds: Some(seconds), ..self.rated(seconds) }
    }

    fn rated(self, seconds: f64) -> Self {
        let made = self.equal.saturating_sub(self.from.unwrap_or(0));
        let rate = (seconds > 0.0).then(|| made as f64 / seconds);
        Self { records_per_second: rate, ..self }
    }

    /// With where the machine began, if a snapshot was given.
    pub(super) fn from(self, from: Option<u64>) -> Self {
        let Some(record) = from else { return self };
        let sentence = format!("{}; made again from record {record} on", self.sentence);
        let mut claimed = self.claimed;
        claimed.push(format!("that the package comes to the state before record {record}"));
        let seconds = self.seconds.unwrap_or(0.0);
        Self { from, sentence, claimed, ..self }.rated(seconds)
    }

    /// With where the machine stands, if it was stopped there.
    pub(super) fn stands(self, cell: &Cell) -> Self {
        let clock = cell.view().clock();
        let stands = Stands { records: cell.size(), time_ns: clock.now_ns(), slice: clock.slice() };
        Self { stands: Some(stands), ..self }
    }

    /// With what was taken for granted.
    pub(super) fn assuming(mut self, assumed: &[Assumption]) -> Self {
        self.claimed.extend(assumed.iter().map(Assumption::to_string));
        self
    }
}

fn sentence(verdict: &Verdict, equal: u64, finding: &Finding) -> String {
    let records = finding.report.facts.records;
    match verdict {
        Verdict::Equal => format!("replayed equal: all {records} records"),
        Verdict::Incomplete => {
            format!("replayed equal as far as it goes: {equal} records; {}", finding.sentence())
        }
        Verdict::Stopped => format!("stopped: the first {equal} of {records} records are equal"),
        Verdict::Diverged(parted) => match parted.log {
            Side::Tasks(_) => "diverged at the manifest: all records are equal".into(),
            _ => format!("diverged at record {}", parted.record),
        },
        Verdict::NotReproducible(gap) => format!("not reproducible: {gap}"),
    }
}

fn side(side: &Side, index: u64, decoder: &Decoder) -> SideShown {
    let text = match side {
        Side::Record(bytes) => {
            let line = decoder.line(index, bytes);
            return SideShown { text: line.to_string(), line: Some(line) };
        }
        Side::End => "        ends before it".into(),
        Side::Stands { time_ns, slice, finished } => {
            let doing = if *finished { "every task has ended" } else { "there is no such record" };
            format!("        {doing}, at {time_ns} ns of logical time after slice {slice}")
        }
        Side::Refused(refusal) => format!("        does not admit the event: {refusal}"),
        Side::Tasks(tasks) => tasks.iter().map(task).collect::<Vec<_>>().join("\n"),
    };
    SideShown { text, line: None }
}

fn task(end: &TaskEnd) -> String {
    let TaskEnd { name, subject, outcome, code } = end;
    format!("        task {subject} {name}: {} {code}", outcome.name())
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verifies = self.verdict != "does-not-verify";
        match verifies {
            true => writeln!(f, "{}", self.sentence)?,
            false => writeln!(f, "does not verify: {}", self.sentence)?,
        }
        for (title, side) in [("log", &self.log), ("replay", &self.replay)] {
            match side {
                Some(side) if verifies => writeln!(f, "{title}\n{}", side.text)?,
                Some(side) => writeln!(f, "{}", side.text)?,
                None => {}
            }
        }
        if !self.differences.is_empty() {
            writeln!(f, "  {:<12} log, replay", "differ in")?;
        }
        for Difference { field, log, replay } in &self.differences {
            let [log, replay] = [log, replay].map(|value| value.as_deref().unwrap_or("not there"));
            writeln!(f, "  {field:<12} {log}\n  {:<12} {replay}", "")?;
        }
        if let Some(stands) = &self.stands {
            let Stands { records, time_ns, slice } = stands;
            let (ms, rest) = (time_ns / 1_000_000, time_ns % 1_000_000);
            let place = format!("record {records} comes next");
            writeln!(f, "  stands   {place}, {ms}.{rest:06} ms logical, slice {slice}")?;
        }
        if let (Some(seconds), Some(rate)) = (self.seconds, self.records_per_second) {
            writeln!(f, "  took     {seconds:.3} s, {rate:.0} records per second")?;
        }
        let reproduced: Vec<_> = self.reproduced.iter().map(|&line| line.to_owned()).collect();
        let lists = [
            ("checked", &self.checked),
            ("reproduced", &reproduced),
            ("only claimed", &self.claimed),
        ];
        for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            writeln!(f, "{title}:")?;
            list.iter().try_for_each(|line| writeln!(f, "  - {line}"))?;
        }
        Ok(())
    }
}
