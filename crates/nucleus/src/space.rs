//! The capabilities of one task, by handle: slot and generation.
//!
//! A slot that is emptied gets the next generation, so what pointed at it
//! fails by itself. Until the slot is used again, a handle to what died there
//! is told why.

use crate::capability::Capability;
use crate::snapshot::saved;
use abi::{
    Error, Handle,
    profile::{CAPABILITIES, MAILBOX},
};
use alloc::boxed::Box;

/// The capabilities of one task.
#[derive(Debug)]
pub struct Space {
    slots: Box<[Slot]>,
    /// Slots that things are put into; one after them is the mailbox's.
    open: usize,
}

#[derive(Clone, Debug)]
struct Slot {
    generation: u16,
    content: Option<Capability>,
    /// Why what was here last is not any more.
    grave: Error,
}

impl Slot {
    const EMPTY: Self = Self { generation: 0, content: None, grave: Error::StaleHandle };

    /// Whether something can be put in. The last generation is never used, so
    /// that no handle ever comes back to life.
    fn is_free(&self) -> bool {
        self.content.is_none() && self.generation < u16::MAX
    }
}

impl Space {
    /// The space of a task that is about to start, with its mailbox.
    pub(crate) fn with_mailbox(mailbox: Capability) -> Self {
        let mut slots = alloc::vec![Slot::EMPTY; CAPABILITIES];
        slots.push(Slot { content: Some(mailbox), ..Slot::EMPTY });
        Self { slots: slots.into(), open: CAPABILITIES }
    }

    /// An empty space of so many slots, at most 65,536, without a mailbox.
    pub(crate) fn new(slots: usize) -> Self {
        let open = slots.min(1 << 16);
        Self { slots: alloc::vec![Slot::EMPTY; open].into(), open }
    }

    /// The slot that a handle names, and the generation that it must have.
    fn named(&self, handle: Handle) -> (usize, u16) {
        match handle {
            MAILBOX => (self.open, 0),
            _ if usize::from(handle.slot()) < self.open => {
                (usize::from(handle.slot()), handle.generation())
            }
            _ => (usize::MAX, 0),
        }
    }

    /// The capability that a handle names.
    ///
    /// # Errors
    /// [`Error::BadHandle`] for one that never was; for one that is no more,
    /// what it died of, or [`Error::StaleHandle`].
    pub fn get(&self, handle: Handle) -> Result<&Capability, Error> {
        let (at, generation) = self.named(handle);
        let slot = self.slots.get(at).ok_or(Error::BadHandle)?;
        if generation < slot.generation {
            let was_last = generation.checked_add(1) == Some(slot.generation);
            let is_told = was_last && slot.content.is_none();
            return Err(if is_told { slot.grave } else { Error::StaleHandle });
        }
        match &slot.content {
            Some(capability) if generation == slot.generation => Ok(capability),
            _ => Err(Error::BadHandle),
        }
    }

    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut Capability> {
        let (at, generation) = self.named(handle);
        let slot = self.slots.get_mut(at)?;
        if slot.generation == generation { slot.content.as_mut() } else { None }
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
            *slot = Slot { generation, content: Some(*capability), grave: Error::StaleHandle };
        }
        Ok(Handle::new(u16::try_from(start).map_err(|_| Error::TableFull)?, generation))
    }

    /// Whether [`Space::insert_run`] would find room.
    pub(crate) fn has_room(&self, count: usize) -> bool {
        self.free_run(count).is_some()
    }

    fn free_run(&self, count: usize) -> Option<usize> {
        let mut free: usize = 0;
        for (at, slot) in self.slots.iter().take(self.open).enumerate() {
            if free == count {
                return Some(at.saturating_sub(free));
            }
            free = if slot.is_free() { free.saturating_add(1) } else { 0 };
        }
        if free == count { Some(self.open.saturating_sub(free)) } else { None }
    }

    /// Empties a slot. Whoever still has the handle is told `why`.
    pub(crate) fn remove(&mut self, handle: Handle, why: Error) -> Option<Capability> {
        let (at, generation) = self.named(handle);
        let slot = self.slots.get_mut(at)?;
        if slot.generation != generation {
            return None;
        }
        let content = slot.content.take()?;
        slot.generation = slot.generation.saturating_add(1);
        slot.grave = why;
        Some(content)
    }

    /// What is in the slot of this number, with its handle.
    pub(crate) fn at(&self, number: usize) -> Option<(Handle, &Capability)> {
        let slot = self.slots.get(number)?;
        let handle = match number {
            _ if number == self.open => MAILBOX,
            _ => Handle::new(u16::try_from(number).ok()?, slot.generation),
        };
        Some((handle, slot.content.as_ref()?))
    }

    /// Number of slots.
    pub(crate) fn size(&self) -> usize {
        self.slots.len()
    }

    /// What is in it, by slot; the mailbox comes last.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Capability)> {
        (0..self.slots.len()).filter_map(|number| self.at(number))
    }
}

saved!(struct Space { slots, open });
saved!(struct Slot { generation, content, grave });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectId;
    use abi::{Kind, Rights};
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
    fn the_mailbox_has_its_place_and_nothing_else_comes_there() {
        let mut space = Space::with_mailbox(some());
        assert!(space.get(MAILBOX).is_ok());
        assert_eq!(space.get(Handle(64)), Err(Error::BadHandle));
        for _ in 0..CAPABILITIES {
            space.insert(some()).unwrap();
        }
        assert_eq!(space.insert(some()), Err(Error::TableFull));
        space.remove(MAILBOX, Error::StaleHandle).unwrap();
        assert_eq!(space.insert(some()), Err(Error::TableFull));
    }

    #[test]
    fn a_handle_to_what_died_is_told_why_until_the_slot_is_used_again() {
        let mut space = Space::new(1);
        let old = space.insert(some()).unwrap();
        space.remove(old, Error::Revoked).unwrap();
        assert_eq!(space.get(old), Err(Error::Revoked));
        let new = space.insert(some()).unwrap();
        assert_eq!(new, Handle::new(0, 1));
        assert_eq!(space.get(old), Err(Error::StaleHandle));
        assert!(space.get(new).is_ok());
        assert_eq!(space.get(Handle::new(0, 2)), Err(Error::BadHandle));
        space.remove(new, Error::Expired).unwrap();
        assert_eq!(space.get(old), Err(Error::StaleHandle));
        assert_eq!(space.get(new), Err(Error::Expired));
    }

    #[test]
    fn a_slot_is_retired_before_a_handle_could_come_back() {
        let mut space = Space::new(1);
        for _ in 0..u16::MAX {
            let handle = space.insert(some()).unwrap();
            space.remove(handle, Error::StaleHandle);
        }
        assert_eq!(space.insert(some()), Err(Error::TableFull));
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
                    prop_assert!(space.remove(handle, Error::StaleHandle).is_some());
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
