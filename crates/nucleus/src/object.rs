//! Objects: what capabilities point at.

use crate::{partition::PartitionId, queue::Queue};
use abi::{Error, Kind};
use alloc::{string::String, sync::Arc, vec::Vec};
use witness::{Hash, Index, Subject};

/// Number of an object, in order of making. It stands in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId(pub u32);

impl ObjectId {
    /// The sink for console text.
    pub const CONSOLE: Self = Self(0);
    /// What is typed at the console.
    pub const CONSOLE_INPUT: Self = Self(1);
    /// The witness log.
    pub const LOG: Self = Self(2);
    /// Logical time.
    pub const TIMER: Self = Self(3);
    /// The partition's allowance of bytes for regions.
    pub const MEMORY: Self = Self(4);
    /// Where packages are mounted.
    pub const NAMESPACE: Self = Self(5);
}

/// An object.
#[derive(Debug)]
pub struct Object {
    /// Its name; with the mount path in front unless the root package made it.
    pub name: String,
    /// The partition it belongs to; none for the machine's own objects.
    pub partition: Option<PartitionId>,
    /// The record of the call that made it; none for the machine's own.
    pub made_by: Option<Index>,
    /// What it is.
    pub body: Body,
}

/// What an object is.
#[derive(Debug)]
pub enum Body {
    /// A program.
    Component(Component),
    /// A queue of messages.
    Queue(Queue),
    /// Data, set once.
    Region(Arc<[u8]>),
    /// Logical time.
    Timer,
    /// The witness log.
    Log,
    /// An allowance of bytes.
    Memory,
    /// A place to mount packages under.
    Namespace,
    /// A task.
    Task(Subject),
}

/// A program.
#[derive(Clone, Debug)]
pub struct Component {
    /// The Wasm module.
    pub module: Arc<[u8]>,
    /// Its SHA-256.
    pub digest: Hash,
}

impl Body {
    /// The kind that a capability for it has.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Component(_) => Kind::Component,
            Self::Queue(_) => Kind::Queue,
            Self::Region(_) => Kind::Region,
            Self::Timer => Kind::Timer,
            Self::Log => Kind::Log,
            Self::Memory => Kind::Memory,
            Self::Namespace => Kind::Namespace,
            Self::Task(_) => Kind::Task,
        }
    }
}

/// Every object there is. None goes away yet.
#[derive(Debug, Default)]
pub(crate) struct Objects(Vec<Object>);

impl Objects {
    /// Makes one. Allocates: not for use inside the gate.
    pub(crate) fn add(&mut self, object: Object) -> ObjectId {
        let id = self.next();
        self.0.push(object);
        id
    }

    /// The number that the next object gets.
    pub(crate) fn next(&self) -> ObjectId {
        // Mounting bounds the number of objects far below this.
        ObjectId(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }

    /// The machine's own object of this name.
    pub(crate) fn well_known(name: &str) -> Option<ObjectId> {
        Some(match name {
            "console" => ObjectId::CONSOLE,
            "console-input" => ObjectId::CONSOLE_INPUT,
            "log" => ObjectId::LOG,
            "timer" => ObjectId::TIMER,
            "memory" => ObjectId::MEMORY,
            "packages" => ObjectId::NAMESPACE,
            _ => return None,
        })
    }

    pub(crate) fn get(&self, id: ObjectId) -> Option<&Object> {
        self.0.get(usize::try_from(id.0).ok()?)
    }

    pub(crate) fn get_mut(&mut self, id: ObjectId) -> Option<&mut Object> {
        self.0.get_mut(usize::try_from(id.0).ok()?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        (0u32..).map(ObjectId).zip(&self.0)
    }

    /// The component behind an authorised capability. Authorisation has
    /// compared kinds, so a mismatch is a capability that lies.
    pub(crate) fn component(&self, id: ObjectId) -> Result<&Component, Error> {
        match self.get(id).map(|object| &object.body) {
            Some(Body::Component(component)) => Ok(component),
            _ => Err(Error::WrongKind),
        }
    }

    pub(crate) fn region(&self, id: ObjectId) -> Result<&Arc<[u8]>, Error> {
        match self.get(id).map(|object| &object.body) {
            Some(Body::Region(bytes)) => Ok(bytes),
            _ => Err(Error::WrongKind),
        }
    }

    pub(crate) fn queue_mut(&mut self, id: ObjectId) -> Result<&mut Queue, Error> {
        match self.get_mut(id).map(|object| &mut object.body) {
            Some(Body::Queue(queue)) => Ok(queue),
            _ => Err(Error::WrongKind),
        }
    }
}
