//! JSON without floats, in the canonical form of RFC 8785.
//!
//! Manifests are signed as text, so there must be one text for one content:
//! keys in order of their UTF-16 code units, no blanks, the shortest escapes.
//! Numbers are integers that every JSON reader holds exactly; counters that
//! may be larger are strings of decimal digits.

mod fields;
mod parse;
mod write;

pub use fields::{FieldError, Fields};
pub use parse::{DEPTH_MAX, JsonError, parse, parse_canonical};

use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

/// Largest integer that a double, and so every JSON reader, holds exactly
/// along with its neighbours: 2^53 - 1.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// An integer between `-INTEGER_MAX` and [`INTEGER_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integer(i64);

impl Integer {
    /// The integer, unless it is too large.
    pub const fn new(value: i64) -> Option<Self> {
        if -INTEGER_MAX <= value && value <= INTEGER_MAX { Some(Self(value)) } else { None }
    }

    /// The value.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are JSON's own")]
pub enum Value {
    Null,
    Bool(bool),
    Integer(Integer),
    String(String),
    Array(Vec<Value>),
    Object(Object),
}

/// A JSON object: every key once, in canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// An object without members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The object with one more member; a member of that name is replaced.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        match self.place(key) {
            Ok(at) => self.0[at].1 = value.into(),
            Err(at) => self.0.insert(at, (key.into(), value.into())),
        }
        self
    }

    /// An object of these members; where the second of one name is, if there
    /// are two. Each comes with where it is.
    fn of(mut members: Vec<(usize, String, Value)>) -> Result<Self, usize> {
        members.sort_by(|(_, one, _), (_, other, _)| order(one, other));
        let twice = members.windows(2).filter(|pair| pair[0].1 == pair[1].1).map(|pair| pair[1].0);
        match twice.min() {
            Some(at) => Err(at),
            None => Ok(Self(members.into_iter().map(|(_, key, value)| (key, value)).collect())),
        }
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| order(other, key))
    }

    /// The member of that name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.place(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// All members, in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Canonical order of keys (RFC 8785, 3.2.3).
fn order(one: &str, other: &str) -> Ordering {
    one.encode_utf16().cmp(other.encode_utf16())
}

impl Value {
    /// A counter as a string of decimal digits.
    pub fn decimal(value: u64) -> Self {
        Self::String(alloc::format!("{value}"))
    }

    /// Bytes as a string of lower-case hexadecimal digits.
    pub fn hex(bytes: &[u8]) -> Self {
        Self::String(crate::hex::encode(bytes))
    }

    /// The value, if it is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The value, if it is an integer.
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(value.get()) } else { None }
    }

    /// The value, if it is an integer and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_integer().and_then(|value| u64::try_from(value).ok())
    }

    /// The value, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The number, if it is a string that holds one as [`Value::decimal`]
    /// writes it.
    pub fn as_decimal(&self) -> Option<u64> {
        decimal(self.as_str()?)
    }

    /// The bytes, if it is a string of `2 N` lower-case hexadecimal digits.
    pub fn as_hex<const N: usize>(&self) -> Option<[u8; N]> {
        crate::hex::decode(self.as_str()?)
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(value) = self { Some(value) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(value) = self { Some(value) } else { None }
    }

    /// The member of that name, if it is an object that has one.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }
}

/// The number that `text` spells in decimal, without sign or leading zeros.
pub fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
    let is_shortest = text == "0" || !text.starts_with('0');
    if is_plain && is_shortest { text.parse().ok() } else { None }
}

macro_rules! from {
    ($($from:ty, |$value:ident| $into:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        })*
    };
}

from! {
    bool, |value| Self::Bool(value);
    i32, |value| Self::Integer(Integer(value.into()));
    u8, |value| Self::Integer(Integer(value.into()));
    u16, |value| Self::Integer(Integer(value.into()));
    u32, |value| Self::Integer(Integer(value.into()));
    Integer, |value| Self::Integer(value);
    &str, |value| Self::String(value.into());
    String, |value| Self::String(value);
    Vec<Value>, |value| Self::Array(value);
    Object, |value| Self::Object(value);
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self::Array(values.into_iter().collect())
    }
}
