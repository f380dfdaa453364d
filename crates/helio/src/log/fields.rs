//! Two records, field by field.

use serde::Serialize;
use witness::record::{Body, CallBody, NO_OBJECT, Record};
use witness::{Hash, hex};

use super::show::Decoder;

/// A field of which two records have different values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its name.
    pub field: &'static str,
    /// The value in the one; none where it has no such field.
    pub log: Option<String>,
    /// The value in the other.
    pub replay: Option<String>,
}

/// What differs between a record of a log and another in its place, in the
/// order of the format. Ids are shown as numbers of records where `decoder`
/// knows them.
pub fn differences(log: &Record<'_>, replay: &Record<'_>, decoder: &Decoder) -> Vec<Difference> {
    let (log, mut replay) = (fields(log, decoder), fields(replay, decoder));
    let mut differences = Vec::new();
    for (field, value) in log {
        let at = replay.iter().position(|(name, _)| *name == field);
        let other = at.map(|at| replay.remove(at).1);
        if other.as_ref() != Some(&value) {
            differences.push(Difference { field, log: Some(value), replay: other });
        }
    }
    let only = |(field, value)| Difference { field, log: None, replay: Some(value) };
    differences.extend(replay.into_iter().map(only));
    differences
}

type Fields = Vec<(&'static str, String)>;

/// All fields of a record with their values in words.
fn fields(record: &Record<'_>, decoder: &Decoder) -> Fields {
    let parent = |id: &Hash| match decoder.number(id) {
        Some(index) => format!("record {index}"),
        None => hex::encode(id),
    };
    let mut fields = vec![
        ("kind", record.kind().name().to_string()),
        ("subject", record.subject.to_string()),
        ("outcome", outcome(record)),
        ("sequence", record.sequence.to_string()),
        ("time in ns", record.point.time_ns.to_string()),
        ("slice", record.point.slice.to_string()),
        ("fuel spent", record.point.fuel.to_string()),
        ("previous", parent(&record.previous)),
        ("cause", record.cause.as_ref().map_or("none".into(), parent)),
    ];
    fields.extend(body(&record.body));
    fields
}

fn outcome(record: &Record<'_>) -> String {
    let stage = record.verdict.stage().name();
    match record.verdict {
        witness::Verdict::Allowed => "allowed".into(),
        witness::Verdict::Denied(error) => format!("denied ({stage}): {error}"),
        witness::Verdict::CutShort => "cut short".into(),
    }
}

fn body(body: &Body<'_>) -> Fields {
    let text = |bytes: &[u8]| format!("\"{}\"", bytes.escape_ascii());
    match body {
        Body::Genesis(it) => vec![
            ("package", hex::encode(&it.package)),
            ("seed", it.seed.to_string()),
            ("state root", hex::encode(&it.state_root)),
            ("profile", text(it.profile.bytes())),
        ],
        Body::Machine(it) => vec![("facts", format!("{it:?}"))],
        Body::Event(it) => vec![
            ("event", it.kind.name().into()),
            ("signed", it.signed.to_string()),
            ("object", it.source.to_string()),
            ("length", it.total.to_string()),
            ("data", text(it.data.bytes())),
        ],
        Body::Continuation(it) => {
            vec![("offset", it.offset.to_string()), ("data", text(it.data.bytes()))]
        }
        Body::Call(it) => call(it),
        Body::Trap(it) => {
            vec![("trap", it.code.name().into()), ("component", hex::encode(&it.component))]
        }
        Body::OutOfFuel(it) => {
            vec![("budget", it.budget.to_string()), ("spent", it.spent.to_string())]
        }
        Body::Exit(it) => vec![("code", it.code.to_string()), ("pages", it.pages.to_string())],
        Body::StateRoot(it) => {
            vec![("taken for", format!("{:?}", it.reason)), ("root", hex::encode(&it.root))]
        }
        Body::Guard(it) => vec![
            ("store", it.store.to_string()),
            ("allowed", it.allowed.to_string()),
            ("component", hex::encode(&it.component)),
            ("guard's fuel", it.fuel.to_string()),
        ],
        Body::BudgetSpent(it) => {
            vec![("budget", format!("{:?}", it.budget)), ("limit", it.limit.to_string())]
        }
    }
}

fn call(call: &CallBody<'_>) -> Fields {
    let object = match call.object {
        NO_OBJECT => "none".into(),
        number => number.to_string(),
    };
    let operation = match call.call.operation(call.operation) {
        Some(operation) => format!("{operation:?}"),
        None => call.operation.to_string(),
    };
    vec![
        ("handle", format!("{:#x}", call.handle.0)),
        ("object", object),
        ("badge", call.badge.to_string()),
        ("operation", operation),
        ("length", call.length.to_string()),
        ("argument", call.argument.to_string()),
        ("result", call.result.to_string()),
        ("digest", hex::encode(&call.digest)),
        ("tail", format!("\"{}\"", call.tail.bytes().escape_ascii())),
    ]
}
