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
    ticket::{InFlight, Tail, Ticket, Work},
    world::{Meter, World},
};
use abi::{Call, Error, Handle, profile::data_fuel};
use witness::{Body, Index, Subject, Verdict, record::CallBody};

/// What the gate says to a request.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would allocate inside the gate")]
pub enum Answer {
    /// It is complete.
    Done {
        /// What the caller gets: a result or a negated reason.
        value: i64,
        /// Fuel that it cost beside its price.
        fuel: u64,
    },
    /// The caller waits; the machine runs others. When it is its turn again,
    /// [`Nucleus::take_answer`] has the answer, or [`Nucleus::receive`] looks
    /// for the message.
    Blocked,
    /// The machine has to prepare something, then commit.
    Prepare(Ticket),
    /// Nothing has happened: this slice has written as many records as it
    /// may. Ask again in the next one.
    NextSlice,
    /// The partition's records are spent, or the caller killed itself. It has
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
        if self.has_no_record(subject) {
            self.end(subject, Ending::RecordsSpent);
            return Answer::Ended;
        }
        let Some(slot) = self.log.reserve() else { return Answer::NextSlice };
        self.world.partitions.spend(partition, Resource::Records, 1);
        self.world.slice_records = self.world.slice_records.saturating_add(1);
        self.world.sweep();

