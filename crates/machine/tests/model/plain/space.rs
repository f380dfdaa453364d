//! Capabilities, and the slots that one task keeps them in.

use abi::{Error, Handle, Kind, Rights, profile::MAILBOX};

/// A capability with its whole line of descent.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    pub object: u32,
    pub kind: Kind,
    pub rights: Rights,
    pub badge: u64,
    pub expiry: u64,
    pub uses: u32,
    /// Which capability this is, among all there ever were.
    pub name: u64,
    /// Those it was derived from, eldest first: each by name, and how often it
    /// had been revoked then.
    pub line: Vec<(u64, u32)>,
    /// The record of the grant, until a call has named that.
    pub granted_by: Option<u64>,
}

impl Cap {
    pub fn depth(&self) -> usize {
        self.line.len()
    }

    pub fn may_pass(&self) -> bool {
        self.rights.intersects(Rights::GRANT | Rights::GRANT_ONCE)
    }
}

#[derive(Clone, Debug)]
struct Slot {
    generation: u16,
    content: Option<Cap>,
    /// What the last holder of the slot died of.
    died_of: Error,
}

/// A task's slots; the mailbox has one of its own, the last.
#[derive(Clone, Debug)]
pub struct Space {
    slots: Vec<Slot>,
    counted: usize,
}

impl Space {
    pub fn new(counted: usize, mailbox: Option<Cap>) -> Self {
        let empty = Slot { generation: 0, content: None, died_of: Error::StaleHandle };
        let mut slots = vec![empty.clone(); counted];
        slots.extend(mailbox.map(|cap| Slot { content: Some(cap), ..empty }));
        Self { slots, counted }
    }

    fn place(&self, handle: Handle) -> Option<(usize, u16)> {
        if handle == MAILBOX {
            return Some((self.counted, 0)).filter(|_| self.slots.len() > self.counted);
        }
        let slot = usize::from(handle.slot());
        Some((slot, handle.generation())).filter(|_| slot < self.counted)
    }

    pub fn get(&self, handle: Handle) -> Result<&Cap, Error> {
        let (place, generation) = self.place(handle).ok_or(Error::BadHandle)?;
        let slot = &self.slots[place];
        match &slot.content {
            Some(cap) if generation == slot.generation => Ok(cap),
            // Only the last one that was here, and nobody after it.
            None if u32::from(generation) + 1 == u32::from(slot.generation) => Err(slot.died_of),
            _ if generation < slot.generation => Err(Error::StaleHandle),
            _ => Err(Error::BadHandle),
        }
    }

    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut Cap> {
        self.get(handle).ok()?;
        let (place, _) = self.place(handle)?;
        self.slots[place].content.as_mut()
    }

    /// The first slots in a row that are free.
    pub fn room(&self, count: usize) -> Option<usize> {
        let is_free = |at: usize| self.slots[at].content.is_none();
        (0..=self.counted.checked_sub(count)?).find(|&at| (at..at + count).all(is_free))
    }

    /// Puts capabilities in a row; gives the first handle.
    pub fn insert(&mut self, caps: Vec<Cap>) -> Handle {
        let at = self.room(caps.len()).expect("the caller has looked");
        let run = &mut self.slots[at..at + caps.len()];
        let generation = run.iter().map(|slot| slot.generation).max().unwrap_or(0);
        for (slot, cap) in run.iter_mut().zip(caps) {
            *slot = Slot { generation, content: Some(cap), died_of: Error::StaleHandle };
        }
        Handle::new(at as u16, generation)
    }

    pub fn remove(&mut self, handle: Handle, died_of: Error) -> Option<Cap> {
        self.get(handle).ok()?;
        let (place, _) = self.place(handle)?;
        let slot = &mut self.slots[place];
        slot.generation += 1;
        slot.died_of = died_of;
        slot.content.take()
    }

    pub fn size(&self) -> usize {
        self.slots.len()
    }

    /// What is in the slot of this number.
    pub fn at(&self, number: usize) -> Option<(Handle, &Cap)> {
        let slot = &self.slots[number];
        let handle = match number {
            _ if number == self.counted => MAILBOX,
            _ => Handle::new(number as u16, slot.generation),
        };
        Some((handle, slot.content.as_ref()?))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Cap)> {
        (0..self.slots.len()).filter_map(|number| self.at(number))
    }
}
