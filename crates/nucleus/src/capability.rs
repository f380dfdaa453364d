//! Capabilities, and the space of them that each task has.
//!
//! A task names a capability by a handle: slot and generation. A slot that is
//! emptied gets the next generation, so what pointed at it fails by itself.
//! A derived capability remembers the slot it was derived from and that
//! slot's epoch; revoking raises the epoch, which costs one step however much
//! was derived, and a use looks at no more than
//! [`DERIVATION_DEPTH`](abi::profile::DERIVATION_DEPTH) ancestors.

use crate::object::ObjectId;
use abi::{Error, Handle, Kind, Rights};
use alloc::vec::Vec;
use witness::Subject;

/// Value of [`Capability::expiry`] for never.
pub const NEVER: u64 = u64::MAX;

/// Value of [`Capability::uses`] for any number.
pub const UNLIMITED: u32 = u32::MAX;

/// The right to do something with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The object.
    pub object: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// What the holder may do with it.
    pub rights: Rights,
    /// Tells the object's side who uses it.
    pub badge: u64,
    /// Raised by revoking; what was derived under a lower one is dead.
    pub epoch: u32,
    /// Logical time in ns from which it is dead.
    pub expiry: u64,
    /// How many calls it is still good for.
    pub uses: u32,
    /// What it was derived from.
    pub parent: Option<Link>,
    /// How often it was derived, 0 for an original.
    pub depth: u8,
}

/// Where a capability was derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose space the parent is in.
    pub holder: Subject,
    /// The parent.
    pub handle: Handle,
    /// The parent's epoch at that time.
    pub epoch: u32,
}

impl Capability {
    /// An original: not derived, never expires, any number of uses.
    pub fn original(object: ObjectId, kind: Kind, rights: Rights) -> Self {
        Self {
            object,
            kind,
            rights,
            badge: 0,
            epoch: 0,
            expiry: NEVER,
            uses: UNLIMITED,
            parent: None,
            depth: 0,
        }
    }

    /// What its holder passes on at a spawn: the same, one deeper, less the
    /// right to pass it on again. All uses that are left go with it.
    ///
    /// # Errors
    /// [`Error::MissingRight`] without [`Rights::GRANT`], [`Error::TooDeep`].
    pub(crate) fn pass_on(&self, holder: Subject, handle: Handle) -> Result<Self, Error> {
        if !self.rights.contains(Rights::GRANT) {
            return Err(Error::MissingRight);
        }
        if self.depth >= abi::profile::DERIVATION_DEPTH {
            return Err(Error::TooDeep);
        }
        let kept = !Rights::GRANT.bits() & 0x7f;
        let rights = Rights::from_bits(self.rights.bits() & kept).unwrap_or(Rights::NONE);
        let parent = Some(Link { holder, handle, epoch: self.epoch });
        Ok(Self { rights, epoch: 0, parent, depth: self.depth.saturating_add(1), ..*self })
    }
}

/// The capabilities of one task.
#[derive(Debug)]
pub struct Space {
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    generation: u16,
    content: Option<Capability>,
}

impl Slot {
    /// Whether something can be put in. The last generation is never used, so
    /// that no handle ever comes back to life.
    fn is_free(&self) -> bool {
        self.content.is_none() && self.generation < u16::MAX
    }
}

impl Space {
    /// An empty space of so many slots, at most 65,536.
    pub(crate) fn new(slots: usize) -> Self {
        Self { slots: alloc::vec![Slot { generation: 0, content: None }; slots.min(1 << 16)] }
    }

    /// The capability that a handle names.
    ///
    /// # Errors
    /// [`Error::BadHandle`] for one that never was, [`Error::StaleHandle`] for
    /// one that is no more.
    pub fn get(&self, handle: Handle) -> Result<&Capability, Error> {
        let slot = self.slots.get(usize::from(handle.slot())).ok_or(Error::BadHandle)?;
        if handle.generation() < slot.generation {
            return Err(Error::StaleHandle);
        }
        match &slot.content {
            Some(capability) if handle.generation() == slot.generation => Ok(capability),
            _ => Err(Error::BadHandle),
        }
    }

    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut Capability> {
        let slot = self.slots.get_mut(usize::from(handle.slot()))?;
        if slot.generation == handle.generation() { slot.content.as_mut() } else { None }
    }

