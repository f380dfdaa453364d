//! Queues and what comes out of them.

use abi::{EXIT_REPORT, Error, ExitReport, MessageHeader, Operation, Reference, profile::MAILBOX};

use super::{Queue, Region, to_length};
use crate::imports::{self, answer};

/// A deadline that never comes.
pub const EVER: u64 = u64::MAX;

/// Bytes that a window needs beyond the longest message.
pub const MESSAGE_HEAD: usize = MessageHeader::SIZE;

/// A message as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'w> {
    /// Badge of the capability it was sent with: who sent it.
    pub badge: u64,
    /// Its type.
    pub kind: u32,
    /// Its priority.
    pub priority: u8,
    /// What it says.
    pub content: Content<'w>,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'w> {
    /// These bytes.
    Bytes(&'w [u8]),
    /// These bytes of a region that cannot change under the receiver.
    Shared {
        /// The receiver's own capability for it, to be given up after use.
        region: Region,
        /// Where they begin.
        offset: u64,
        /// How many.
        length: u64,
    },
}

impl<'w> Message<'w> {
    /// A message from what `queue_recv` wrote; `None` where that is none.
    pub fn parse(written: &'w [u8]) -> Option<Self> {
        let (head, body) = written.split_first_chunk()?;
        let MessageHeader { badge, kind, priority, is_reference, .. } =
            MessageHeader::from_bytes(head)?;
        let content = if is_reference {
            let Reference { region, offset, length } =
                Reference::from_bytes(body.try_into().ok()?)?;
            Content::Shared { region: Region(region), offset, length }
        } else {
            Content::Bytes(body)
        };
        Some(Self { badge, kind, priority, content })
    }

    /// Its bytes, of a message by copy.
    pub const fn bytes(&self) -> &'w [u8] {
        match self.content {
            Content::Bytes(bytes) => bytes,
            Content::Shared { .. } => &[],
        }
    }

    /// How a task ended, where the message says that. Only the mailbox gets
    /// such messages from the kernel; elsewhere it is a sender's word.
    pub fn exit_report(&self) -> Option<ExitReport> {
        let is_report = self.kind == EXIT_REPORT;
        let block = self.bytes().try_into().ok().filter(|_| is_report)?;
        ExitReport::from_bytes(block)
    }
}

impl Queue {
    /// The caller's own mailbox, on which it has READ, WRITE, GRANT and
    /// REVOKE. How its children ended arrives there.
    pub const MAILBOX: Self = Self(MAILBOX);

    /// `queue_send`: puts one message of type `kind` into the ring. Higher
    /// priorities are taken first. Needs WRITE.
    ///
    /// # Errors
    /// [`Error::QueueFull`] when it does not fit now; [`Error::BadLength`] for
    /// more than 4,096 bytes; [`Error::WrongType`].
    pub fn send(self, kind: u32, priority: u8, message: &[u8]) -> Result<(), Error> {
        answer(imports::queue_send(self.0.0, Operation::Plain, kind, priority, message)).map(drop)
    }

    /// `queue_send`, reference: the message stays in the region, of which the
    /// receiver gets a capability to read. Needs WRITE here, READ and GRANT on
    /// the region.
    ///
    /// # Errors
    /// As [`Self::send`]; [`Error::WrongMode`] for a slab,
    /// [`Error::OutOfRange`].
    pub fn share(
        self,
        kind: u32,
        priority: u8,
        region: Region,
        offset: u64,
        length: u64,
    ) -> Result<(), Error> {
        let block = Reference { region: region.0, offset, length }.to_bytes();
        answer(imports::queue_send(self.0.0, Operation::Reference, kind, priority, &block))
            .map(drop)
    }

    /// `queue_recv`: takes the next message, waiting for one until the logical
    /// time `deadline_ns`. The window needs [`MESSAGE_HEAD`] bytes beyond the
    /// message. Needs READ.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when nothing arrived; [`Error::TooSmall`], which
    /// leaves the message; [`Error::TableFull`] for a reference.
    pub fn receive(self, deadline_ns: u64, window: &mut [u8]) -> Result<Message<'_>, Error> {
        let length = to_length(answer(imports::queue_recv(self.0.0, deadline_ns, window))?)?;
        // The kernel writes nothing else.
        window.get(..length).and_then(Message::parse).ok_or(Error::BadLength)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::Handle;

    fn written(kind: u32, body: &[u8], is_reference: bool) -> ([u8; 64], usize) {
        let length = body.len() as u32;
        let head = MessageHeader { badge: 7, kind, length, priority: 2, is_reference };
        let mut window = [0; 64];
        window[..24].copy_from_slice(&head.to_bytes());
        window[24..24 + body.len()].copy_from_slice(body);
        (window, 24 + body.len())
    }

    #[test]
    fn messages_are_bytes_or_shared() {
        let (window, length) = written(5, b"hello", false);
        let message = Message::parse(&window[..length]).unwrap();
        assert_eq!((message.badge, message.kind, message.priority), (7, 5, 2));
        assert_eq!(message.bytes(), b"hello");
        assert_eq!(message.exit_report(), None);

        let reference = Reference { region: Handle(9), offset: 3, length: 4 };
        let (window, length) = written(5, &reference.to_bytes(), true);
        let message = Message::parse(&window[..length]).unwrap();
        let shared = Content::Shared { region: Region(Handle(9)), offset: 3, length: 4 };
        assert_eq!((message.content, message.bytes()), (shared, &[][..]));
        assert_eq!(Message::parse(&window[..length - 1]), None);
        assert_eq!(Message::parse(&window[..23]), None);
    }

    #[test]
    fn an_exit_report_is_one_by_its_type() {
        let report = ExitReport { subject: 3, outcome: 1, code: 9, handle: Handle(4) };
        let (window, length) = written(EXIT_REPORT, &report.to_bytes(), false);
        assert_eq!(Message::parse(&window[..length]).unwrap().exit_report(), Some(report));
        let (window, length) = written(1, &report.to_bytes(), false);
        assert_eq!(Message::parse(&window[..length]).unwrap().exit_report(), None);
    }
}
