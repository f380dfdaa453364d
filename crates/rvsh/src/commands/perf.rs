//! `perf`: how much was done: what the run says, and what only this machine
//! knows.

use alloc::format;
use alloc::string::{String, ToString};

use ::witness::Subject;
use ::witness::json::{Object, Value};
use ::witness::record::Kind;
use ::witness::tally::Count as Records;
use nucleus::Nucleus;

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{number, optional};
use crate::hardware::Work;
use crate::table::{Align, Table};
use crate::units::{Bytes, Count, Seconds};

pub(crate) const COMMAND: Command = Command {
    name: "perf",
    arguments: "",
    help: "how much was done: slices, fuel, records, calls",
    details: "First what the run itself says, the same wherever it is made again: logical\n\
              time, slices, fuel spent, records by kind, and of each call how many were\n\
              allowed, denied and cut short. Then what only this machine knows: real time\n\
              since the log was opened, and how often it was sealed and signed. A machine\n\
              that went on from a snapshot counts the records from there.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let nucleus = request.view.nucleus();
    let work = request.view.hardware().map(|hardware| hardware.work);
    Ok(match request.json {
        true => Answer::json(&json(nucleus, work)),
        false => Answer::text(text(nucleus, work)),
    })
}

fn text(nucleus: &Nucleus, work: Option<Work>) -> String {
    let clock = nucleus.clock();
    let mut head = Table::of_pairs();
    head.pair("recorded", "the same at every replay");
    head.pair("time", format_args!("{} logical", Seconds(clock.now_ns())));
    head.pair("slices", clock.slice());
    head.pair("fuel", format_args!("{} spent", Count(fuel(nucleus))));
    head.pair("records", format_args!("{} ({})", total(nucleus), other_kinds(nucleus)));

    let mut calls = Table::new(&[
        ("call", Align::Left),
        ("allowed", Align::Right),
        ("denied", Align::Right),
        ("cut short", Align::Right),
    ]);
    for (name, count) in calls_of(nucleus) {
        let counts = [count.allowed, count.denied, count.cut_short];
        calls.row(core::iter::once(name.into()).chain(counts.map(|it| it.to_string())));
    }

    let mut own = Table::of_pairs();
    match work {
        Some(it) => {
            own.pair("this machine", "in no log");
            own.pair("up", format_args!("{} since the log was opened", Seconds(it.up_ns)));
            own.pair("sealed", format_args!("{} times", it.seals));
            own.pair("signed", format_args!("{} checkpoints", it.checkpoints));
            own.pair("log", format_args!("{} written", Bytes(it.log_bytes)));
        }
        None => own.pair("this machine", "is replayed: it has neither real time nor a log device"),
    }
    [head.render(), calls.render(), own.render()].join("\n")
}

/// Units of fuel that were spent, by tasks and for them, and by the kernel.
fn fuel(nucleus: &Nucleus) -> u64 {
    let kernel = nucleus.task(Subject::KERNEL).map_or(0, |kernel| kernel.spent);
    // What a partition spends counts for those above it too.
    let outermost = nucleus.partitions().filter(|partition| partition.parent.is_none());
    outermost.fold(kernel, |sum, partition| sum.saturating_add(partition.fuel.used))
}

fn total(nucleus: &Nucleus) -> u64 {
    nucleus.log().tally().iter().fold(0, |sum, (_, count)| sum.saturating_add(count.all()))
}

/// The kinds of records other than calls that there are.
fn other_kinds(nucleus: &Nucleus) -> String {
    let kinds = nucleus.log().tally().iter();
    let others = kinds.filter(|(kind, count)| !matches!(kind, Kind::Call(_)) && count.all() > 0);
    let words = others.map(|(kind, count)| format!("{} {}", count.all(), kind.name()));
    let calls = calls_of(nucleus).fold(0u64, |sum, (_, count)| sum.saturating_add(count.all()));
    let words: alloc::vec::Vec<String> =
        core::iter::once(format!("{calls} calls")).chain(words).collect();
    words.join(", ")
}

fn calls_of(nucleus: &Nucleus) -> impl Iterator<Item = (&'static str, Records)> {
    nucleus.log().tally().iter().filter_map(|(kind, count)| match kind {
        Kind::Call(call) => Some((call.name(), count)),
        _ => None,
    })
}

fn json(nucleus: &Nucleus, work: Option<Work>) -> Value {
    let clock = nucleus.clock();
    let call = |(name, count): (&'static str, Records)| {
        Object::new()
            .with("allowed", number(count.allowed))
            .with("call", name)
            .with("cut_short", number(count.cut_short))
            .with("denied", number(count.denied))
            .into()
    };
    let kind = |(kind, count): (Kind, Records)| match kind {
        Kind::Call(_) => None,
        kind => {
            let fields = Object::new().with("count", number(count.all())).with("kind", kind.name());
            Some(fields.into())
        }
    };
    let machine = work.map(|it| {
        Object::new()
            .with("checkpoints", number(it.checkpoints))
            .with("log_bytes", number(it.log_bytes))
            .with("seals", number(it.seals))
            .with("up_ns", Value::decimal(it.up_ns))
    });
    Object::new()
        .with("calls", calls_of(nucleus).map(call).collect::<Value>())
        .with("fuel", Value::decimal(fuel(nucleus)))
        .with("machine", optional(machine))
        .with("others", nucleus.log().tally().iter().filter_map(kind).collect::<Value>())
        .with("records", number(total(nucleus)))
        .with("slices", number(clock.slice()))
        .with("time_ns", Value::decimal(clock.now_ns()))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;

    #[test]
    fn what_was_done_is_counted_by_kind_and_outcome() {
        let said = Sample::new().said("perf");
        for line in [
            "recorded  the same at every replay\n",
            "slices    52\n",
            "fuel      5.00 M spent\n",
            "records   10 (7 calls, 1 genesis, 1 machine, 1 trap)\n",
            "queue_send                1       1          0\n",
            "attest_emit               1       0          0\n",
            "task_spawn                3       0          0\n",
            "sealed        4 times\n",
            "signed        2 checkpoints\n",
        ] {
            assert!(said.contains(line), "{line}{said}");
        }
        assert_eq!(Sample::new().said("perf now"), "usage: perf [-j]\n");
    }

    #[test]
    fn a_replayed_machine_shows_the_same_but_for_what_no_log_has() {
        let (runs, replayed) = (Sample::new(), Sample::new().replayed());
        let recorded = |sample: &Sample| {
            let said = sample.said("perf");
            said.split_once("this machine").map(|(recorded, _)| recorded.to_string())
        };
        assert_eq!(recorded(&runs), recorded(&replayed));
        assert!(replayed.said("perf").ends_with("has neither real time nor a log device\n"));
        assert!(replayed.said("perf -j").contains("\"machine\":null"));
        assert!(runs.said("perf -j").contains("\"machine\":{\"checkpoints\":2"));
    }

    use alloc::string::ToString;
}
