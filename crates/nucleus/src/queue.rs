//! Queues: bounded, typed messages, by priority.
//!
//! All memory is taken when the queue is made. A message takes its bytes and
//! [`OVERHEAD`] of the capacity, so that empty ones are not free; bodies lie
//! in chains of blocks. The highest priority comes out first, and among
//! equals the oldest: a heap over the headers.

use crate::snapshot::saved;
use crate::{capability::Capability, novelty, region::copy};
use abi::Error;
use alloc::{boxed::Box, vec::Vec};
use core::cmp::Reverse;
use witness::Index;

/// Bytes of capacity that a message takes beyond its own.
pub(crate) const OVERHEAD: usize = 64;

/// Bytes of a block. Not more than [`OVERHEAD`], so that blocks never run out
/// before the capacity does.
const BLOCK: usize = 64;

/// Most references that wait in one queue.
const REFERENCES: usize = 16;

/// A queue.
#[derive(Debug)]
pub struct Queue {
    capacity: usize,
    /// The type of message it takes; any if none.
    accepts: Option<u32>,
    /// Whether priorities count.
    by_priority: bool,
    used: usize,
    /// Part of the capacity that is promised to exit reports.
    promised: usize,
    /// A heap of `count` headers, the next to come out first.
    headers: Box<[Header]>,
    count: usize,
    /// Messages ever sent, to tell the oldest.
    sent: u64,
    blocks: Box<[Block]>,
    free: Option<u32>,
    references: Box<[Option<Capability>]>,
    /// Of the last message that came out.
    last_sketch: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    bytes: [u8; BLOCK],
    next: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Header {
    kind: u32,
    priority: u8,
    length: u32,
    badge: u64,
    sender: u32,
    sent: Option<Index>,
    order: u64,
    first: Option<u32>,
    reference: Option<u8>,
    sketch: u64,
}

impl Header {
    fn key(&self) -> (u8, Reverse<u64>) {
        (self.priority, Reverse(self.order))
    }
}

/// What a message says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub kind: u32,
    /// 0 to 255; higher comes out first.
    pub priority: u8,
    /// Badge of the capability it was sent with.
    pub badge: u64,
    /// Number of the subject that sent it.
    pub sender: u32,
    /// The record of its sending, or of the event that brought it.
    pub sent: Option<Index>,
}

/// A message that is about to come out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Next {
    pub(crate) message: Message,
    pub(crate) length: usize,
    /// What a reference lets its receiver read.
    pub(crate) reference: Option<Capability>,
}

impl Queue {
    /// An empty queue of so many bytes.
    pub(crate) fn new(capacity: usize, accepts: Option<u32>) -> Self {
        let count = capacity / OVERHEAD;
        let next = |number: usize| {
            let next = number.checked_add(1).filter(|next| *next < count);
            next.and_then(|next| u32::try_from(next).ok())
        };
        let block = |number| Block { bytes: [0; BLOCK], next: next(number) };
        Self {
            capacity,
            accepts,
            by_priority: true,
            used: 0,
            promised: 0,
            headers: alloc::vec![Header::default(); count].into(),
            count: 0,
            sent: 0,
            blocks: (0..count).map(block).collect(),
            free: if count == 0 { None } else { Some(0) },
            references: alloc::vec![None; REFERENCES].into(),
            last_sketch: 0,
        }
    }

    /// The same without priorities: for a stream of text.
    pub(crate) fn in_order(self) -> Self {
        Self { by_priority: false, ..self }
    }

    /// Bytes of memory that a queue of so many bytes takes.
    pub(crate) fn cost(capacity: u64) -> u64 {
        let each = size_of::<Header>().saturating_add(size_of::<Block>()) as u64;
        let references = REFERENCES.saturating_mul(size_of::<Option<Capability>>()) as u64;
        (capacity / OVERHEAD as u64).saturating_mul(each).saturating_add(references)
    }

    /// Whether a message would be taken.
    ///
    /// # Errors
    /// [`Error::WrongType`], [`Error::QueueFull`].
    pub(crate) fn takes(&self, kind: u32, length: usize, is_reference: bool) -> Result<(), Error> {
        if self.accepts.is_some_and(|accepted| accepted != kind) {
            return Err(Error::WrongType);
        }
        let has_reference = self.references.iter().any(Option::is_none);
        if !self.has_room(length) || is_reference && !has_reference {
            return Err(Error::QueueFull);
        }
        Ok(())
    }

    /// Whether a message of so many bytes fits beside what is in it and what
    /// was promised.
    pub fn has_room(&self, length: usize) -> bool {
        let free = self.capacity.saturating_sub(self.used).saturating_sub(self.promised);
        length.saturating_add(OVERHEAD) <= free
    }

    /// Puts a message in.
    ///
    /// # Errors
    /// As [`Queue::takes`]; the queue is then as before.
    pub(crate) fn send(
        &mut self,
        message: &Message,
        body: &[u8],
        reference: Option<Capability>,
    ) -> Result<(), Error> {
        self.takes(message.kind, body.len(), reference.is_some())?;
        self.put(message, body, reference)
    }

