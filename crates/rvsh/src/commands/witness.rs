//! `witness`: the log, its last records, one record in full.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::hex::Hex;
use ::witness::json::{Object, Value};
use ::witness::proof::InclusionProof;
use ::witness::record::{Flags, Record};

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::commands::{Short, counted, number, optional};
use crate::describe;
use crate::table::{Align, Table};
use crate::units::{Count, Seconds};
use crate::view::{self, Entry, View, subject_name};

pub(crate) const COMMAND: Command = Command {
    name: "witness",
    arguments: "[tail [N] | show N | proof N | export]",
    help: "the log, its last records, or one of them",
    details: "Alone, says how large the log is and its root. `witness tail` shows the last\n\
              10 records, or the last N of up to 100; `witness show N` everything record N\n\
              says. A record that is not sealed yet has no id, and nothing it caused has\n\
              left the machine. Records further back are in the log that was written out.\n\
              `witness proof N` shows that record N is in the log: a proof (C2SP\n\
              tlog-proof) under the last signed checkpoint, for `helio log check-proof`\n\
              or any other reader of that form. `witness export` sends the whole log out\n\
              by this console, in frames: a capture of it is for `helio log import`.",
    json: true,
    completes: &[Argument::Word(&["tail", "show", "proof", "export"])],
    run,
};

/// Rows shown by `tail` alone.
const TAIL: u64 = 10;

/// Most rows shown.
const TAIL_MAX: u64 = 100;

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let count = |text: &str| text.parse::<u64>().map_err(|_| request.usage());
    match request.arguments[..] {
        [] => Ok(summary(request)),
        ["tail"] => Ok(tail(request, TAIL)),
        ["tail", rows] => Ok(tail(request, count(rows)?)),
        ["show", index] => show(request, count(index)?),
        ["proof", index] => proof(request, count(index)?),
        ["export"] if !request.json => export(request),
        _ => Err(request.usage()),
    }
}

fn summary(request: &Request<'_>) -> Answer {
    let log = request.view.nucleus().log();
    let (sealed, pending, root) = (log.size(), log.pending() as u64, log.root());
    let (checkpoint, oldest) = (request.view.checkpoint(), view::oldest(request.view));
    if request.json {
        return Answer::json(
            &Object::new()
                .with("checkpoint", number(checkpoint))
                .with("oldest", number(oldest))
                .with("pending", number(pending))
                .with("root", Value::hex(&root))
                .with("sealed", number(sealed))
                .into(),
        );
    }
    let mut table = Table::of_pairs();
    table.pair("sealed", counted(sealed, "record"));
    table.pair("pending", counted(pending, "record"));
    table.pair("signed", format_args!("the first {}", counted(checkpoint, "record")));
    table.pair("in memory", format_args!("from record {oldest} on"));
    table.pair("root", Hex(&root));
    Answer::text(table.render())
}

fn tail(request: &Request<'_>, rows: u64) -> Answer {
    let view = request.view;
    let end = view.nucleus().log().next().0;
    let start = end.saturating_sub(rows.min(TAIL_MAX)).max(view::oldest(view));
    let entries = (start..end).filter_map(|index| Some((index, view::entry(view, index)?)));
    if request.json {
        return Answer::json(&entries.map(|(index, entry)| json(view, index, &entry)).collect());
    }
    let mut table = Table::new(&[
        ("record", Align::Right),
        ("id", Align::Left),
        ("time", Align::Right),
        ("who", Align::Left),
        ("what", Align::Left),
    ]);
    for (index, entry) in entries {
        let id = entry.id.map_or("not sealed".into(), |id| Short(&id).to_string());
        let (time, who, what) = match &entry.record {
            Ok(record) => (
                Seconds(record.point.time_ns).to_string(),
                subject_name(view.nucleus(), record.subject),
                describe::in_words(view.nucleus(), record),
            ),
            Err(error) => (String::new(), String::new(), format!("unreadable: {error:?}")),
        };
        table.row([index.to_string(), id, time, who, what]);
    }
    Answer::text(table.render())
}

