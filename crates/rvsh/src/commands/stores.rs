//! What `vectors` and `graphs` share: finding a store, its rules, who wrote.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::hex::Hex;
use ::witness::json::{Object as Fields, Value};
use ::witness::{Hash, Subject};
use nucleus::view::{Body, Object, Rules};
use nucleus::{Nucleus, ObjectId};

use crate::answer::Refusal;
use crate::table::Table;
use crate::units::Bytes;
use crate::view::{object_name, subject_label};

/// The stores that `pick` picks, by number.
pub(crate) fn all<'a, T: 'a>(
    nucleus: &'a Nucleus,
    pick: impl Fn(&'a Body) -> Option<&'a T>,
) -> impl Iterator<Item = (ObjectId, &'a Object, &'a T)> {
    nucleus.objects().filter_map(move |(id, object)| Some((id, object, pick(&object.body)?)))
}

/// The store of this name. `what` is what a user calls it.
pub(crate) fn find<'a, T: 'a>(
    nucleus: &'a Nucleus,
    what: &str,
    name: &str,
    pick: impl Fn(&'a Body) -> Option<&'a T>,
) -> Result<(&'a Object, &'a T), Refusal> {
    let found = all(nucleus, &pick).find(|(_, object, _)| object.name == name);
    found.map(|(_, object, store)| (object, store)).ok_or_else(|| {
        let names: Vec<&str> = all(nucleus, pick).map(|(_, it, _)| it.name.as_str()).collect();
        let name = crate::command::shown(name);
        Refusal(match names[..] {
            [] => format!("There is no {what} `{name}`: there is none at all."),
            _ => format!("There is no {what} `{name}`; there is: {}.", names.join(", ")),
        })
    })
}

/// A key in decimal digits, or in hexadecimal ones after 0x.
pub(crate) fn key(text: &str) -> Result<u64, Refusal> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
        _ => witness::json::decimal(text),
    };
    parsed.ok_or_else(|| {
        let shown = crate::command::shown(text);
        Refusal(format!("`{shown}` is no key: a key is a number below 2^64, or 0x and its digits."))
    })
}

/// What a store's changes need, and what it is committed to by.
pub(crate) fn rules_pairs(
    nucleus: &Nucleus,
    table: &mut Table,
    rules: &Rules,
    root: &Hash,
    bytes: u64,
) {
    table.pair("memory", Bytes(bytes));
    table.pair("changes", format_args!("need a proof of tier {} or higher", rules.tier.name()));
    for approver in &rules.approvers {
        let revoked = if approver.revoked { ", revoked" } else { "" };
        table.pair("approver", format_args!("{}{revoked}", Hex(&approver.key)));
    }
    if let Some(guard) = rules.guard {
        table.pair("guard", object_name(nucleus, guard.0).unwrap_or("a component that is gone"));
    }
    table.pair("id", Hex(&rules.id));
    table.pair("root", Hex(root));
}

/// The same for JSON.
pub(crate) fn rules_fields(
    nucleus: &Nucleus,
    fields: Fields,
    rules: &Rules,
    root: &Hash,
    bytes: u64,
) -> Fields {
    let approvers = rules.approvers.iter().map(|it| {
        Fields::new().with("key", Value::hex(&it.key)).with("revoked", it.revoked).into()
    });
    let guard = rules.guard.and_then(|guard| object_name(nucleus, guard.0));
    fields
        .with("approvers", approvers.collect::<Value>())
        .with("bytes", crate::commands::number(bytes))
        .with("guard", crate::commands::optional(guard))
        .with("id", Value::hex(&rules.id))
        .with("root", Value::hex(root))
        .with("tier", rules.tier.name())
}

/// Who wrote a slot last, with the number of the record in its chain.
pub(crate) fn written(nucleus: &Nucleus, subject: u32, sequence: u32) -> String {
    format!("{}, its record {sequence}", subject_label(nucleus, Subject(subject)))
}

/// The same for JSON.
pub(crate) fn written_fields(nucleus: &Nucleus, subject: u32, sequence: u32) -> Fields {
    Fields::new()
        .with("by", subject)
        .with("by_name", crate::view::subject_name(nucleus, Subject(subject)))
        .with("by_record", sequence)
}

/// A number as short as it can be exactly.
pub(crate) fn real(value: f32) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), ToString::to_string)
}
