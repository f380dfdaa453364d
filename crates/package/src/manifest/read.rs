//! From a manifest's bytes to its members, each of the type it must have.

use alloc::string::String;
use alloc::vec::Vec;

use abi::{Kind, Rights};
use witness::json::{self, JsonError, Value};

use super::place::{Members, Place};
use super::{
    CapabilityEntry, FORMAT, Limits, MANIFEST_BYTES_MAX, Manifest, PartEntry, QueueEntry,
    SensorEntry, StandingApproval, TaskEntry, TaskKind, store, wasi,
};
use crate::error::{PackageError, Reason};

pub(super) type Read<T> = Result<T, PackageError>;

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Anything that is not the canonical form of a manifest that keeps every
    /// rule; the refusal says where.
    pub fn parse(bytes: &[u8]) -> Read<Self> {
        let root = Place::Root;
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(root.refuse(Reason::ManifestTooLarge));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| root.refuse(Reason::NotJson))?;
        let value = json::parse_canonical(text).map_err(|error| root.refuse(json_reason(error)))?;
        let manifest = read_manifest(&value, &root)?;
        manifest.check()?;
        Ok(manifest)
    }
}

fn json_reason(error: JsonError) -> Reason {
    match error {
        JsonError::Syntax(_) | JsonError::End | JsonError::String(_) => Reason::NotJson,
        JsonError::Number(_) => Reason::BadNumber,
        JsonError::DuplicateKey(_) => Reason::DuplicateMember,
        JsonError::Depth(_) => Reason::TooDeep,
        JsonError::NotCanonical => Reason::NotCanonical,
    }
}

fn read_manifest(value: &Value, root: &Place) -> Read<Manifest> {
    // Before all else, for another format may have other members.
    let format = value.get("format").and_then(Value::as_integer);
    if format.is_some_and(|format| u64::try_from(format) != Ok(FORMAT)) {
        return Err(root.member("format").refuse(Reason::UnknownFormat));
    }
    let members = Members::of(
        value,
        root,
        &[
            "components",
            "format",
            "graph_stores",
            "limits",
            "name",
            "queues",
            "regions",
            "seed",
            "sensors",
            "standing_approvals",
            "state_roots",
            "tasks",
            "vector_stores",
            "version",
        ],
    )?;
    members.read("format", integer)?;
    Ok(Manifest {
        components: members.list("components", part)?,
        graph_stores: members.list_or_none("graph_stores", store::read_graph_store)?,
        limits: members.read("limits", limits)?,
        name: members.read("name", string)?,
        queues: members.list("queues", queue)?,
        regions: members.list("regions", part)?,
        seed: members.read("seed", counter)?,
        sensors: members.list_or_none("sensors", sensor)?,
        standing_approvals: members.list("standing_approvals", standing_approval)?,
        state_roots: members.optional("state_roots", integer)?,
        tasks: members.list("tasks", task)?,
        vector_stores: members.list_or_none("vector_stores", store::read_vector_store)?,
        version: members.read("version", integer)?,
    })
}

fn limits(value: &Value, place: &Place) -> Read<Limits> {
    let members = Members::of(value, place, &["fuel", "memory", "records", "share"])?;
    Ok(Limits {
        fuel: members.read("fuel", counter)?,
        memory: members.read("memory", integer)?,
        records: members.read("records", counter)?,
        share: members.or_default("share", Limits::DEFAULT_SHARE, small)?,
    })
}

fn part(value: &Value, place: &Place) -> Read<PartEntry> {
    let members = Members::of(value, place, &["name", "segment", "sha256"])?;
    Ok(PartEntry {
        name: members.read("name", string)?,
        segment: members.read("segment", integer)?,
        sha256: members.read("sha256", digest)?,
    })
}

fn queue(value: &Value, place: &Place) -> Read<QueueEntry> {
    let members = Members::of(value, place, &["accepts", "capacity_bytes", "name"])?;
    Ok(QueueEntry {
        accepts: members.optional("accepts", small)?,
        capacity_bytes: members.read("capacity_bytes", integer)?,
        name: members.read("name", string)?,
    })
}

fn sensor(value: &Value, place: &Place) -> Read<SensorEntry> {
    let members = Members::of(value, place, &["name"])?;
    Ok(SensorEntry { name: members.read("name", string)? })
}