fn show(request: &Request<'_>, index: u64) -> Result<Answer, Refusal> {
    let view = request.view;
    let log = view.nucleus().log();
    let entry = view::entry(view, index).ok_or_else(|| {
        Refusal(match log.next().0.checked_sub(1) {
            None => "The log is empty.".into(),
            Some(last) if index > last => {
                format!("There is no record {index}; the last one is {last}.")
            }
            Some(_) => format!(
                "Record {index} is no longer in memory, only in the log that was written out; \
                 the oldest here is {}.",
                view::oldest(view)
            ),
        })
    })?;
    if request.json {
        return Ok(Answer::json(&json(view, index, &entry)));
    }
    let mut table = Table::of_pairs();
    table.pair("record", index);
    match &entry.id {
        Some(id) => table.pair("id", Hex(id)),
        None => table.pair("id", "none yet: the record is not sealed"),
    }
    match &entry.record {
        Ok(record) => full(view, &entry, record, &mut table),
        Err(error) => table.pair("unreadable", format_args!("{error:?}")),
    }
    Ok(Answer::text(table.render()))
}

/// A proof that a record is in the log.
fn proof(request: &Request<'_>, index: u64) -> Result<Answer, Refusal> {
    let view = request.view;
    let nucleus = view.nucleus();
    let Some(note) = view.signed() else {
        return Err(Refusal(
            "There is no signed checkpoint over the records that are here.".into(),
        ));
    };
    let covered = usize::try_from(view.checkpoint()).unwrap_or(usize::MAX);
    let mut ids = Vec::new();
    if ids.try_reserve_exact(covered).is_err() {
        let text = "There is not the memory to make a proof here; `helio log prove` makes it.";
        return Err(Refusal(text.into()));
    }
    ids.extend(nucleus.log().ids().take(covered));
    let proof = InclusionProof::new(nucleus.hasher(), &ids, index, &note);
    let proof = proof.ok_or_else(|| {
        Refusal(match index < nucleus.log().next().0 {
            true => format!("Record {index} is not covered by a signed checkpoint yet."),
            false => format!("There is no record {index} under a signed checkpoint."),
        })
    })?;
    if request.json {
        let hashes = proof.hashes.iter().map(|hash| Value::hex(hash));
        return Ok(Answer::json(
            &Object::new()
                .with("checkpoint", proof.checkpoint.as_str())
                .with("hashes", hashes.collect::<Value>())
                .with("record", number(index))
                .with("text", proof.text())
                .into(),
        ));
    }
    Ok(Answer::text(proof.text()))
}

/// The log, by way of the console: the kernel has what is no longer in memory.
fn export(request: &Request<'_>) -> Result<Answer, Refusal> {
    let is_here = request.view.hardware().is_some();
    if is_here && !request.view.machine().facts.flags.contains(Flags::TO_DISK) {
        return Err(Refusal(
            "The log goes over this line already: a capture from power-on has all of it.".into(),
        ));
    }
    let records = counted(request.view.nucleus().log().next().0, "record");
    Ok(Answer::act(format!("Sending {records}, in frames."), Action::Export))
}

fn full(view: &dyn View, entry: &Entry<'_>, record: &Record<'_>, table: &mut Table) {
    let index_or = |index: Option<u64>, none: &str| {
        index.map_or_else(|| none.into(), |index| format!("record {index}"))
    };
    table.pair("kind", record.kind().name());
    table.pair("what", describe::in_words(view.nucleus(), record));
    let name = subject_name(view.nucleus(), record.subject);
    table.pair("who", format_args!("{name} ({}), its record {}", record.subject, record.sequence));
    let point = &record.point;
    table.pair("time", format_args!("{} logical, slice {}", Seconds(point.time_ns), point.slice));
    table.pair("fuel", format_args!("{} spent by then", Count(point.fuel)));
    table.pair("previous", index_or(entry.previous, "none: the first of its subject"));
    table.pair("cause", index_or(entry.cause, "none"));
    describe::body(view.nucleus(), &record.body, &mut |name, value| table.pair(name, value));
}

