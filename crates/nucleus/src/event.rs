//! Events: what comes in from outside, recorded before any task can see it.

use crate::snapshot::saved;
use crate::{
    Nucleus,
    end::Ending,
    evidence,
    object::{Body as Content, ObjectId},
    queue::Message,
    task::State,
};
use abi::{Error, SignedProof, profile::MESSAGE_BYTES};
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
    /// The sensor, for a reading; none for other kinds.
    pub source: Option<ObjectId>,
    /// Its data.
    pub data: &'a [u8],
}

impl<'a> Input<'a> {
    /// Something that does not come from a sensor.
    pub fn new(kind: EventKind, data: &'a [u8]) -> Self {
        Self { kind, source: None, data }
    }

    /// A sensor's reading, of at most [`MESSAGE_BYTES`] bytes.
    pub fn reading(sensor: ObjectId, data: &'a [u8]) -> Self {
        Self { kind: EventKind::Sensor, source: Some(sensor), data }
    }
}

/// Why an event was not admitted. It has then left no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The log has no room until it is sealed.
    SealFirst,
    /// The data is longer than an event's can be, or not what the kind asks
    /// for.
    BadLength,
    /// There is no such sensor.
    NoSensor,
    /// This build does nothing with events of this kind.
    Unsupported,
    /// Snapshots are for packages that ask for state roots.
    NoJournal,
    /// A request to mount a package came without its file.
    NoPackage,
    /// The package may come to take more memory than this machine has left.
    NoMemory,
}

impl core::fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::SealFirst => "the log has no room until it is sealed",
            Self::BadLength => "the event's data does not have the right length",
            Self::NoSensor => "there is no such sensor",
            Self::Unsupported => "this build does nothing with events of this kind",
            Self::NoJournal => "the package's manifest does not ask for state roots",
            Self::NoPackage => "the package to mount is not at hand",
            Self::NoMemory => "the package may come to take more memory than there is",
        })
    }
}

impl core::error::Error for NotAdmitted {}

/// The signed proofs that came in last, so that what they allow can name them.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    last: [Option<(SignedProof, Index)>; 32],
    next: usize,
}

impl Approvals {
    fn remember(&mut self, proof: SignedProof, index: Index) {
        let size = self.last.len();
        if let Some(place) = self.last.get_mut(self.next) {
            *place = Some((proof, index));
        }
        self.next = self.next.saturating_add(1).checked_rem(size).unwrap_or(0);
    }

    /// The event that brought this proof, if it came lately.
    pub(crate) fn record_of(&self, proof: &SignedProof) -> Option<Index> {
        let known = self.last.iter().flatten().find(|(known, _)| known == proof);
        known.map(|(_, index)| *index)
    }
}