    /// Promises room for one more report of `length` bytes.
    ///
    /// # Errors
    /// [`Error::QueueFull`].
    pub(crate) fn promise(&mut self, length: usize) -> Result<(), Error> {
        let needs = length.saturating_add(OVERHEAD);
        let free = self.capacity.saturating_sub(self.used).saturating_sub(self.promised);
        if needs > free {
            return Err(Error::QueueFull);
        }
        self.promised = self.promised.saturating_add(needs);
        Ok(())
    }

    /// Puts in a report for which room was promised.
    pub(crate) fn report(&mut self, message: &Message, body: &[u8]) {
        let needs = body.len().saturating_add(OVERHEAD);
        self.promised = self.promised.saturating_sub(needs);
        // There is room: it was promised.
        let _ = self.put(message, body, None);
    }

    fn put(
        &mut self,
        message: &Message,
        body: &[u8],
        reference: Option<Capability>,
    ) -> Result<(), Error> {
        let length = u32::try_from(body.len()).map_err(|_| Error::BadLength)?;
        let at = self.count;
        if at >= self.headers.len() {
            return Err(Error::QueueFull);
        }
        let reference = match reference {
            Some(capability) => Some(self.keep(capability)?),
            None => None,
        };
        let header = Header {
            kind: message.kind,
            priority: if self.by_priority { message.priority } else { 0 },
            length,
            badge: message.badge,
            sender: message.sender,
            sent: message.sent,
            order: self.sent,
            first: self.store(body),
            reference,
            sketch: novelty::sketch(body),
        };
        self.sent = self.sent.saturating_add(1);
        self.used = self.used.saturating_add(body.len()).saturating_add(OVERHEAD);
        if let Some(last) = self.headers.get_mut(at) {
            *last = header;
        }
        self.count = self.count.saturating_add(1);
        self.rise(at);
        Ok(())
    }

    fn keep(&mut self, capability: Capability) -> Result<u8, Error> {
        let free = self.references.iter_mut().zip(0u8..).find(|(place, _)| place.is_none());
        let (place, number) = free.ok_or(Error::QueueFull)?;
        *place = Some(capability);
        Ok(number)
    }

    /// Chains the body in blocks. Gives the first.
    fn store(&mut self, body: &[u8]) -> Option<u32> {
        let first = if body.is_empty() { None } else { self.free };
        let mut last: Option<u32> = None;
        for part in body.chunks(BLOCK) {
            let number = self.free?;
            let block = self.block_mut(number)?;
            copy(&mut block.bytes, part);
            let next = block.next;
            self.free = next;
            last = Some(number);
        }
        if let Some(block) = last.and_then(|number| self.block_mut(number)) {
            block.next = None;
        }
        first
    }

    /// The message that comes out next.
    pub(crate) fn next(&self) -> Option<Next> {
        let header = self.headers.first().filter(|_| self.count > 0)?;
        let reference = header
            .reference
            .and_then(|number| self.references.get(usize::from(number)).copied().flatten());
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        Some(Next { message: header.message(), length, reference })
    }

    /// Takes it out, copying as much of its body as there is room for.
    pub(crate) fn take(&mut self, into: &mut [u8]) {
        let Some(header) = self.headers.first().copied().filter(|_| self.count > 0) else { return };
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let mut room = into.get_mut(..length.min(into.len())).unwrap_or_default();
        let mut next = header.first;
        let parts = length.div_ceil(BLOCK);
        for _ in 0..parts {
            let Some(number) = next else { break };
            let free = self.free;
            let Some(block) = self.block_mut(number) else { break };
            let count = room.len().min(BLOCK);
            let (now, later) = room.split_at_mut_checked(count).unwrap_or_default();
            copy(now, &block.bytes);
            room = later;
            next = core::mem::replace(&mut block.next, free);
            self.free = Some(number);
        }
        if let Some(place) =
            header.reference.and_then(|it| self.references.get_mut(usize::from(it)))
        {
            *place = None;
        }
        self.last_sketch = header.sketch;
        self.used = self.used.saturating_sub(length).saturating_sub(OVERHEAD);
        self.count = self.count.saturating_sub(1);
        if let Some(last) = self.headers.get(self.count).copied()
            && let Some(top) = self.headers.first_mut()
        {
            *top = last;
        }
        self.sink();
    }

