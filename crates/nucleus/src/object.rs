//! Objects: what capabilities point at, in a table of slots.
//!
//! The number of an object is its slot and how often the slot was used
//! before, so a capability for an object that is no more fails by itself.

use crate::snapshot::{Reader, Saved, Writer, saved};
use crate::{
    partition::PartitionId,
    proof::Minted,
    queue::Queue,
    region::Region,
    rules::{Graph, Vectors},
    sensor::Sensor,
};
use abi::{Error, Kind, profile::OBJECTS};
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use witness::{Hash, Index, Subject};

/// Number of an object: its slot in the low 16 bits, in the high 16 how many
/// objects had the slot before. It stands in records.
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
    /// Signed proofs that came in as events.
    pub const APPROVALS: Self = Self(6);

    fn slot(self) -> usize {
        // The low half.
        usize::from(self.0 as u16)
    }

    fn reuse(self) -> u16 {
        (self.0 >> 16) as u16
    }
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
    holders: u32,
    /// Whether it goes at the end of the slice.
    is_doomed: bool,
}

impl Object {
    /// An object that nobody holds yet.
    pub(crate) fn new(
        name: String,
        partition: Option<PartitionId>,
        made_by: Option<Index>,
        body: Body,
    ) -> Self {
        Self { name, partition, made_by, body, holders: 0, is_doomed: false }
    }

    /// Capabilities for it: of tasks, of messages and of subscriptions.
    pub fn holders(&self) -> u32 {
        self.holders
    }
}

/// What an object is.
#[derive(Debug)]
pub enum Body {
    /// A program.
    Component(Component),
    /// A queue of messages.
    Queue(Queue),
    /// Data.
    Region(Region),
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
    /// Vectors by key.
    Vectors(Box<Vectors>),
    /// Nodes and edges.
    Graph(Box<Graph>),
    /// A source of readings.
    Sensor(Sensor),
    /// An approval, used once.
    Proof(Minted),
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
            Self::Vectors(_) => Kind::VectorStore,
            Self::Graph(_) => Kind::GraphStore,
            Self::Sensor(_) => Kind::Sensor,
            Self::Proof(_) => Kind::Proof,
        }
    }

    /// Bytes that it takes from the budget of who mounted its package.
    pub(crate) fn packaged_bytes(&self) -> u64 {
        match self {
            Self::Component(component) => u64::try_from(component.module.len()).unwrap_or(u64::MAX),
            Self::Queue(queue) => Queue::cost(u64::try_from(queue.capacity()).unwrap_or(u64::MAX)),
            Self::Region(region) if !region.is_created() => region.cost(),
            Self::Vectors(vectors) => vectors.store.bytes(),
            Self::Graph(graph) => graph.store.bytes(),
            _ => 0,
        }
    }

    /// Whether it goes away with its last capability. What a package or the
    /// machine made stays, and a task has its own end.
    fn is_held(&self) -> bool {
        match self {
            Self::Proof(_) => true,
            Self::Region(region) => region.is_created(),
            _ => false,
        }
    }
}

#[derive(Debug)]
struct Slot {
    reuse: u16,
    content: Option<Object>,
    /// While it is free: the next free one.
    next_free: Option<u16>,
}

/// The table is there from the start, so what is large is behind a box.
const _: () = assert!(size_of::<Slot>() <= 320);

/// Every object there is.
#[derive(Debug)]
pub(crate) struct Objects {
    slots: Box<[Slot]>,
    /// First of the slots that were used and are free again.
    free: Option<u16>,
    /// Slots that were ever used; those after are free too.
    used: usize,
    live: usize,
    /// Those that go at the end of the slice: each is here once.
    doomed: Box<[ObjectId]>,
    doomed_count: usize,
}

impl Objects {
    /// An empty table. All its memory is taken here.
    pub(crate) fn new() -> Self {
        let slot = || Slot { reuse: 0, content: None, next_free: None };
        let slots = core::iter::repeat_with(slot).take(OBJECTS).collect();
        let doomed = alloc::vec![ObjectId(0); OBJECTS].into();
        Self { slots, free: None, used: 0, live: 0, doomed, doomed_count: 0 }
    }

