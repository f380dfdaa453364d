//! What the layer remembers for a task from call to call.

use super::{
    context::{File, file},
    errno::Errno,
};
use abi::Handle;
use alloc::{string::String, vec, vec::Vec};
use nucleus::{Nucleus, ObjectId, snapshot::saved};
use package::manifest::WasiEntry;
use witness::Subject;

/// Most descriptors open at once.
const DESCRIPTORS_MAX: usize = 64;

/// The descriptor of the one directory that is open from the start.
pub(super) const PREOPENED: u32 = 3;

/// Something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Descriptor {
    /// The console.
    Console,
    /// Something that is always at its end.
    Empty,
    /// The directory of regions.
    Directory,
    /// A region.
    File {
        handle: Handle,
        object: ObjectId,
        /// Where the next read begins.
        offset: u64,
    },
}

/// A task's part of the layer.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The seed of the run.
    pub(super) seed: u64,
    /// How many blocks of random bytes it was given.
    pub(super) blocks: u64,
    /// Arguments behind the program's name.
    pub(super) arguments: Vec<String>,
    /// Variables, each with name and value.
    pub(super) environment: Vec<String>,
    descriptors: Vec<Option<Descriptor>>,
}

saved!(enum Descriptor { 0 Console, 1 Empty, 2 Directory, 3 File { handle, object, offset } });
saved!(struct State { seed, blocks, arguments, environment, descriptors });

impl State {
    /// Of a task of which the manifest says nothing.
    pub(crate) fn new(seed: u64) -> Self {
        use Descriptor::{Console, Directory, Empty};
        Self {
            seed,
            blocks: 0,
            arguments: Vec::new(),
            environment: Vec::new(),
            descriptors: vec![Some(Empty), Some(Console), Some(Console), Some(Directory)],
        }
    }

    /// Takes in what the manifest says about a task that has just started.
    pub(crate) fn furnish(&mut self, entry: &WasiEntry, nucleus: &Nucleus, subject: Subject) {
        self.arguments.clone_from(&entry.args);
        self.environment.clone_from(&entry.env);
        let name = entry.stdin.as_deref();
        let input = name.and_then(|name| file(nucleus, subject, name));
        if let (Some(File { handle, object, .. }), Some(first)) =
            (input, self.descriptors.first_mut())
        {
            *first = Some(Descriptor::File { handle, object, offset: 0 });
        }
    }

    /// What is open under a number.
    ///
    /// # Errors
    /// [`Errno::BADF`].
    pub(super) fn descriptor(&self, number: u32) -> Result<Descriptor, Errno> {
        let number = usize::try_from(number).map_err(|_| Errno::BADF)?;
        self.descriptors.get(number).copied().flatten().ok_or(Errno::BADF)
    }

    /// Opens something under the lowest number that is free.
    ///
    /// # Errors
    /// [`Errno::MFILE`].
    pub(super) fn open(&mut self, new: Descriptor) -> Result<u32, Errno> {
        let free = self.descriptors.iter().position(Option::is_none);
        let number = free.unwrap_or(self.descriptors.len());
        match self.descriptors.get_mut(number) {
            Some(place) => *place = Some(new),
            None if number < DESCRIPTORS_MAX => self.descriptors.push(Some(new)),
            None => return Err(Errno::MFILE),
        }
        u32::try_from(number).map_err(|_| Errno::MFILE)
    }

    /// Closes what is open under a number.
    ///
    /// # Errors
    /// [`Errno::BADF`].
    pub(super) fn close(&mut self, number: u32) -> Result<(), Errno> {
        self.descriptor(number)?;
        let number = usize::try_from(number).map_err(|_| Errno::BADF)?;
        if let Some(place) = self.descriptors.get_mut(number) {
            *place = None;
        }
        Ok(())
    }

    /// Moves the place where the next read of a file begins.
    pub(super) fn seek(&mut self, number: u32, to: u64) {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(Some(Descriptor::File { offset, .. })) = self.descriptors.get_mut(number) {
            *offset = to;
        }
    }
}
