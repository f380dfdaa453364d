//! The gate: the one way for a call to have an effect.
//!
//! Halt, arguments, capability, proof, effect, witness. The slot for the
//! record is reserved before the first stage and filled after the last, so a
//! call that cannot be witnessed does not happen, and every call that does is
//! witnessed once, denied or not.

use crate::{
    Nucleus,
    end::Ending,
    evidence::{self, Authorised},
    partition::Resource,
    request::{Arguments, Request},
    syscall::{self, Done, Effect},
    task::State,
    ticket::{InFlight, Tail, Ticket},
    world::World,
};
use abi::{Call, Error};
use witness::{Body, Index, Subject, Verdict, record::CallBody};

/// What the gate says to a request.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would allocate inside the gate")]
pub enum Answer {
    /// It is complete.
    Done {
        /// What the caller gets: a result or a negated reason.
        value: i64,
        /// Bytes that were moved, which cost fuel.
        moved: u32,
    },
    /// The caller waits; the machine runs others. [`Nucleus::take_answer`]
    /// has the answer when the caller is ready again.
    Blocked,
    /// The machine has to prepare something, then commit.
    Prepare(Ticket),
    /// Nothing has happened: this slice has written as many records as it
    /// may. Ask again in the next one.
    NextSlice,
    /// The partition's records are spent. There is no call; the caller has
    /// been ended.
    Ended,
}

impl Nucleus {
    /// Takes a request through the gate. Neither allocates nor panics.
    pub fn gate(&mut self, subject: Subject, request: Request<'_>) -> Answer {
        if subject.is_task() && self.is_slice_full() {
            return Answer::NextSlice;
        }
        let partition = self.world.partition_of(subject);
        if self.world.partitions.left(partition, Resource::Records) == 0 {
            self.end(subject, Ending::RecordsSpent);
            return Answer::Ended;
        }
        let Some(slot) = self.log.reserve() else { return Answer::NextSlice };
        self.world.partitions.spend(partition, Resource::Records, 1);
        self.world.slice_records = self.world.slice_records.saturating_add(1);

        let body = CallBody {
            handle: request.handle,
            operation: request.operation,
            length: request.length,
            argument: request.argument,
            ..CallBody::new(request.call)
        };
        self.world.next_record = Some(self.log.next());
        let mut call = InFlight { slot, body, tail: self.world.tail(subject, &request) };
        match self.world.decide(subject, request, &mut call.body) {
            Ok((Effect::Done(done), authorised)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                self.allowed(subject, call, &done);
                Answer::Done { value: done.result, moved: done.length }
            }
            Ok((Effect::Until(until), authorised)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                self.block(subject, call, until)
            }
            Ok((Effect::Prepare(work), authorised)) => {
                Answer::Prepare(Ticket { subject, call, authorised, work })
            }
            Err(error) => self.denied(subject, call, error),
        }
    }

    /// Witnesses a call that was done.
    pub(crate) fn allowed(&mut self, subject: Subject, call: InFlight, done: &Done) -> Index {
        let Done { result, length, digest, cause } = *done;
        let body = CallBody { result, length, digest, ..call.body };
        self.witness(subject, call.slot, Verdict::Allowed, cause, body, &call.tail)
    }

    /// Witnesses and answers a call that was denied. One that was denied
    /// because the gate is stopped parks its caller, so that it is denied
    /// once and not in a loop.
    pub(crate) fn denied(&mut self, subject: Subject, call: InFlight, error: Error) -> Answer {
        // A claim that was refused is not spread by its refusal.
        let tail = if call.body.call == Call::AttestEmit { Tail::of(&[]) } else { call.tail };
        self.witness(subject, call.slot, Verdict::Denied(error), None, call.body, &tail);
        if error == Error::Halted
            && let Some(task) = self.world.task_mut(subject)
            && task.become_(State::Parked)
        {
            task.answer = Some(error.to_guest());
            return Answer::Blocked;
        }
        Answer::Done { value: error.to_guest(), moved: 0 }
    }

