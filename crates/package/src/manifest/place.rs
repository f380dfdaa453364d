//! Where in a manifest something is, for refusals that name it.
//!
//! Places are linked through the stack frames of the reader and become text
//! only when something is refused.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use witness::json::{Object as JsonObject, Value};

use crate::error::{Object, PackageError, Reason, Stage};

/// A place, by way of the places around it.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Element(&'p Place<'p>, usize),
}

impl Place<'_> {
    pub(super) fn member<'p>(&'p self, key: &'p str) -> Place<'p> {
        Place::Member(self, key)
    }

    pub(super) fn element(&self, at: usize) -> Place<'_> {
        Place::Element(self, at)
    }

    pub(super) fn refuse(&self, reason: Reason) -> PackageError {
        Stage::Manifest.refuse(Object::Manifest(self.to_string()), reason)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Place::Root, key) => f.write_str(key),
            Self::Member(object, key) => write!(f, "{object}.{key}"),
            Self::Element(array, at) => write!(f, "{array}[{at}]"),
        }
    }
}

/// An object that has exactly the members it must have.
pub(super) struct Members<'v, 'p> {
    object: &'v JsonObject,
    place: &'p Place<'p>,
}

impl<'v, 'p> Members<'v, 'p> {
    /// The object in `value`; refuses a member that is not in `known`.
    pub(super) fn of(
        value: &'v Value,
        place: &'p Place<'p>,
        known: &[&str],
    ) -> Result<Self, PackageError> {
        let object = value.as_object().ok_or_else(|| place.refuse(Reason::WrongType))?;
        if let Some((key, _)) = object.iter().find(|(key, _)| !known.contains(key)) {
            // Whoever wrote the key may have meant harm to a terminal.
            let shown: String = key.escape_default().take(abi::NAME_MAX).collect();
            return Err(place.member(&shown).refuse(Reason::UnknownMember));
        }
        Ok(Self { object, place })
    }

    /// The member `key`, if it is there.
    pub(super) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value, &Place) -> Result<T, PackageError>,
    ) -> Result<Option<T>, PackageError> {
        let place = self.place.member(key);
        self.object.get(key).map(|value| read(value, &place)).transpose()
    }

    /// The member `key`; refuses it where it says what its absence says, so
    /// that there is one way to say it.
    pub(super) fn or_default<T: PartialEq>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Value, &Place) -> Result<T, PackageError>,
    ) -> Result<T, PackageError> {
        match self.optional(key, read)? {
            Some(value) if value == default => {
                Err(self.place.member(key).refuse(Reason::DefaultPresent))
            }
            Some(value) => Ok(value),
            None => Ok(default),
        }
    }

    /// The member `key`, as `read` reads it.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value, &Place) -> Result<T, PackageError>,
    ) -> Result<T, PackageError> {
        let place = self.place.member(key);
        let value = self.object.get(key).ok_or_else(|| place.refuse(Reason::MissingMember))?;
        read(value, &place)
    }
}

/// Refuses unless `holds`; the place is only spelled out for a refusal.
pub(super) fn ensure(
    holds: bool,
    reason: Reason,
    place: impl FnOnce() -> String,
) -> Result<(), PackageError> {
    if holds { Ok(()) } else { Err(Stage::Manifest.refuse(Object::Manifest(place()), reason)) }
}

/// A place with the name that stands there, which must be a checked one.
pub(super) fn named(place: &str, name: &str) -> String {
    format!("{place} \"{name}\"")
}