    /// Puts a capability into the first free slot.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn insert(&mut self, capability: Capability) -> Result<Handle, Error> {
        self.insert_run(core::slice::from_ref(&capability))
    }

    /// Puts capabilities into slots in a row, of one generation, so that the
    /// first handle plus 1, 2, 3 are the others. Gives the first one, also if
    /// there are none to put.
    ///
    /// # Errors
    /// [`Error::TableFull`].
    pub(crate) fn insert_run(&mut self, capabilities: &[Capability]) -> Result<Handle, Error> {
        let start = self.free_run(capabilities.len()).ok_or(Error::TableFull)?;
        let run = self.slots.get_mut(start..).unwrap_or_default();
        let run = run.get_mut(..capabilities.len()).unwrap_or_default();
        let generation = run.iter().map(|slot| slot.generation).max().unwrap_or(0);
        for (slot, capability) in run.iter_mut().zip(capabilities) {
            *slot = Slot { generation, content: Some(*capability) };
        }
        Ok(Handle::new(u16::try_from(start).map_err(|_| Error::TableFull)?, generation))
    }

    /// Whether [`Space::insert_run`] would find room.
    pub(crate) fn has_room(&self, count: usize) -> bool {
        self.free_run(count).is_some()
    }

    fn free_run(&self, count: usize) -> Option<usize> {
        let mut free = 0;
        for (at, slot) in self.slots.iter().enumerate() {
            if free == count {
                return Some(at - free);
            }
            free = if slot.is_free() { free + 1 } else { 0 };
        }
        if free == count { Some(self.slots.len() - free) } else { None }
    }

    /// Empties a slot.
    #[cfg_attr(not(test), expect(dead_code, reason = "cap_grant's drop is the first user"))]
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<Capability> {
        let slot = self.slots.get_mut(usize::from(handle.slot()))?;
        if slot.generation != handle.generation() {
            return None;
        }
        let capability = slot.content.take()?;
        slot.generation = slot.generation.saturating_add(1);
        Some(capability)
    }

    /// Every capability with its handle.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Capability)> {
        (0u16..=u16::MAX).zip(&self.slots).filter_map(|(index, slot)| {
            Some((Handle::new(index, slot.generation), slot.content.as_ref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn some() -> Capability {
        Capability::original(ObjectId(3), Kind::Queue, Rights::WRITE | Rights::GRANT)
    }

    #[test]
    fn the_first_capabilities_are_the_handles_from_zero() {
        let mut space = Space::new(4);
        for expected in 0..4 {
            assert_eq!(space.insert(some()).unwrap(), Handle(expected));
        }
        assert_eq!(space.insert(some()), Err(Error::TableFull));
    }

    #[test]
    fn a_removed_capability_leaves_a_stale_handle() {
        let mut space = Space::new(1);
        let old = space.insert(some()).unwrap();
        space.remove(old).unwrap();
        assert_eq!(space.get(old), Err(Error::StaleHandle));
        let new = space.insert(some()).unwrap();
        assert_eq!(new, Handle::new(0, 1));
        assert_eq!(space.get(old), Err(Error::StaleHandle));
        assert!(space.get(new).is_ok());
        assert_eq!(space.get(Handle::new(0, 2)), Err(Error::BadHandle));
    }

    #[test]
    fn a_slot_is_retired_before_a_handle_could_come_back() {
        let mut space = Space::new(1);
        for _ in 0..u16::MAX {
            let handle = space.insert(some()).unwrap();
            space.remove(handle).unwrap();
        }
        assert_eq!(space.insert(some()), Err(Error::TableFull));
    }

    #[test]
    fn passing_on_needs_the_right_and_ends_with_it() {
        let passed = some().pass_on(Subject(1), Handle(0)).unwrap();
        assert_eq!(passed.rights, Rights::WRITE);
        assert_eq!(passed.depth, 1);
        assert_eq!(passed.pass_on(Subject(2), Handle(0)), Err(Error::MissingRight));
        let deep = Capability { depth: abi::profile::DERIVATION_DEPTH, ..some() };
        assert_eq!(deep.pass_on(Subject(1), Handle(0)), Err(Error::TooDeep));
    }

    proptest! {
        #[test]
        fn only_live_handles_are_honoured(actions in proptest::collection::vec(any::<(u8, u8)>(), 0..200), forged: u32) {
            let mut space = Space::new(8);
            let mut live: Vec<Handle> = Vec::new();
            let mut dead: Vec<Handle> = Vec::new();
            for (action, which) in actions {
                let count = usize::from(which % 4);
                if action % 3 == 0 && !live.is_empty() {
                    let handle = live.remove(usize::from(which) % live.len());
                    prop_assert!(space.remove(handle).is_some());
                    dead.push(handle);
                } else if let Ok(first) = space.insert_run(&std::vec![some(); count]) {
                    for next in 0..u32::try_from(count).unwrap() {
                        let handle = Handle(first.0 + next);
                        prop_assert!(!live.contains(&handle) && !dead.contains(&handle));
                        live.push(handle);
                    }
                }
                prop_assert_eq!(space.iter().count(), live.len());
                prop_assert!(live.iter().all(|&handle| space.get(handle).is_ok()));
                prop_assert!(dead.iter().all(|&handle| space.get(handle) == Err(Error::StaleHandle)));
            }
            prop_assert_eq!(space.get(Handle(forged)).is_ok(), live.contains(&Handle(forged)));
        }
    }
}