        let body = CallBody {
            handle: request.handle,
            operation: request.operation,
            length: request.length,
            argument: request.argument,
            ..CallBody::new(request.call)
        };
        let tail = self.world.tail(subject, &request);
        let granted_by = self.world.first_use(subject, request.handle);
        let call = InFlight { slot, body, tail, granted_by };
        self.pass(subject, call, request)
    }

    /// All stages but the reservation.
    pub(crate) fn pass(
        &mut self,
        subject: Subject,
        mut call: InFlight,
        request: Request<'_>,
    ) -> Answer {
        self.world.next_record = self.log.next();
        self.world.call_fuel = Meter { left: request.fuel, spent: 0 };
        match self.world.decide(subject, request, &mut call.body) {
            Ok((Effect::Done(done), authorised)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                self.allowed(subject, call, &done);
                self.done(subject, done.result, done.length)
            }
            Ok((Effect::Kill(victim), authorised)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                self.allowed(subject, call, &Done::default());
                self.end(victim, Ending::Killed);
                self.done(subject, 0, 0)
            }
            Ok((Effect::Until(until), authorised)) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                self.block(subject, call, until, None)
            }
            Ok((Effect::Message { deadline }, authorised)) => {
                self.block(subject, call, deadline, Some(authorised))
            }
            Ok((Effect::Prepare(Work::Guard { .. }), _)) if self.has_no_record(subject) => {
                // The guard's word would be one more than there are.
                self.log.release(call.slot);
                let partition = self.world.partition_of(subject);
                self.world.partitions.give_back(partition, Resource::Records, 1);
                self.end(subject, Ending::RecordsSpent);
                Answer::Ended
            }
            Ok((Effect::Prepare(work), authorised)) => {
                let fuel = self.world.call_fuel.spent;
                Answer::Prepare(Ticket { subject, call, authorised, work, fuel })
            }
            Err(error) => self.denied(subject, call, error),
        }
    }

    /// Whether a subject's partition has no record left.
    fn has_no_record(&self, subject: Subject) -> bool {
        let partition = self.world.partition_of(subject);
        self.world.partitions.left(partition, Resource::Records) == 0
    }

    fn done(&self, subject: Subject, value: i64, moved: u32) -> Answer {
        let is_alive = self.world.task(subject).is_some_and(|task| task.state().is_alive());
        if subject.is_task() && !is_alive {
            return Answer::Ended;
        }
        let fuel = data_fuel(u64::from(moved)).saturating_add(self.world.call_fuel.spent);
        Answer::Done { value, fuel }
    }

    /// Witnesses a call that was done.
    pub(crate) fn allowed(&mut self, subject: Subject, call: InFlight, done: &Done) -> Index {
        let Done { result, length, digest, cause } = *done;
        let body = CallBody { result, length, digest, ..call.body };
        self.witness(subject, Verdict::Allowed, cause, InFlight { body, ..call })
    }

    /// Witnesses and answers a call that was denied. One that was denied
    /// because the gate is stopped parks its caller, so that it is denied
    /// once and not in a loop.
    pub(crate) fn denied(&mut self, subject: Subject, call: InFlight, error: Error) -> Answer {
        let is_claim = call.body.call == Call::AttestEmit;
        // A claim that was refused is not spread by its refusal.
        let tail = if is_claim { Tail::of(&[]) } else { call.tail };
        self.witness(subject, Verdict::Denied(error), None, InFlight { tail, ..call });
        if error == Error::Halted
            && let Some(task) = self.world.task_mut(subject)
            && task.become_(State::Parked)
        {
            task.answer = Some(error.to_guest());
            return Answer::Blocked;
        }
        Answer::Done { value: error.to_guest(), fuel: self.world.call_fuel.spent }
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
        verdict: Verdict,
        cause: Option<Index>,
        call: InFlight,
    ) -> Index {
        let InFlight { slot, body, tail, granted_by } = call;
        let body = CallBody { tail: tail.short(), ..body };
        self.write(subject, slot, verdict, cause.or(granted_by), Body::Call(body))
    }

    /// Makes the caller wait: for a time, or for a message until a time.
    fn block(
        &mut self,
        subject: Subject,
        call: InFlight,
        until: u64,
        queue: Option<Authorised>,
    ) -> Answer {
        match self.world.task_mut(subject) {
            Some(task) if task.state().may_become(State::Waiting(until)) => {
                task.become_(State::Waiting(until));
                task.waits_on = queue.map(|queue| queue.object());
                task.blocked = Some(call);
                Answer::Blocked
            }
            // Only a running task can wait: the kernel cannot.
            _ => self.denied(subject, call, Error::Unsupported),
        }
    }

    /// Goes on with a receive that has waited: it was the caller's turn.
    /// `into` is the window it was made with, or why that is gone.
    pub fn receive(
        &mut self,
        subject: Subject,
        fuel: u64,
        into: Result<&mut [u8], Error>,
    ) -> Answer {
        let Some(task) = self.world.task_mut(subject) else { return Answer::Ended };
        let Some(call) = task.blocked.take() else { return Answer::Ended };
        task.waits_on = None;
        let deadline = call.body.argument;
        let request = Request {
            call: Call::QueueRecv,
            handle: call.body.handle,
            operation: call.body.operation,
            length: call.body.length,
            argument: deadline,
            fuel,
            arguments: into.map(|into| Arguments::Receive { deadline, into }),
        };
        self.pass(subject, call, request)
    }

    /// Completes the timer calls whose time has come, in order of tasks.
    pub(crate) fn wake(&mut self) {
        let now = self.world.clock.now_ns();
        let result = i64::try_from(now).unwrap_or(i64::MAX);
        let mut place = 0;
        while let Some(task) = self.world.task_at(place) {
            let subject = task.subject;
            let is_due = matches!(task.state(), State::Waiting(until) if until <= now);
            if is_due && task.waits_on.is_none() {
                self.wake_one(subject, result);
            }
            place = place.saturating_add(1);
        }
    }

    fn wake_one(&mut self, subject: Subject, result: i64) {
        let Some(task) = self.world.task_mut(subject) else { return };
        if task.become_(State::Ready) {
            task.answer = Some(result);
            if let Some(call) = task.blocked.take() {
                self.allowed(subject, call, &Done { result, ..Done::default() });
            }
        }
    }

    /// Completes a call that is cut short: by its caller's end, or a stop.
    pub(crate) fn cut_short(&mut self, subject: Subject) {
        let Some(task) = self.world.task_mut(subject) else { return };
        task.waits_on = None;
        if let Some(call) = task.blocked.take() {
            self.witness(subject, Verdict::CutShort, None, call);
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
        if !arguments.fit(call, operation) {
            return Err(Error::BadArgument);
        }
        if let Ok(capability) = evidence::named(self, subject, request.handle) {
            body.object = capability.object.0;
            body.badge = capability.badge;
        }
        let authorised = evidence::authorise(self, subject, request.handle, call, operation)?;
        let verified = evidence::verify(self, subject, &authorised, &arguments)?;
        let context = syscall::Context { subject, operation, authorised: &authorised };
        let effect = syscall::effect(self, &context, verified, arguments)?;
        Ok((effect, authorised))
    }

    /// The grant behind a capability, the first time it is named.
    fn first_use(&mut self, subject: Subject, handle: Handle) -> Option<Index> {
        self.task_mut(subject)?.space.get_mut(handle)?.granted_by.take()
    }

    /// What stands at the end of the call's record.
    fn tail(&self, subject: Subject, request: &Request<'_>) -> Tail {
        match (request.call, &request.arguments) {
            (Call::AttestEmit, Ok(Arguments::Claim { body, .. })) => Tail::of(body),
            (Call::RvfMount, Ok(Arguments::Mount { path, .. } | Arguments::Unmount { path })) => {
                Tail::of(path.as_bytes())
            }
            (Call::TaskSpawn, _) => {
                let capability = evidence::named(self, subject, request.handle).ok();
                let object = capability.and_then(|capability| self.objects.get(capability.object));
                Tail::of(object.map_or(&[], |object| object.name.as_bytes()))
            }
            _ => Tail::of(&[]),
        }
    }
}