fn standing_approval(value: &Value, place: &Place) -> Read<StandingApproval> {
    let members = Members::of(value, place, &["claim_types", "max_bytes", "max_claims"])?;
    Ok(StandingApproval {
        claim_types: members.list("claim_types", small)?,
        max_bytes: members.read("max_bytes", integer)?,
        max_claims: members.read("max_claims", integer)?,
    })
}

fn task(value: &Value, place: &Place) -> Read<TaskEntry> {
    let members = Members::of(
        value,
        place,
        &[
            "capabilities",
            "component",
            "deadline",
            "fuel",
            "kind",
            "memory",
            "name",
            "priority",
            "wasi",
        ],
    )?;
    Ok(TaskEntry {
        capabilities: members.list("capabilities", capability)?,
        component: members.read("component", string)?,
        deadline: members.read("deadline", |value, place| match value {
            Value::Null => Ok(None),
            value => counter(value, place).map(Some),
        })?,
        fuel: members.read("fuel", counter)?,
        kind: members.read("kind", |value, place| word(value, place, TaskKind::from_name))?,
        memory: members.read("memory", small)?,
        name: members.read("name", string)?,
        priority: members.read("priority", small)?,
        wasi: members.optional("wasi", wasi::read_wasi)?,
    })
}

fn capability(value: &Value, place: &Place) -> Read<CapabilityEntry> {
    let members = Members::of(value, place, &["kind", "name", "rights"])?;
    let rights = members.list("rights", |value, place| word(value, place, Rights::from_name))?;
    if !rights.is_sorted_by(|a, b| a.bits() < b.bits()) {
        return Err(place.member("rights").refuse(Reason::NotSorted));
    }
    Ok(CapabilityEntry {
        kind: members.read("kind", |value, place| word(value, place, Kind::from_name))?,
        name: members.read("name", string)?,
        rights: rights.into_iter().fold(Rights::NONE, |all, right| all | right),
    })
}

fn text<'v>(value: &'v Value, place: &Place) -> Read<&'v str> {
    value.as_str().ok_or_else(|| place.refuse(Reason::WrongType))
}

pub(super) fn string(value: &Value, place: &Place) -> Read<String> {
    text(value, place).map(String::from)
}

/// One of the words that `from_name` knows.
pub(super) fn word<T>(value: &Value, place: &Place, from_name: fn(&str) -> Option<T>) -> Read<T> {
    from_name(text(value, place)?).ok_or_else(|| place.refuse(Reason::UnknownWord))
}

/// An integer from 0 to 2^53 - 1, which is all that the JSON parser lets in.
fn integer(value: &Value, place: &Place) -> Read<u64> {
    let integer = value.as_integer().ok_or_else(|| place.refuse(Reason::WrongType))?;
    u64::try_from(integer).map_err(|_| place.refuse(Reason::OutOfRange))
}

/// An integer that fits into `T`.
pub(super) fn small<T: TryFrom<u64>>(value: &Value, place: &Place) -> Read<T> {
    T::try_from(integer(value, place)?).map_err(|_| place.refuse(Reason::OutOfRange))
}

fn counter(value: &Value, place: &Place) -> Read<u64> {
    let digits = text(value, place)?;
    json::decimal(digits).ok_or_else(|| place.refuse(Reason::BadCounter))
}

pub(super) fn digest(value: &Value, place: &Place) -> Read<[u8; 32]> {
    text(value, place)?;
    value.as_hex().ok_or_else(|| place.refuse(Reason::BadDigest))
}

/// Reads of whole arrays, which only differ in how an element is read.
impl Members<'_, '_> {
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Value, &Place) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.read(key, |value, place| elements(value, place, read))
    }

    /// The same, where none is said by leaving the array out.
    pub(super) fn list_or_none<T: PartialEq>(
        &self,
        key: &'static str,
        read: impl Fn(&Value, &Place) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.or_default(key, Vec::new(), |value, place| elements(value, place, read))
    }
}

fn elements<T>(
    array: &Value,
    place: &Place,
    read: impl Fn(&Value, &Place) -> Read<T>,
) -> Read<Vec<T>> {
    let elements = array.as_array().ok_or_else(|| place.refuse(Reason::WrongType))?;
    (0..).zip(elements).map(|(at, value)| read(value, &place.element(at))).collect()
}
