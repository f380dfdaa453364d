//! Reading an object of which every member is known.

use super::{Object, Value};
use alloc::string::String;
use core::fmt;

/// Why an object is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// A member is missing.
    Missing(&'static str),
    /// A member has a value of the wrong type, or out of range.
    Wrong(&'static str),
    /// There is a member that nobody asked for.
    Unknown(String),
    /// The value is not an object.
    NotObject,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "\"{key}\" is missing"),
            Self::Wrong(key) => write!(f, "\"{key}\" has a wrong value"),
            Self::Unknown(key) => write!(f, "\"{key}\" is not known here"),
            Self::NotObject => f.write_str("not an object"),
        }
    }
}

impl core::error::Error for FieldError {}

/// Takes the members of an object, one after the other, in canonical order
/// of their names or any other; at the end, none may be left.
pub struct Fields<'a> {
    object: &'a Object,
    taken: alloc::vec::Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Begins to read a value that must be an object.
    pub fn of(value: &'a Value) -> Result<Self, FieldError> {
        let object = value.as_object().ok_or(FieldError::NotObject)?;
        Ok(Self { object, taken: alloc::vec::Vec::new() })
    }

    /// A member that may be missing.
    pub fn optional(&mut self, key: &'static str) -> Option<&'a Value> {
        self.taken.push(key);
        self.object.get(key)
    }

    /// A member, read as `read` does.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, FieldError> {
        let value = self.optional(key).ok_or(FieldError::Missing(key))?;
        read(value).ok_or(FieldError::Wrong(key))
    }

    /// A string.
    pub fn str(&mut self, key: &'static str) -> Result<&'a str, FieldError> {
        self.read(key, Value::as_str)
    }

    /// A boolean.
    pub fn bool(&mut self, key: &'static str) -> Result<bool, FieldError> {
        self.read(key, Value::as_bool)
    }

    /// An integer that is not negative.
    pub fn u64(&mut self, key: &'static str) -> Result<u64, FieldError> {
        self.read(key, Value::as_u64)
    }

    /// A counter as a string of decimal digits.
    pub fn decimal(&mut self, key: &'static str) -> Result<u64, FieldError> {
        self.read(key, Value::as_decimal)
    }

    /// Bytes as a string of hexadecimal digits.
    pub fn hex<const N: usize>(&mut self, key: &'static str) -> Result<[u8; N], FieldError> {
        self.read(key, Value::as_hex)
    }

    /// An array.
    pub fn array(&mut self, key: &'static str) -> Result<&'a [Value], FieldError> {
        self.read(key, Value::as_array)
    }

    /// An object.
    pub fn object(&mut self, key: &'static str) -> Result<&'a Object, FieldError> {
        self.read(key, Value::as_object)
    }

    /// Ends the reading; no member may be left.
    pub fn end(self) -> Result<(), FieldError> {
        match self.object.iter().find(|(key, _)| !self.taken.contains(key)) {
            Some((key, _)) => Err(FieldError::Unknown(key.into())),
            None => Ok(()),
        }
    }
}