fn json(view: &dyn View, index: u64, entry: &Entry<'_>) -> Value {
    let head = Object::new()
        .with("cause", optional(entry.cause.map(number)))
        .with("id", optional(entry.id.map(|id| Value::hex(&id))))
        .with("previous", optional(entry.previous.map(number)))
        .with("record", number(index));
    let record = match &entry.record {
        Ok(record) => record,
        Err(error) => return head.with("unreadable", format!("{error:?}")).into(),
    };
    let mut fields = Object::new();
    describe::body(view.nucleus(), &record.body, &mut |name, value| {
        fields = core::mem::take(&mut fields).with(name, value.to_string());
    });
    let reason = record.verdict.reason();
    head.with("fields", fields)
        .with("fuel", Value::decimal(record.point.fuel))
        .with("kind", record.kind().name())
        .with("outcome", record.verdict.outcome())
        .with("reason", optional(reason.map(abi::Error::name)))
        .with("sequence", record.sequence)
        .with("slice", Value::decimal(record.point.slice))
        .with("stage", optional(reason.map(|reason| reason.stage().name())))
        .with("subject", record.subject.0)
        .with("text", describe::in_words(view.nucleus(), record))
        .with("time_ns", Value::decimal(record.point.time_ns))
        .with("who", subject_name(view.nucleus(), record.subject))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;
    use ::witness::proof::InclusionProof;
    use ::witness::{Hasher, Index, hex};

    fn said(line: &str) -> alloc::string::String {
        Sample::new().said(line)
    }

    #[test]
    fn the_summary_has_the_whole_root() {
        assert!(said("witness").starts_with("sealed     7 records\npending    3 records\n"));
        let root = hex::encode(&Sample::new().nucleus.log().root());
        assert!(said("witness").ends_with(&["root       ", &root, "\n"].concat()));
    }

    #[test]
    fn the_tail_says_what_is_sealed_and_who_did_it() {
        let tail = said("witness tail");
        let rows: alloc::vec::Vec<&str> = tail.lines().collect();
        assert_eq!(rows.len(), 11);
        let id = hex::encode(&Sample::new().nucleus.log().id(Index(0)).unwrap()[..6]);
        let first = ["     0  ", &id, "  0.000000 s  kernel   genesis"].concat();
        assert!(rows[1].starts_with(&first), "{tail}");
        assert!(
            rows[8].contains("  not sealed    0.005002 s  worker   queue_send console"),
            "{tail}"
        );
        assert!(rows[9].contains("denied (capability)"), "{tail}");
        assert_eq!(said("witness tail 1").lines().count(), 2);
        assert_eq!(said("witness tail 99999999999"), tail);
    }

    #[test]
    fn a_proof_shows_a_record_to_whoever_has_the_device_key() {
        let sample = Sample::new();
        let proof = InclusionProof::parse(&sample.said("witness proof 5")).unwrap();
        let entry = sample.nucleus.log().entry(Index(5)).unwrap();
        let key = crate::sample::device();
        assert_eq!(proof.check(Hasher::SOFTWARE, entry.bytes(), &key).unwrap().size, 7);
        let other = sample.nucleus.log().entry(Index(4)).unwrap();
        assert!(proof.check(Hasher::SOFTWARE, other.bytes(), &key).is_err());

        let json = sample.said("witness proof 5 -j");
        assert!(
            json.contains("\"record\":5,\"text\":\"c2sp.org/tlog-proof@v1\\nindex 5\\n"),
            "{json}"
        );
        let said = |line| sample.said(line);
        assert_eq!(
            said("witness proof 8"),
            "Record 8 is not covered by a signed checkpoint yet.\n"
        );
        assert_eq!(said("witness proof 10"), "There is no record 10 under a signed checkpoint.\n");
    }

    #[test]
    fn a_record_is_shown_with_its_parents_and_fields() {
        let text = said("witness show 8");
        for line in [
            "kind       queue_send\n",
            "previous   record 7\n",
            "object     none: the handle names none\n",
            "handle     slot 9, generation 1\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert_eq!(said("witness show 10"), "There is no record 10; the last one is 9.\n");
        let late = Sample::late().said("witness show 1");
        assert!(late.starts_with("Record 1 is no longer in memory"), "{late}");
        assert!(said("witness show x").starts_with("usage: "));
        assert!(said("witness shwo 1").starts_with("usage: "));
    }
}
