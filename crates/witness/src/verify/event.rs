//! Putting events together again, and checking the signed ones.

use super::report::Reason;
use crate::{
    BootId, key,
    record::{Body, EVENT_PART, Event, EventKind, Record, SignedEvent},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// The events of a log.
#[derive(Default)]
pub(super) struct Events {
    open: Option<Open>,
    /// Each operator's last counter.
    pub(super) counters: BTreeMap<[u8; 32], u64>,
    pub(super) challenges: Vec<[u8; 32]>,
}

/// An event of which data is still to come.
struct Open {
    kind: EventKind,
    signed: bool,
    source: u32,
    total: usize,
    data: Vec<u8>,
}

impl Events {
    /// Takes the next record of the world outside. `boot` is leaf 1's.
    pub(super) fn push(&mut self, record: &Record<'_>, boot: &BootId) -> Result<(), Reason> {
        match (record.body, self.open.take()) {
            (Body::Event(event), None) => self.advance(Open::begin(&event), boot),
            (Body::Continuation(next), Some(mut open)) => {
                let at = open.data.len();
                let part = (open.total - at).min(EVENT_PART);
                if next.offset as usize != at || next.data.bytes().len() != part {
                    return Err(Reason::Event);
                }
                open.data.extend_from_slice(next.data.bytes());
                self.advance(open, boot)
            }
            _ => Err(Reason::Event),
        }
    }

    /// Whether no event lacks data.
    pub(super) fn is_whole(&self) -> bool {
        self.open.is_none()
    }

    fn advance(&mut self, open: Open, boot: &BootId) -> Result<(), Reason> {
        if open.data.len() < open.total {
            self.open = Some(open);
            return Ok(());
        }
        let mut data = open.data.as_slice();
        if open.signed {
            let signed = SignedEvent::split(data).ok_or(Reason::Event)?;
            data = signed.data;
            let SignedEvent { counter, key: operator, signature, .. } = signed;
            let message = SignedEvent::message(boot, open.kind, open.source, counter, data);
            if !key::holds(&operator, &message, &signature) {
                return Err(Reason::EventSignature);
            }
            if self.counters.get(&operator).is_some_and(|&last| counter <= last) {
                return Err(Reason::EventCounter);
            }
            self.counters.insert(operator, counter);
        }
        if open.kind == EventKind::Challenge {
            self.challenges.extend(<[u8; 32]>::try_from(data));
        }
        Ok(())
    }
}

impl Open {
    fn begin(event: &Event<'_>) -> Self {
        Self {
            kind: event.kind,
            signed: event.signed,
            source: event.source,
            total: event.total as usize,
            data: event.data.bytes().into(),
        }
    }
}
