//! Writing records: each subject's chain.

use crate::Nucleus;
use crate::snapshot::saved;
use witness::{Body, Draft, Index, Reservation, Subject, Verdict, record::Point};

/// Where a subject's chain of records stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Number of its next record.
    sequence: u32,
    /// Its last record.
    last: Option<Index>,
    /// What its first record names as its cause.
    origin: Option<Index>,
}

impl Chain {
    /// The chain of a task that this record spawned.
    pub(crate) fn spawned_by(record: Index) -> Self {
        Self { sequence: 0, last: None, origin: Some(record) }
    }

    /// The kernel's, which begins with the genesis.
    pub(crate) fn after_genesis() -> Self {
        Self { sequence: 1, last: Some(Index(0)), origin: None }
    }

    /// Number of the next record.
    pub(crate) fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The last record.
    pub(crate) fn last(&self) -> Option<Index> {
        self.last
    }

    /// The parents and number of the next record, which will be `index`. A
    /// record has one cause: where it has one of its own, a task's first
    /// record does not name its spawn, which names the task.
    fn advance(
        &mut self,
        index: Index,
        cause: Option<Index>,
    ) -> (u32, Option<Index>, Option<Index>) {
        let origin = self.origin.take();
        let next = (self.sequence, self.last, cause.or(origin));
        // More records than a u32 counts would take centuries.
        self.sequence = self.sequence.saturating_add(1);
        self.last = Some(index);
        next
    }
}

impl Nucleus {
    /// Writes a record of the kernel or a task into its slot.
    pub(crate) fn write(
        &mut self,
        subject: Subject,
        slot: Reservation,
        verdict: Verdict,
        cause: Option<Index>,
        body: Body<'_>,
    ) -> Index {
        let (time_ns, slice) = (self.world.clock.now_ns(), self.world.clock.slice());
        let index = self.log.next();
        let Some(task) = self.world.task_mut(subject) else {
            // Only subjects of the table get slots.
            self.log.release(slot);
            return index;
        };
        let (sequence, previous, cause) = task.chain.advance(index, cause);
        let point = Point { time_ns, slice, fuel: task.spent };
        self.log.write(slot, &Draft { verdict, subject, sequence, point, previous, cause, body })
    }

    /// Writes a record of the world outside.
    pub(crate) fn write_outside(&mut self, slot: Reservation, body: Body<'_>) -> Index {
        let (time_ns, slice) = (self.world.clock.now_ns(), self.world.clock.slice());
        let index = self.log.next();
        let (sequence, previous, cause) = self.outside.advance(index, None);
        let point = Point { time_ns, slice, fuel: 0 };
        let subject = Subject::OUTSIDE;
        let verdict = Verdict::Allowed;
        self.log.write(slot, &Draft { verdict, subject, sequence, point, previous, cause, body })
    }
}

saved!(struct Chain { sequence, last, origin });
