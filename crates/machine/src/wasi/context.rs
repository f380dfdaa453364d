//! What a function has at hand: the caller's memory to read, what the caller
//! holds, and what it has open. Nothing can be changed here but the last.

use super::{errno::Errno, state::State};
use crate::guest::GuestSlice;
use abi::{Handle, Kind, Rights};
use alloc::vec::Vec;
use nucleus::{Nucleus, ObjectId, Task, capability::Capability, view::Body};
use witness::Subject;

/// Most buffers in one call, as in POSIX.
const VECTORS_MAX: u32 = 1_024;

/// Bytes of a buffer's description: pointer and length.
const VECTOR_BYTES: u32 = 8;

/// The surroundings of a call.
pub(super) struct Context<'a> {
    pub(super) nucleus: &'a Nucleus,
    pub(super) subject: Subject,
    pub(super) state: &'a mut State,
    pub(super) memory: &'a [u8],
}

/// A region that the caller may read.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) handle: Handle,
    pub(super) object: ObjectId,
    pub(super) name: &'a str,
}

impl<'a> Context<'a> {
    pub(super) fn task(&self) -> Option<&'a Task> {
        self.nucleus.task(self.subject)
    }

    /// Bytes of the caller's memory.
    ///
    /// # Errors
    /// [`Errno::FAULT`].
    pub(super) fn read(&self, pointer: u32, length: u32) -> Result<&'a [u8], Errno> {
        GuestSlice { pointer, length }.read(self.memory).map_err(Errno::from)
    }

    /// That there is room for an answer here, before anything is done for it.
    ///
    /// # Errors
    /// [`Errno::FAULT`].
    pub(super) fn room(&self, pointer: u32, length: u32) -> Result<(), Errno> {
        self.read(pointer, length).map(|_| ())
    }

    /// The buffers that `count` descriptions name, each inside of memory.
    ///
    /// # Errors
    /// [`Errno::FAULT`]; [`Errno::INVAL`] for too many.
    pub(super) fn vectors(&self, pointer: u32, count: u32) -> Result<Vec<GuestSlice>, Errno> {
        if count > VECTORS_MAX {
            return Err(Errno::INVAL);
        }
        let (words, _) = self.read(pointer, count * VECTOR_BYTES)?.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        let slice = |[pointer, length]: &[[u8; 4]; 2]| {
            let (pointer, length) = (u32::from_le_bytes(*pointer), u32::from_le_bytes(*length));
            self.room(pointer, length)?;
            Ok(GuestSlice { pointer, length })
        };
        pairs.iter().map(slice).collect()
    }

    /// The handle by which the caller may write to the console.
    ///
    /// # Errors
    /// [`Errno::NOTCAPABLE`].
    pub(super) fn console(&self) -> Result<Handle, Errno> {
        let mut held = held(self.nucleus, self.subject, Kind::Queue, Rights::WRITE);
        let console = held.find(|(_, held)| held.object == ObjectId::CONSOLE);
        console.map(|(handle, _)| handle).ok_or(Errno::NOTCAPABLE)
    }

    /// The handle by which the caller may wait for a time.
    ///
    /// # Errors
    /// [`Errno::NOTCAPABLE`].
    pub(super) fn timer(&self) -> Result<Handle, Errno> {
        let timer = held(self.nucleus, self.subject, Kind::Timer, Rights::READ).next();
        timer.map(|(handle, _)| handle).ok_or(Errno::NOTCAPABLE)
    }

    /// The files that there are for the caller.
    pub(super) fn files(&self) -> Vec<File<'a>> {
        files(self.nucleus, self.subject)
    }

    /// The one of them with this name.
    pub(super) fn file(&self, name: &str) -> Option<File<'a>> {
        file(self.nucleus, self.subject, name)
    }
}

/// What a task holds of a kind, with a right.
fn held(
    nucleus: &Nucleus,
    subject: Subject,
    kind: Kind,
    right: Rights,
) -> impl Iterator<Item = (Handle, &Capability)> {
    let all = nucleus.task(subject).into_iter().flat_map(|task| task.space.iter());
    all.filter(move |(_, held)| held.kind == kind && held.rights.contains(right))
}

/// The regions that a task may read and whose content cannot change, by
/// handle.
fn regions(nucleus: &Nucleus, subject: Subject) -> impl Iterator<Item = File<'_>> {
    held(nucleus, subject, Kind::Region, Rights::READ).filter_map(|(handle, held)| {
        let object = nucleus.object(held.object)?;
        match &object.body {
            Body::Region(region) => region.content()?,
            _ => return None,
        };
        // Those of a mounted package have its path before their name.
        let name = object.name.rsplit('/').next()?;
        Some(File { handle, object: held.object, name })
    })
}

/// Those by which a task has its files: of two with one name, the first.
fn files(nucleus: &Nucleus, subject: Subject) -> Vec<File<'_>> {
    let mut files: Vec<File<'_>> = Vec::new();
    for region in regions(nucleus, subject) {
        if files.iter().all(|file| file.name != region.name) {
            files.push(region);
        }
    }
    files
}

/// The one of them with this name.
pub(super) fn file<'n>(nucleus: &'n Nucleus, subject: Subject, name: &str) -> Option<File<'n>> {
    regions(nucleus, subject).find(|file| file.name == name)
}
