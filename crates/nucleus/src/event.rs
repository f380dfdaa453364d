//! Events: what comes in from outside, recorded before any task can see it.

use crate::{Nucleus, end::Ending, object::ObjectId, queue::Message, task::State};
use alloc::vec::Vec;
use witness::{
    Body, Index, Subject,
    record::{Continuation, Event, EventKind, NO_OBJECT},
};

/// Something that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// What it is.
    pub kind: EventKind,
    /// Its data.
    pub data: &'a [u8],
}

/// Why an event was not admitted. It has then left no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The log has no room until it is sealed.
    SealFirst,
    /// The data is longer than an event's can be, or not what the kind asks
    /// for.
    BadLength,
    /// This build does nothing with events of this kind.
    Unsupported,
}

impl core::fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::SealFirst => "the log has no room until it is sealed",
            Self::BadLength => "the event's data does not have the right length",
            Self::Unsupported => "this build does nothing with events of this kind",
        })
    }
}

impl core::error::Error for NotAdmitted {}

impl Nucleus {
    /// Records an event and lets it have its effect. Between slices only.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn admit(&mut self, input: Input<'_>) -> Result<Index, NotAdmitted> {
        let Input { kind, data } = input;
        let source = match kind {
            EventKind::ConsoleInput => ObjectId::CONSOLE_INPUT.0,
            EventKind::Challenge
            | EventKind::Stop
            | EventKind::Resume
            | EventKind::Shutdown
            | EventKind::Reboot
            | EventKind::Entropy => NO_OBJECT,
            _ => return Err(NotAdmitted::Unsupported),
        };
        let event = Event::new(kind, false, source, data).ok_or(NotAdmitted::BadLength)?;
        let index = self.record(event, data)?;
        self.happen(kind, data, index);
        Ok(index)
    }

    /// Writes the event and its continuations, all or none.
    fn record(&mut self, event: Event<'_>, data: &[u8]) -> Result<Index, NotAdmitted> {
        let parts = 1 + Continuation::of(data).count();
        if self.log.room() < parts {
            return Err(NotAdmitted::SealFirst);
        }
        let bodies = Continuation::of(data).map(Body::Continuation);
        let mut first = None;
        for body in core::iter::once(Body::Event(event)).chain(bodies) {
            let slot = self.log.reserve().ok_or(NotAdmitted::SealFirst)?;
            let index = self.write_outside(slot, body);
            first = first.or(Some(index));
        }
        first.ok_or(NotAdmitted::SealFirst)
    }

    fn happen(&mut self, kind: EventKind, data: &[u8], index: Index) {
        match kind {
            EventKind::ConsoleInput => self.type_in(data, index),
            EventKind::Stop => self.world.halted = true,
            EventKind::Resume => {
                self.world.halted = false;
                self.for_all_tasks(|nucleus, subject| {
                    if let Some(task) = nucleus.world.task_mut(subject)
                        && task.state() == State::Parked
                    {
                        task.become_(State::Ready);
                    }
                });
            }
            EventKind::Shutdown | EventKind::Reboot => {
                self.shut_down = true;
                self.for_all_tasks(|nucleus, subject| nucleus.end(subject, Ending::Killed));
            }
            _ => {}
        }
    }

    /// Puts what was typed into its queue. What does not fit is lost to the
    /// tasks, in the same way at every replay.
    fn type_in(&mut self, bytes: &[u8], index: Index) {
        let Ok(queue) = self.world.objects.queue_mut(ObjectId::CONSOLE_INPUT) else { return };
        let sender = Subject::OUTSIDE.0;
        let message = Message { kind: 0, priority: 0, badge: 0, sender, sent: Some(index), bytes };
        let _ = queue.send(&message);
    }

    fn for_all_tasks(&mut self, mut act: impl FnMut(&mut Self, Subject)) {
        let subjects: Vec<_> = (1..self.world.next_subject().0).map(Subject).collect();
        for subject in subjects {
            act(self, subject);
        }
    }
}
