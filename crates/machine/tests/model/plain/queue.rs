//! Queues, as lists that are searched each time.

use super::space::Cap;
use abi::Error;

/// Capacity that each message takes beside its bytes.
const OVERHEAD: usize = 64;

/// References that one queue takes.
const REFERENCES: usize = 16;

#[derive(Clone, Debug)]
pub struct Queue {
    pub capacity: usize,
    pub accepts: Option<u32>,
    pub by_priority: bool,
    pub messages: Vec<Message>,
    /// Capacity that is kept for exit reports.
    pub promised: usize,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub kind: u32,
    pub priority: u8,
    pub badge: u64,
    pub bytes: Vec<u8>,
    pub reference: Option<Cap>,
    /// The record that brought it.
    pub sent: Option<u64>,
}

impl Queue {
    pub fn new(capacity: usize, accepts: Option<u32>, by_priority: bool) -> Self {
        Self { capacity, accepts, by_priority, messages: vec![], promised: 0 }
    }

    pub fn used(&self) -> usize {
        self.messages.iter().map(|message| message.bytes.len() + OVERHEAD).sum()
    }

    fn free(&self) -> usize {
        self.capacity - self.used() - self.promised
    }

    pub fn takes(&self, kind: u32, length: usize, is_reference: bool) -> Result<(), Error> {
        if self.accepts.is_some_and(|accepts| accepts != kind) {
            return Err(Error::WrongType);
        }
        let references = self.messages.iter().filter(|it| it.reference.is_some()).count();
        let has_place = !is_reference || references < REFERENCES;
        if length + OVERHEAD <= self.free() && has_place { Ok(()) } else { Err(Error::QueueFull) }
    }

    pub fn send(&mut self, message: Message) -> Result<(), Error> {
        self.takes(message.kind, message.bytes.len(), message.reference.is_some())?;
        self.messages.push(message);
        Ok(())
    }

    pub fn promise(&mut self, length: usize) -> Result<(), Error> {
        if length + OVERHEAD > self.free() {
            return Err(Error::QueueFull);
        }
        self.promised += length + OVERHEAD;
        Ok(())
    }

    pub fn report(&mut self, message: Message) {
        self.promised -= message.bytes.len() + OVERHEAD;
        self.messages.push(message);
    }

    /// Place of the message that comes out next: of the highest priority the
    /// oldest.
    pub fn next(&self) -> Option<usize> {
        let priority = |it: &Message| if self.by_priority { it.priority } else { 0 };
        let highest = self.messages.iter().map(priority).max()?;
        self.messages.iter().position(|it| priority(it) == highest)
    }
}
