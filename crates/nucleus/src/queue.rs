//! Queues: bounded rings of typed messages.
//!
//! All memory is taken when the queue is made. A message takes its bytes and
//! [`OVERHEAD`], so that empty ones are not free. The highest priority comes
//! out first, and among equals the oldest.

use abi::Error;
use alloc::vec::Vec;
use witness::Index;

/// Bytes of capacity that a message takes beyond its own.
pub(crate) const OVERHEAD: usize = 64;

/// A queue.
#[derive(Debug)]
pub struct Queue {
    capacity: usize,
    /// The type of message it takes; any if none.
    accepts: Option<u32>,
    headers: Vec<Header>,
    /// Bodies of all messages, in the order of their headers.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    kind: u32,
    priority: u8,
    length: usize,
    badge: u64,
    sender: u32,
    sent: Option<Index>,
}

/// A message, as it lies in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type.
    pub kind: u32,
    /// 0 to 255; higher comes out first.
    pub priority: u8,
    /// Badge of the capability it was sent with.
    pub badge: u64,
    /// Number of the subject that sent it.
    pub sender: u32,
    /// The record of its sending.
    pub sent: Option<Index>,
    /// Its content.
    pub bytes: &'a [u8],
}

impl Queue {
    /// An empty queue of so many bytes.
    pub(crate) fn new(capacity: usize, accepts: Option<u32>) -> Self {
        Self {
            capacity,
            accepts,
            headers: Vec::with_capacity(capacity / OVERHEAD),
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// Puts a message in. Does not allocate.
    ///
    /// # Errors
    /// [`Error::WrongType`], [`Error::QueueFull`]; the queue is then as before.
    pub(crate) fn send(&mut self, message: &Message<'_>) -> Result<(), Error> {
        if self.accepts.is_some_and(|kind| kind != message.kind) {
            return Err(Error::WrongType);
        }
        let needs = message.bytes.len().saturating_add(OVERHEAD);
        if needs > self.capacity.saturating_sub(self.used()) {
            return Err(Error::QueueFull);
        }
        let Message { kind, priority, badge, sender, sent, bytes } = *message;
        self.headers.push(Header { kind, priority, length: bytes.len(), badge, sender, sent });
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes the next message out.
    #[cfg_attr(not(test), expect(dead_code, reason = "queue_recv is the first user"))]
    pub(crate) fn receive<R>(&mut self, take: impl FnOnce(Message<'_>) -> R) -> Option<R> {
        let highest = self.headers.iter().map(|header| header.priority).max()?;
        let at = self.headers.iter().position(|header| header.priority == highest)?;
        let start: usize = self.headers.iter().take(at).map(|header| header.length).sum();
        let header = self.headers.remove(at);
        let end = start.saturating_add(header.length);
        let taken = take(header.over(self.bytes.get(start..end).unwrap_or_default()));
        self.bytes.drain(start..end);
        Some(taken)
    }

    /// Takes out everything, in the order it was sent.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Message<'_>)) {
        let mut rest = self.bytes.as_slice();
        for header in self.headers.drain(..) {
            let (bytes, after) = rest.split_at_checked(header.length).unwrap_or_default();
            take(header.over(bytes));
            rest = after;
        }
        self.bytes.clear();
    }

    /// Bytes of capacity in use.
    pub fn used(&self) -> usize {
        self.bytes.len().saturating_add(self.headers.len().saturating_mul(OVERHEAD))
    }

    /// Bytes of capacity.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Messages in it.
    pub fn messages(&self) -> usize {
        self.headers.len()
    }
}

impl Header {
    fn over(self, bytes: &[u8]) -> Message<'_> {
        let Self { kind, priority, badge, sender, sent, .. } = self;
        Message { kind, priority, badge, sender, sent, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn message(priority: u8, bytes: &[u8]) -> Message<'_> {
        Message { kind: 7, priority, badge: 0, sender: 1, sent: None, bytes }
    }

    fn receive(queue: &mut Queue) -> Option<Vec<u8>> {
        queue.receive(|message| message.bytes.to_vec())
    }

    #[test]
    fn higher_priority_comes_first_and_equals_keep_their_order() {
        let mut queue = Queue::new(1000, None);
        for (priority, text) in [(1, "a"), (2, "bb"), (1, "c"), (2, "dd"), (0, "")] {
            queue.send(&message(priority, text.as_bytes())).unwrap();
        }
        let all: Vec<_> = core::iter::from_fn(|| receive(&mut queue)).collect();
        let expected: Vec<&[u8]> = vec![b"bb", b"dd", b"a", b"c", b""];
        assert_eq!(all, expected);
        assert_eq!(queue.used(), 0);
    }

    #[test]
    fn a_full_queue_refuses_and_stays_as_it_was() {
        let mut queue = Queue::new(2 * OVERHEAD + 3, None);
        queue.send(&message(0, b"abc")).unwrap();
        assert_eq!(queue.send(&message(0, b"d")), Err(Error::QueueFull));
        queue.send(&message(0, b"")).unwrap();
        assert_eq!(queue.send(&message(0, b"")), Err(Error::QueueFull));
        assert_eq!(queue.messages(), 2);
        assert_eq!(receive(&mut queue).unwrap(), b"abc");
    }

    #[test]
    fn sending_never_allocates_beyond_what_was_reserved() {
        let mut queue = Queue::new(256, None);
        let (headers, bytes) = (queue.headers.capacity(), queue.bytes.capacity());
        for _ in 0..20 {
            while queue.send(&message(0, b"x")).is_ok() {}
            while receive(&mut queue).is_some() {}
        }
        assert_eq!((queue.headers.capacity(), queue.bytes.capacity()), (headers, bytes));
    }

    #[test]
    fn a_typed_queue_takes_its_type_only() {
        let mut queue = Queue::new(256, Some(8));
        assert_eq!(queue.send(&message(0, b"x")), Err(Error::WrongType));
    }
}
