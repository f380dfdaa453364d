//! What a task is told through WASI: arguments, variables, standard input.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use abi::{Kind, Rights};
use witness::json::Value;

use super::place::{Members, Place, ensure, named};
use super::read::{Read, string};
use super::{CapabilityEntry, check};
use crate::error::{PackageError, Reason};

/// Most arguments, and most variables.
pub const WASI_STRINGS_MAX: usize = 256;

/// What a task is told through WASI. It says something: one that says
/// nothing is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WasiEntry {
    /// Arguments behind the task's name, which is the first.
    pub args: Vec<String>,
    /// Variables, each `NAME=value`.
    pub env: Vec<String>,
    /// Name of the region that is standard input, which the task may read.
    pub stdin: Option<String>,
}

pub(super) fn read_wasi(value: &Value, place: &Place) -> Read<WasiEntry> {
    let members = Members::of(value, place, &["args", "env", "stdin"])?;
    let entry = WasiEntry {
        args: members.list_or_none("args", string)?,
        env: members.list_or_none("env", string)?,
        stdin: members.optional("stdin", string)?,
    };
    match entry == WasiEntry::default() {
        true => Err(place.refuse(Reason::DefaultPresent)),
        false => Ok(entry),
    }
}

impl WasiEntry {
    pub(super) fn check(
        &self,
        place: &str,
        capabilities: &[CapabilityEntry],
    ) -> Result<(), PackageError> {
        for (member, strings) in [("args", &self.args), ("env", &self.env)] {
            let member = format!("{place}.{member}");
            ensure(strings.len() <= WASI_STRINGS_MAX, Reason::TooMany, || member.clone())?;
            for (at, text) in strings.iter().enumerate() {
                // It ends at the first zero when a program sees it.
                ensure(!text.contains('\0'), Reason::OutOfRange, || format!("{member}[{at}]"))?;
            }
        }
        for (at, variable) in self.env.iter().enumerate() {
            let has_name = variable.find('=').is_some_and(|at| at > 0);
            ensure(has_name, Reason::BadName, || format!("{place}.env[{at}]"))?;
        }
        let Some(stdin) = &self.stdin else { return Ok(()) };
        let member = format!("{place}.stdin");
        check::name(stdin, || member.clone())?;
        let is_it = |it: &CapabilityEntry| {
            it.kind == Kind::Region && it.name == *stdin && it.rights.contains(Rights::READ)
        };
        ensure(capabilities.iter().any(is_it), Reason::NoSuchObject, || named(&member, stdin))
    }
}
