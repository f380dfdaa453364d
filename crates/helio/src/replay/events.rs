//! The events of a log: what came in, and where it was admitted.

use std::collections::VecDeque;

use nucleus::ObjectId;
use witness::record::{Body, Event, EventKind, NO_OBJECT, Record, Subject};

/// An event as the log has it, with all of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Number of its first record.
    pub index: u64,
    /// Logical time in ns at which it was admitted.
    pub time_ns: u64,
    /// The scheduler's slice after which it was.
    pub slice: u64,
    /// What came in.
    pub kind: EventKind,
    /// Whether the data ends in an operator's signature.
    pub signed: bool,
    /// The object it came from or goes to, if there is one.
    pub source: Option<ObjectId>,
    /// The data, put together from the event and its continuations.
    pub data: Vec<u8>,
    /// Bytes that the data has in all.
    total: usize,
}

/// The events of a log, in order.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Those whose data is there.
    pub whole: VecDeque<Recorded>,
    /// The first record of an event whose data is cut off, with the log's end.
    pub cut: Option<u64>,
}

impl Events {
    /// Finds them in the records of a log that verifies, so that the
    /// continuations of an event follow it, in order, before the next one.
    pub fn of(entries: &[Vec<u8>]) -> Self {
        let mut events = Self::default();
        let mut open: Option<Recorded> = None;
        for (index, entry) in (0..).zip(entries) {
            let Ok(record) = Record::decode(entry) else { continue };
            if record.subject != Subject::OUTSIDE {
                continue;
            }
            match (record.body, &mut open) {
                (Body::Event(event), _) => open = Some(Recorded::begin(index, &record, &event)),
                (Body::Continuation(part), Some(open)) => {
                    open.data.extend_from_slice(part.data.bytes());
                }
                _ => {}
            }
            if open.as_ref().is_some_and(|open| open.data.len() >= open.total) {
                events.whole.extend(open.take());
            }
        }
        match open {
            // A mark counts from its first record on, whatever it goes on to
            // say.
            Some(mark) if mark.kind == EventKind::Unrecorded => events.whole.push_back(mark),
            open => events.cut = open.map(|open| open.index),
        }
        events
    }
}

impl Recorded {
    fn begin(index: u64, record: &Record<'_>, event: &Event<'_>) -> Self {
        Self {
            index,
            time_ns: record.point.time_ns,
            slice: record.point.slice,
            kind: event.kind,
            signed: event.signed,
            source: (event.source != NO_OBJECT).then_some(ObjectId(event.source)),
            data: event.data.bytes().to_vec(),
            total: event.total as usize,
        }
    }
}