    /// Has an answer wait for a task. The kernel gets its own directly.
    pub(crate) fn answer(&mut self, subject: Subject, value: i64) {
        if subject.is_task()
            && let Some(task) = self.world.task_mut(subject)
        {
            task.answer = Some(value);
        }
    }

    fn witness(
        &mut self,
        subject: Subject,
        slot: witness::Reservation,
        verdict: Verdict,
        cause: Option<Index>,
        body: CallBody<'_>,
        tail: &Tail,
    ) -> Index {
        let body = CallBody { tail: tail.short(), ..body };
        self.write(subject, slot, verdict, cause, Body::Call(body))
    }

    /// Makes the caller wait for a time.
    fn block(&mut self, subject: Subject, call: InFlight, until: u64) -> Answer {
        match self.world.task_mut(subject) {
            Some(task) if task.state().may_become(State::Waiting(until)) => {
                task.become_(State::Waiting(until));
                task.blocked = Some(call);
                Answer::Blocked
            }
            // Only a running task can wait: the kernel cannot.
            _ => self.denied(subject, call, Error::Unsupported),
        }
    }

    /// Completes the calls whose time has come, in order of tasks.
    pub(crate) fn wake(&mut self) {
        let now = self.world.clock.now_ns();
        let result = i64::try_from(now).unwrap_or(i64::MAX);
        let mut number = 0;
        while let Some(task) = self.world.task_mut(Subject(number)) {
            let is_due = matches!(task.state(), State::Waiting(until) if until <= now);
            if is_due && task.become_(State::Ready) {
                task.answer = Some(result);
                if let Some(call) = task.blocked.take() {
                    self.allowed(Subject(number), call, &Done { result, ..Done::default() });
                }
            }
            number = number.saturating_add(1);
        }
    }

    /// Completes a call that its caller's end cuts short.
    pub(crate) fn cut_short(&mut self, subject: Subject) {
        let blocked = self.world.task_mut(subject).and_then(|task| task.blocked.take());
        if let Some(call) = blocked {
            let InFlight { slot, body, tail } = call;
            self.witness(subject, slot, Verdict::CutShort, None, body, &tail);
        }
    }
}

impl World {
    /// The stages between the two halves of witnessing. Fills in what the
    /// record says about the capability as soon as it is known.
    fn decide(
        &mut self,
        subject: Subject,
        request: Request<'_>,
        body: &mut CallBody<'_>,
    ) -> Result<(Effect, Authorised), Error> {
        evidence::halt(self, subject)?;
        let call = request.call;
        let operation = call.operation(request.operation).ok_or(Error::BadOperation)?;
        let arguments = request.arguments?;
        if let Ok(capability) = evidence::named(self, subject, request.handle) {
            body.object = capability.object.0;
            body.badge = capability.badge;
        }
        let authorised = evidence::authorise(self, subject, request.handle, call, operation)?;
        let verified = evidence::verify(self, subject, call, &arguments)?;
        let context = syscall::Context { subject, operation, authorised: &authorised };
        let effect = syscall::effect(self, &context, verified, arguments)?;
        Ok((effect, authorised))
    }

    /// What stands at the end of the call's record.
    fn tail(&self, subject: Subject, request: &Request<'_>) -> Tail {
        match (request.call, &request.arguments) {
            (Call::AttestEmit, Ok(Arguments::Claim { body, .. })) => Tail::of(body),
            (Call::RvfMount, Ok(Arguments::Mount { path, .. })) => Tail::of(path.as_bytes()),
            (Call::TaskSpawn, _) => {
                let capability = evidence::named(self, subject, request.handle).ok();
                let object = capability.and_then(|capability| self.objects.get(capability.object));
                Tail::of(object.map_or(&[], |object| object.name.as_bytes()))
            }
            _ => Tail::of(&[]),
        }
    }
}
