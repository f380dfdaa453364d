//! The commands, one file each.

pub(crate) mod challenge;
pub(crate) mod help;
pub(crate) mod info;
pub(crate) mod input;
pub(crate) mod power;
pub(crate) mod stop;
pub(crate) mod tasks;
pub(crate) mod witness;

use alloc::string::String;
use core::fmt;

use ::witness::hex::Hex;
use ::witness::json::{Integer, Value};

/// The beginning of a digest, enough to tell two apart in a table.
pub(crate) struct Short<'a>(pub(crate) &'a [u8; 32]);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0[..6]).fmt(f)
    }
}

/// A number, as one where JSON readers hold it exactly, else as a string.
pub(crate) fn number(value: u64) -> Value {
    let small = i64::try_from(value).ok().and_then(Integer::new);
    small.map_or_else(|| Value::decimal(value), Value::Integer)
}

/// A value that may be missing.
pub(crate) fn optional(value: Option<impl Into<Value>>) -> Value {
    value.map_or(Value::Null, Into::into)
}

/// `1 record`, `2 records`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    alloc::format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