    /// Slots that are free. The last use of a slot is never made.
    pub(crate) fn room(&self) -> usize {
        self.slots.len().saturating_sub(self.live)
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn add(&mut self, object: Object) -> Result<ObjectId, Error> {
        let (id, place) = self.take()?;
        *place = Some(object);
        Ok(id)
    }

    /// Makes a proof: what the gate itself makes, without giving any memory
    /// back.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn add_proof(
        &mut self,
        minted: Minted,
        partition: Option<PartitionId>,
    ) -> Result<ObjectId, Error> {
        let (id, place) = self.take()?;
        let made_by = Some(minted.approval);
        let object = Object::new(String::new(), partition, made_by, Body::Proof(minted));
        // The place was empty.
        core::mem::forget(place.replace(object));
        Ok(id)
    }

    /// The next free place, and the number of what is put there.
    fn take(&mut self) -> Result<(ObjectId, &mut Option<Object>), Error> {
        let number = match self.free {
            Some(number) => number,
            None => u16::try_from(self.used).map_err(|_| Error::TableFull)?,
        };
        let slot = self.slots.get_mut(usize::from(number)).ok_or(Error::TableFull)?;
        if self.free.is_some() {
            self.free = slot.next_free.take();
        } else {
            self.used = self.used.saturating_add(1);
        }
        self.live = self.live.saturating_add(1);
        let id = ObjectId(u32::from(slot.reuse) << 16 | u32::from(number));
        Ok((id, &mut slot.content))
    }

    /// Takes one out of the table: every capability for it is dead.
    pub(crate) fn remove(&mut self, id: ObjectId) -> Option<Object> {
        let slot = self.slots.get_mut(id.slot()).filter(|slot| slot.reuse == id.reuse())?;
        let object = slot.content.take()?;
        slot.reuse = slot.reuse.saturating_add(1);
        if slot.reuse < u16::MAX {
            slot.next_free = self.free;
            self.free = u16::try_from(id.slot()).ok();
            self.live = self.live.saturating_sub(1);
        }
        Some(object)
    }

    /// Counts a capability for an object.
    pub(crate) fn hold(&mut self, id: ObjectId) {
        if let Some(object) = self.get_mut(id) {
            object.holders = object.holders.saturating_add(1);
        }
    }

    /// Counts one less. An object that goes with its last capability is then
    /// doomed.
    pub(crate) fn let_go(&mut self, id: ObjectId) {
        let Some(object) = self.get_mut(id) else { return };
        object.holders = object.holders.saturating_sub(1);
        if object.holders == 0 && object.body.is_held() {
            self.doom(id);
        }
    }

    /// Has an object go at the end of the slice: memory is not given back
    /// while a call is in the gate.
    pub(crate) fn doom(&mut self, id: ObjectId) {
        let Some(object) = self.get_mut(id) else { return };
        if !core::mem::replace(&mut object.is_doomed, true)
            && let Some(place) = self.doomed.get_mut(self.doomed_count)
        {
            *place = id;
            self.doomed_count = self.doomed_count.saturating_add(1);
        }
    }

    /// One of the doomed, out of the table.
    pub(crate) fn next_doomed(&mut self) -> Option<Object> {
        self.doomed_count = self.doomed_count.checked_sub(1)?;
        let id = self.doomed.get(self.doomed_count).copied()?;
        self.remove(id)
    }