impl Nucleus {
    /// Records an event and lets it have its effect. Between slices only.
    ///
    /// # Errors
    /// See [`NotAdmitted`].
    pub fn admit(&mut self, input: Input<'_>) -> Result<Index, NotAdmitted> {
        let Input { kind, source, data } = input;
        let source = match kind {
            EventKind::ConsoleInput => ObjectId::CONSOLE_INPUT.0,
            EventKind::Approval if data.len() == SignedProof::SIZE => ObjectId::APPROVALS.0,
            EventKind::Approval => return Err(NotAdmitted::BadLength),
            EventKind::Sensor if data.len() > MESSAGE_BYTES => return Err(NotAdmitted::BadLength),
            EventKind::Sensor => {
                let sensor = source.filter(|id| self.world.objects.sensor_mut(*id).is_ok());
                sensor.ok_or(NotAdmitted::NoSensor)?.0
            }
            EventKind::Challenge
            | EventKind::Stop
            | EventKind::Resume
            | EventKind::Shutdown
            | EventKind::Reboot
            | EventKind::Snapshot
            | EventKind::Entropy
            | EventKind::MountRequest
            | EventKind::Trace
            | EventKind::Unrecorded
            | EventKind::Panic => NO_OBJECT,
            _ => return Err(NotAdmitted::Unsupported),
        };
        let event = Event::new(kind, false, source, data).ok_or(NotAdmitted::BadLength)?;
        let index = self.record(event, data)?;
        self.happen(kind, ObjectId(source), data, index);
        self.world.bury();
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

    fn happen(&mut self, kind: EventKind, source: ObjectId, data: &[u8], index: Index) {
        match kind {
            EventKind::ConsoleInput => self.arrive(source, data, index),
            EventKind::Approval => {
                let proof = data.try_into().ok().and_then(SignedProof::from_bytes);
                if let Some(proof) = proof {
                    self.world.approvals.remember(proof, index);
                }
                self.arrive(source, data, index);
            }
            EventKind::Sensor => self.read_out(source, data, index),
            EventKind::Stop => self.stop(),
            EventKind::Resume => self.resume(),
            EventKind::Shutdown | EventKind::Reboot => {
                self.shut_down = true;
                for subject in self.subjects() {
                    self.end(subject, Ending::Killed);
                }
            }
            _ => {}
        }
    }

    /// Puts what came in into a queue of the machine's own. What does not fit
    /// is lost to the tasks, in the same way at every replay.
    fn arrive(&mut self, queue: ObjectId, bytes: &[u8], index: Index) {
        let Ok(queue) = self.world.objects.queue_mut(queue) else { return };
        let _ = queue.send(&message(0, 0, index), bytes, None);
    }

    /// Passes a reading on to who subscribed and still may.
    fn read_out(&mut self, sensor: ObjectId, bytes: &[u8], index: Index) {
        let mut number: usize = 0;
        while let Some(place) =
            self.world.objects.sensor_mut(sensor).ok().and_then(|it| it.subscription(number))
        {
            if let Some(subscription) = place {
                let is_live =
                    |capability| evidence::is_live(&self.world, capability) == Ok::<(), Error>(());
                if is_live(&subscription.source) && is_live(&subscription.queue) {
                    let target = subscription.queue;
                    if let Ok(queue) = self.world.objects.queue_mut(target.object) {
                        let message = message(sensor.0, target.badge, index);
                        let arrived = queue.send(&message, bytes, None).is_ok();
                        if arrived && let Ok(sensor) = self.world.objects.sensor_mut(sensor) {
                            sensor.count(number);
                        }
                    }
                } else {
                    self.world.end_subscription(sensor, number);
                }
            }
            number = number.saturating_add(1);
        }
    }

    /// Stops the gate. Calls that wait are cut short, and their callers park.
    fn stop(&mut self) {
        self.world.halted = true;
        for subject in self.subjects() {
            let Some(task) = self.world.task_mut(subject) else { continue };
            if task.blocked.is_some() && task.become_(State::Parked) {
                task.answer = Some(Error::CutShort.to_guest());
                self.cut_short(subject);
            }
        }
    }

    fn resume(&mut self) {
        self.world.halted = false;
        for subject in self.subjects() {
            if let Some(task) = self.world.task_mut(subject)
                && task.state() == State::Parked
            {
                task.become_(State::Ready);
                self.stamp(subject);
            }
        }
    }

    fn subjects(&self) -> Vec<Subject> {
        self.world.tasks().iter().skip(1).map(|task| task.subject).collect()
    }

    /// Sensors by name.
    pub fn sensor(&self, name: &str) -> Option<ObjectId> {
        let mut all = self.world.objects.iter();
        let found = all
            .find(|(_, object)| object.name == name && matches!(object.body, Content::Sensor(_)));
        found.map(|(id, _)| id)
    }
}

fn message(kind: u32, badge: u64, index: Index) -> Message {
    Message { kind, priority: 0, badge, sender: Subject::OUTSIDE.0, sent: Some(index) }
}

saved!(struct Approvals { last, next });
