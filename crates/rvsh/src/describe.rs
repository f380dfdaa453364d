//! Records in words: names instead of numbers where the view knows them.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::{Display, Write};

use witness::hex::Hex;
use witness::record::{Body, CallBody, NO_OBJECT, Record, Verdict};

use nucleus::Nucleus;

use crate::view::object_name;

/// A record as a phrase: what was done, and how it ended.
pub(crate) fn in_words(nucleus: &Nucleus, record: &Record<'_>) -> String {
    let mut text = match &record.body {
        Body::Call(call) => call_in_words(nucleus, call),
        body => format!("{}{body}", record.kind().name()),
    };
    // Writing to a String does not fail.
    let _ = match record.verdict {
        Verdict::Allowed => Ok(()),
        Verdict::Denied(error) => write!(text, ": denied ({}): {error}", error.stage().name()),
        Verdict::CutShort => text.write_str(": cut short"),
    };
    text
}

fn call_in_words(nucleus: &Nucleus, call: &CallBody<'_>) -> String {
    let mut text = format!("{} {}", call.call.name(), object(nucleus, call));
    let _ = (|| {
        if let Some(operation) = operation(call) {
            write!(text, ", {operation}")?;
        }
        if call.length > 0 {
            write!(text, ", {} bytes", call.length)?;
        }
        if !call.tail.bytes().is_empty() {
            write!(text, ", \"{}\"", call.tail.bytes().escape_ascii())?;
        }
        if call.result != 0 {
            write!(text, " -> {}", call.result)?;
        }
        Ok::<(), core::fmt::Error>(())
    })();
    text
}

/// The object's name, or what is known instead.
fn object(nucleus: &Nucleus, call: &CallBody<'_>) -> String {
    match (call.object, object_name(nucleus, call.object)) {
        (NO_OBJECT, _) => "no object".into(),
        (_, Some(name)) => name.into(),
        (number, None) => format!("object {number}"),
    }
}

/// The operation, where the call has more than one or was given none it has.
fn operation(call: &CallBody<'_>) -> Option<String> {
    match call.call.operation(call.operation) {
        Some(abi::Operation::Plain) => None,
        Some(operation) => Some(format!("{operation:?}").to_ascii_lowercase()),
        None => Some(format!("operation {}", call.operation)),
    }
}

/// Shows every field of a body that has a meaning.
pub(crate) fn body(
    nucleus: &Nucleus,
    body: &Body<'_>,
    field: &mut dyn FnMut(&'static str, &dyn Display),
) {
    match body {
        Body::Genesis(it) => {
            field("package", &Hex(&it.package));
            field("seed", &it.seed);
            field("state root", &Hex(&it.state_root));
            field("profile", &it.profile.bytes().escape_ascii());
        }
        Body::Machine(it) => {
            field("arch", &it.arch.name());
            field("board", &it.board.name());
            field("boot", &Hex(&it.boot_id));
            match &it.nonce {
                Some(nonce) => field("nonce", &Hex(nonce)),
                None => field("nonce", &"none was given"),
            }
            field("previous checkpoint", &Hex(&it.previous_checkpoint));
            field("kernel", &Hex(&it.kernel));
            field("loader", &Hex(&it.loader));
            field("trust file", &Hex(&it.trust));
            field("device key", &Hex(&it.device_key));
            if it.serial != 0 {
                field("serial number", &format_args!("{:016x}", it.serial));
            }
        }
        Body::Event(it) => {
            field("event", &it.kind.name());
            field("signed", &if it.signed { "by an operator" } else { "no" });
            field("length", &format_args!("{} bytes", it.total));
            field("data", &it.data.bytes().escape_ascii());
        }
        Body::Continuation(it) => {
            field("offset", &it.offset);
            field("data", &it.data.bytes().escape_ascii());
        }
        Body::Call(it) => call_fields(nucleus, it, field),
        Body::Trap(it) => {
            field("trap", &it.code.name());
            field("component", &Hex(&it.component));
        }
        Body::OutOfFuel(it) => {
            field("budget", &it.budget);
            field("spent", &it.spent);
        }
        Body::Exit(it) => {
            field("code", &it.code);
            field("memory", &format_args!("{} pages of 64 KiB", it.pages));
        }
        Body::StateRoot(it) => {
            field("taken for", &format!("{:?}", it.reason).to_ascii_lowercase());
            field("state root", &Hex(&it.root));
        }
        Body::Guard(it) => {
            field("store", &object_name(nucleus, it.store).unwrap_or("without a name"));
            field("decision", &if it.allowed { "allowed" } else { "refused" });
            field("component", &Hex(&it.component));
            field("guard's fuel", &it.fuel);
        }
        Body::BudgetSpent(it) => {
            field("budget", &format!("{:?}", it.budget).to_ascii_lowercase());
            field("limit", &it.limit);
        }
    }
}

fn call_fields(
    nucleus: &Nucleus,
    call: &CallBody<'_>,
    field: &mut dyn FnMut(&'static str, &dyn Display),
) {
    let handle = call.handle;
    field("handle", &format_args!("slot {}, generation {}", handle.slot(), handle.generation()));
    match call.object {
        NO_OBJECT => field("object", &"none: the handle names none"),
        number => match object_name(nucleus, number) {
            Some(name) => field("object", &format_args!("{name} (number {number})")),
            None => field("object", &format_args!("number {number}, which has no name")),
        },
    }
    if call.badge != 0 {
        field("badge", &call.badge);
    }
    field("operation", &operation(call).unwrap_or_else(|| "plain".to_string()));
    field("length", &format_args!("{} bytes", call.length));
    field("argument", &call.argument);
    field("result", &call.result);
    if call.digest != [0; 32] {
        field("digest", &Hex(&call.digest));
    }
    if !call.tail.bytes().is_empty() {
        field("text", &call.tail.bytes().escape_ascii());
    }
}