    /// The sensor in the slot of this number.
    pub(crate) fn sensor_at(&self, number: usize) -> Option<ObjectId> {
        let slot = self.slots.get(number)?;
        let Body::Sensor(_) = slot.content.as_ref()?.body else { return None };
        Some(ObjectId(u32::from(slot.reuse) << 16 | u32::try_from(number).ok()?))
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
            "approvals" => ObjectId::APPROVALS,
            _ => return None,
        })
    }

    pub(crate) fn get(&self, id: ObjectId) -> Option<&Object> {
        let slot = self.slots.get(id.slot())?;
        if slot.reuse == id.reuse() { slot.content.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, id: ObjectId) -> Option<&mut Object> {
        let slot = self.slots.get_mut(id.slot())?;
        if slot.reuse == id.reuse() { slot.content.as_mut() } else { None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        let numbered = (0u32..).zip(self.slots.iter().take(self.used));
        numbered.filter_map(|(number, slot)| {
            let id = ObjectId(u32::from(slot.reuse) << 16 | number);
            Some((id, slot.content.as_ref()?))
        })
    }

    /// What a capability that was authorised points at. Authorisation has
    /// compared kinds, so a mismatch is a capability that lies.
    pub(crate) fn component(&self, id: ObjectId) -> Result<&Component, Error> {
        match self.get(id).map(|object| &object.body) {
            Some(Body::Component(component)) => Ok(component),
            _ => Err(Error::WrongKind),
        }
    }
}

macro_rules! accessors {
    ($($name:ident: $variant:ident($type:ty);)*) => {
        impl Objects {$(
            /// The same, to change.
            pub(crate) fn $name(&mut self, id: ObjectId) -> Result<&mut $type, Error> {
                match self.get_mut(id).map(|object| &mut object.body) {
                    Some(Body::$variant(body)) => Ok(body),
                    _ => Err(Error::WrongKind),
                }
            }
        )*}
    };
}

accessors! {
    queue_mut: Queue(Queue);
    region_mut: Region(Region);
    vectors_mut: Vectors(Vectors);
    graph_mut: Graph(Graph);
    sensor_mut: Sensor(Sensor);
    proof_mut: Proof(Minted);
}

saved!(new ObjectId);
saved!(struct Object { name, partition, made_by, body, holders, is_doomed });
saved!(enum Body {
    0 Component(it), 1 Queue(it), 2 Region(it), 3 Timer, 4 Log, 5 Memory, 6 Namespace, 7 Task(it),
    8 Vectors(it), 9 Graph(it), 10 Sensor(it), 11 Proof(it),
});
saved!(struct Component { module, digest });
saved!(struct Slot { reuse, content, next_free });

/// The slots that were ever used. Between slices nothing is doomed.
impl Saved for Objects {
    fn save(&self, to: &mut Writer<'_>) {
        to.list(self.slots.get(..self.used).unwrap_or_default());
        self.free.save(to);
        self.live.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let slots = Vec::<Slot>::load(from)?;
        let mut objects = Self::new();
        objects.used = slots.len();
        for (place, slot) in objects.slots.get_mut(..slots.len())?.iter_mut().zip(slots) {
            *place = slot;
        }
        (objects.free, objects.live) = Saved::load(from)?;
        Some(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer() -> Object {
        Object::new(String::new(), None, None, Body::Timer)
    }

    #[test]
    fn a_number_that_was_given_up_names_nothing_ever_again() {
        let mut objects = Objects::new();
        let first = objects.add(timer()).unwrap();
        let second = objects.add(timer()).unwrap();
        assert_eq!((first, second), (ObjectId(0), ObjectId(1)));
        objects.remove(first).unwrap();
        assert!(objects.get(first).is_none() && objects.remove(first).is_none());
        assert_eq!(objects.add(timer()), Ok(ObjectId(1 << 16)));
        assert!(objects.get(first).is_none());
    }

    #[test]
    fn a_full_table_says_so_and_takes_more_when_something_went() {
        let mut objects = Objects::new();
        while objects.room() > 0 {
            objects.add(timer()).unwrap();
        }
        assert_eq!(objects.add(timer()), Err(Error::TableFull));
        objects.remove(ObjectId(7)).unwrap();
        assert_eq!(objects.add(timer()), Ok(ObjectId(1 << 16 | 7)));
    }

    #[test]
    fn a_slot_whose_numbers_are_used_up_is_retired() {
        let mut objects = Objects::new();
        for reuse in 0..u32::from(u16::MAX) {
            let id = objects.add(timer()).unwrap();
            assert_eq!(id, ObjectId(reuse << 16));
            objects.remove(id).unwrap();
        }
        assert_eq!(objects.add(timer()), Ok(ObjectId(1)));
    }
}