    /// Takes out everything, in order. Allocates.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Next, Vec<u8>)) {
        while let Some(next) = self.next() {
            let mut bytes = alloc::vec![0; next.length];
            self.take(&mut bytes);
            take(next, bytes);
        }
    }

    /// How new the next message is, compared with the last that came out: 0
    /// for the same or none, at most 64.
    pub(crate) fn novelty(&self) -> u32 {
        let header = self.headers.first().filter(|_| self.count > 0);
        header.map_or(0, |header| novelty::distance(header.sketch, self.last_sketch))
    }

    /// Bytes of capacity in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes of capacity.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Messages in it.
    pub fn messages(&self) -> usize {
        self.count
    }

    /// The only type of message it takes, if it is that choosy.
    pub fn accepts(&self) -> Option<u32> {
        self.accepts
    }

    /// References that wait in it.
    pub(crate) fn references(&self) -> impl Iterator<Item = &Capability> {
        self.references.iter().flatten()
    }

    fn block_mut(&mut self, number: u32) -> Option<&mut Block> {
        self.blocks.get_mut(usize::try_from(number).ok()?)
    }

    fn key(&self, at: usize) -> Option<(u8, Reverse<u64>)> {
        self.headers.get(..self.count)?.get(at).map(Header::key)
    }

    /// Moves a header up to where it belongs.
    fn rise(&mut self, mut at: usize) {
        while let Some(above) = at.checked_sub(1).map(|below| below / 2)
            && self.key(at) > self.key(above)
        {
            self.swap(at, above);
            at = above;
        }
    }

    /// Moves the first header down to where it belongs.
    fn sink(&mut self) {
        let mut at: usize = 0;
        loop {
            let left = at.saturating_mul(2).saturating_add(1);
            let right = left.saturating_add(1);
            let below = if self.key(right) > self.key(left) { right } else { left };
            if self.key(below) <= self.key(at) {
                return;
            }
            self.swap(at, below);
            at = below;
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        if let (Some(a), Some(b)) =
            (self.headers.get(one).copied(), self.headers.get(other).copied())
        {
            for (place, header) in [(one, b), (other, a)] {
                if let Some(place) = self.headers.get_mut(place) {
                    *place = header;
                }
            }
        }
    }
}

impl Header {
    fn message(&self) -> Message {
        let Self { kind, priority, badge, sender, sent, .. } = *self;
        Message { kind, priority, badge, sender, sent }
    }
}

const _: () = assert!(BLOCK <= OVERHEAD);

saved!(struct Queue {
    capacity, accepts, by_priority, used, promised, headers, count, sent, blocks, free, references,
    last_sketch,
});
saved!(struct Block { bytes, next });
saved!(struct Header {
    kind, priority, length, badge, sender, sent, order, first, reference, sketch,
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn message(priority: u8) -> Message {
        Message { kind: 7, priority, badge: 0, sender: 1, sent: None }
    }

    fn receive(queue: &mut Queue) -> Option<Vec<u8>> {
        let next = queue.next()?;
        let mut bytes = vec![0; next.length];
        queue.take(&mut bytes);
        Some(bytes)
    }

    #[test]
    fn a_full_queue_refuses_and_stays_as_it_was() {
        let mut queue = Queue::new(2 * OVERHEAD + 3, None);
        queue.send(&message(0), b"abc", None).unwrap();
        assert_eq!(queue.send(&message(0), b"d", None), Err(Error::QueueFull));
        queue.send(&message(0), b"", None).unwrap();
        assert_eq!(queue.send(&message(0), b"", None), Err(Error::QueueFull));
        assert_eq!(queue.messages(), 2);
        assert_eq!(receive(&mut queue).unwrap(), b"abc");
    }

    #[test]
    fn a_typed_queue_takes_its_type_only() {
        let mut queue = Queue::new(256, Some(8));
        assert_eq!(queue.send(&message(0), b"x", None), Err(Error::WrongType));
    }

    #[test]
    fn what_was_promised_is_kept() {
        let mut queue = Queue::new(2 * OVERHEAD + 16, None);
        queue.promise(16).unwrap();
        assert_eq!(queue.promise(16), Err(Error::QueueFull));
        queue.send(&message(0), b"", None).unwrap();
        assert_eq!(queue.send(&message(0), b"", None), Err(Error::QueueFull));
        queue.report(&message(0), &[7; 16]);
        assert_eq!(queue.messages(), 2);
        assert_eq!(queue.promised, 0);
    }

    proptest! {
        /// Against a plain list, searched each time.
        #[test]
        fn a_queue_is_a_sorted_list(in_order: bool, steps in proptest::collection::vec((any::<bool>(), 0u8..4, 0usize..200), 0..300)) {
            let mut queue = Queue::new(1_500, None);
            if in_order {
                queue = queue.in_order();
            }
            let mut model: Vec<(u8, Vec<u8>)> = Vec::new();
            for (number, (is_send, priority, length)) in steps.into_iter().enumerate() {
                if is_send {
                    let body = vec![number as u8; length];
                    let used: usize = model.iter().map(|(_, body)| body.len() + OVERHEAD).sum();
                    let fits = used + length + OVERHEAD <= 1_500;
                    prop_assert_eq!(queue.send(&message(priority), &body, None).is_ok(), fits);
                    if fits {
                        model.push((if in_order { 0 } else { priority }, body));
                    }
                    let used: usize = model.iter().map(|(_, body)| body.len() + OVERHEAD).sum();
                    prop_assert_eq!(queue.used(), used);
                } else {
                    let highest = model.iter().map(|(priority, _)| *priority).max();
                    let at = model.iter().position(|(priority, _)| Some(*priority) == highest);
                    prop_assert_eq!(receive(&mut queue), at.map(|at| model.remove(at).1));
                }
                prop_assert_eq!(queue.messages(), model.len());
            }
        }
    }
}
