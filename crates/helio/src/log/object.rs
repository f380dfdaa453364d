//! A record as one JSON object: everything that its bytes say, by name.
//!
//! Numbers that programs choose and that fill 64 bits (badge, argument,
//! result, seed and the like) are decimal texts, because many readers of JSON
//! keep 53 bits of a number. Counts, times and indices are numbers.

use abi::{Call, Operation, Rights};
use serde_json::{Map, Value, json};
use witness::record::{
    Body, CallBody, Event, Flags, MachineFacts, NO_OBJECT, Record, RootReason, SignedEvent,
};
use witness::{Hash, Hasher, hex};

use super::show::Decoder;

/// The object of a record; of bytes that are none, what is wrong with them.
pub fn object(index: u64, bytes: &[u8], decoder: &Decoder) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.into(), value);
    put("index", index.into());
    put("id", hex::encode(&Hasher::SOFTWARE.leaf(bytes)).into());
    put("bytes", hex::encode(bytes).into());
    match Record::decode(bytes) {
        Ok(record) => {
            let parent = |id: &Hash| json!({ "record": decoder.number(id), "id": hex::encode(id) });
            put("kind", record.kind().name().into());
            put("subject", record.subject.to_string().into());
            put("subject_number", record.subject.0.into());
            put("sequence", record.sequence.into());
            put("time_ns", record.point.time_ns.into());
            put("slice", record.point.slice.into());
            put("fuel", record.point.fuel.into());
            put("outcome", outcome(&record).into());
            put("denied", denied(&record));
            put("previous", parent(&record.previous));
            put("cause", record.cause.as_ref().map_or(Value::Null, parent));
            put("body", body(&record.body));
            put("text", record.to_string().into());
        }
        Err(error) => {
            put("kind", "damaged".into());
            put("text", format!("not a record: {error}").into());
        }
    }
    Value::Object(object)
}

fn outcome(record: &Record<'_>) -> &'static str {
    match record.verdict {
        witness::Verdict::Allowed => "allowed",
        witness::Verdict::Denied(_) => "denied",
        witness::Verdict::CutShort => "cut short",
    }
}

/// Where in the gate and why, where it was not allowed.
fn denied(record: &Record<'_>) -> Value {
    record.verdict.reason().map_or(Value::Null, |error| {
        json!({
            "stage": error.stage().name(),
            "number": error.number(),
            "name": error.name(),
            "text": error.text(),
        })
    })
}

fn body(body: &Body<'_>) -> Value {
    match body {
        Body::Genesis(it) => json!({
            "package": hex::encode(&it.package),
            "seed": it.seed.to_string(),
            "state_root": hex::encode(&it.state_root),
            "profile": String::from_utf8_lossy(it.profile.bytes()),
        }),
        Body::Machine(it) => machine(it),
        Body::Event(it) => event(it),
        Body::Continuation(it) => json!({ "offset": it.offset, "data": data(it.data.bytes()) }),
        Body::Call(it) => call(it),
        Body::Trap(it) => json!({
            "trap": it.code.name(),
            "code": it.code.number(),
            "component": hex::encode(&it.component),
        }),
        Body::OutOfFuel(it) => json!({ "budget": it.budget, "spent": it.spent }),
        Body::Exit(it) => json!({ "code": it.code, "pages": it.pages }),
        Body::StateRoot(it) => json!({
            "taken_for": match it.reason {
                RootReason::Exit => "exit",
                RootReason::Snapshot => "snapshot",
                RootReason::Manifest => "manifest",
            },
            "root": hex::encode(&it.root),
        }),
        Body::Guard(it) => json!({
            "store": it.store,
            "allowed": it.allowed,
            "component": hex::encode(&it.component),
            "fuel": it.fuel,
        }),
        Body::BudgetSpent(it) => json!({ "budget": "records", "limit": it.limit }),
    }
}

fn machine(facts: &MachineFacts) -> Value {
    json!({
        "nonce": facts.nonce.as_ref().map(|nonce| hex::encode(nonce)),
        "previous_checkpoint": digest(&facts.previous_checkpoint),
        "boot": hex::encode(&facts.boot_id),
        "kernel": digest(&facts.kernel),
        "loader": digest(&facts.loader),
        "trust": digest(&facts.trust),
        "device_key": hex::encode(&facts.device_key),
        "serial": facts.serial.to_string(),
        "arch": facts.arch.name(),
        "board": facts.board.name(),
        "flushes": facts.flags.contains(Flags::FLUSHES),
        "to_disk": facts.flags.contains(Flags::TO_DISK),
        "development_keys": facts.flags.contains(Flags::DEVELOPMENT_KEYS),
        "kernel_checked": facts.flags.contains(Flags::KERNEL_CHECKED),
    })
}

fn event(event: &Event<'_>) -> Value {
    let bytes = event.data.bytes();
    // What is longer goes on in continuations; the signature is at its end.
    let is_whole = bytes.len() as u64 == u64::from(event.total);
    let signed = SignedEvent::split(bytes).filter(|_| event.signed && is_whole);
    json!({
        "event": event.kind.name(),
        "type": event.kind.number(),
        "object": object_number(event.source),
        "length": event.total,
        "signed": event.signed,
        "data": data(signed.map_or(bytes, |signed| signed.data)),
        "signature": signed.map(|it| json!({
            "key": hex::encode(&it.key),
            "counter": it.counter.to_string(),
            "signature": hex::encode(&it.signature),
        })),
    })
}

fn call(call: &CallBody<'_>) -> Value {
    let operation = call.call.operation(call.operation);
    json!({
        "call": call.call.name(),
        "handle": handle(call.handle),
        "object": object_number(call.object),
        "badge": call.badge.to_string(),
        "operation": operation.map(operation_name),
        "operation_number": call.operation,
        "length": call.length,
        "argument": call.argument.to_string(),
        "argument_parts": parts(call, operation),
        "result": call.result.to_string(),
        "digest": digest(&call.digest),
        "tail": data(call.tail.bytes()),
    })
}

/// What the argument is made of, where it is more than one number.
fn parts(call: &CallBody<'_>, operation: Option<Operation>) -> Value {
    let low = call.argument as u32;
    let byte = (call.argument >> 32) as u8;
    match (call.call, operation) {
        (Call::CapGrant, Some(Operation::Grant)) => {
            let rights = Rights::from_bits(byte);
            let has = |(right, _): &&(Rights, &str)| rights.contains(*right);
            let names: Vec<_> = Rights::NAMED.iter().filter(has).map(|(_, name)| *name).collect();
            json!({ "to": handle(abi::Handle(low)), "rights": names })
        }
        (Call::QueueSend, Some(_)) => json!({ "type": low, "priority": byte }),
        (Call::SensorSubscribe, Some(_)) => json!({ "queue": handle(abi::Handle(low)) }),
        _ => Value::Null,
    }
}

fn handle(handle: abi::Handle) -> Value {
    json!({ "number": handle.0, "slot": handle.slot(), "generation": handle.generation() })
}

fn object_number(number: u32) -> Option<u32> {
    (number != NO_OBJECT).then_some(number)
}

/// A digest; none where it is zero, which stands for nothing.
fn digest(hash: &Hash) -> Option<String> {
    (*hash != [0; 32]).then(|| hex::encode(hash))
}

/// Bytes in hexadecimal, and as text where they are text; none for no bytes.
fn data(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    json!({ "hex": hex::encode(bytes), "text": core::str::from_utf8(bytes).ok() })
}

/// An operation as FORMAT.md calls it: `by-key`.
fn operation_name(operation: Operation) -> String {
    let mut name = String::new();
    for c in format!("{operation:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
