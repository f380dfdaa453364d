//! What the log should say.

use super::{Life, Model};
use abi::{Call, Handle};
use witness::{Hash, Verdict, record::NO_OBJECT};

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Call(Said),
    /// What came in.
    Event,
    Exit {
        subject: u32,
        code: i32,
    },
    Guard {
        subject: u32,
        store: u32,
        allowed: bool,
        component: Hash,
    },
    StateRoot {
        subject: u32,
    },
    OutOfFuel {
        subject: u32,
        given: u64,
        spent: u64,
    },
    RecordsSpent {
        subject: u32,
        limit: u64,
    },
}

/// The record of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub subject: u32,
    pub sequence: u32,
    pub time: u64,
    pub fuel: u64,
    pub previous: Option<u64>,
    pub cause: Option<u64>,
    pub verdict: Verdict,
    pub call: Call,
    pub handle: Handle,
    pub operation: u32,
    pub object: u32,
    pub badge: u64,
    pub length: u32,
    pub argument: u64,
    pub result: i64,
    pub digest: Hash,
    pub tail: Vec<u8>,
}

/// What a call that was done came to.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub result: i64,
    /// What the caller gets, where that is not the result.
    pub handle: Option<Handle>,
    pub length: u32,
    /// If it is the call that says which.
    pub argument: Option<u64>,
    pub digest: Hash,
    pub cause: Option<u64>,
    /// What is in the window.
    pub window: Vec<u8>,
}

impl Said {
    /// Nothing is known yet but how the call was made.
    pub fn new(subject: u32, deed: &crate::deed::Deed) -> Self {
        let (length, argument) = deed.shown();
        Self {
            subject,
            sequence: 0,
            time: 0,
            fuel: 0,
            previous: None,
            cause: None,
            verdict: Verdict::Allowed,
            call: deed.call,
            handle: deed.handle,
            operation: deed.operation,
            object: NO_OBJECT,
            badge: 0,
            length,
            argument,
            result: 0,
            digest: [0; 32],
            tail: vec![],
        }
    }
}

impl Model {
    /// Writes the record of a call. `said.cause` is the grant behind its
    /// capability, if this was the first call with it.
    pub(super) fn say(&mut self, said: Said, verdict: Verdict, done: Done) {
        let (time, index) = (self.now, self.next);
        let task = self.tasks.get_mut(&said.subject).unwrap();
        let origin = task.origin.take();
        let mut said = Said {
            sequence: task.sequence,
            time,
            fuel: task.spent,
            previous: task.last,
            cause: done.cause.or(said.cause).or(origin),
            verdict,
            ..said
        };
        if verdict == Verdict::Allowed {
            said.result = done.result;
            said.length = done.length;
            said.digest = done.digest;
            said.argument = done.argument.unwrap_or(said.argument);
        } else if said.call == Call::AttestEmit {
            said.tail = vec![];
        }
        task.sequence += 1;
        task.last = Some(index);
        self.write(Line::Call(said));
    }

    /// Writes a record of a task's own that is none of a call.
    pub(super) fn tell(&mut self, subject: u32, line: Line) {
        let index = self.next;
        let task = self.tasks.get_mut(&subject).unwrap();
        assert!(!matches!(task.life, Life::Ended { .. }));
        task.origin = None;
        task.sequence += 1;
        task.last = Some(index);
        self.write(line);
    }

    pub(super) fn write(&mut self, line: Line) {
        self.lines.push((self.next, line));
        self.next += 1;
    }
}
