//! The gate: halt, arguments, capability, proof, effect, witness.

use super::{Body, Cap, Life, Model, Resource, Said, record::Done};
use crate::deed::{Deed, What};
use abi::{Call, Error, Handle, Kind, Rights, profile::SLICE_RECORDS};
use witness::Verdict;

/// What the gate should say.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The caller has its answer, and this in its window.
    Value(i64, Vec<u8>),
    /// It waits.
    Blocked,
    /// It has ended.
    Ended,
    /// Nothing has happened.
    NextSlice,
}

/// What an effect comes to.
pub(super) enum Outcome {
    Done(Done),
    Kill(u32),
    Until(u64),
    Message(u64, u32),
    /// There is no record left for a guard's word.
    NoRecord,
}

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        Self::Done(done)
    }
}

/// Who calls, and what for.
pub(super) struct Caller {
    pub who: u32,
    pub handle: Handle,
    pub cap: Cap,
    pub record: u64,
}

/// What each operation of each call needs: from the headers of the calls.
fn needs(call: Call, operation: u32) -> Option<(Option<Kind>, Rights)> {
    Some(match (call, operation) {
        (Call::TaskSpawn, 0) => (Some(Kind::Component), Rights::EXECUTE),
        (Call::CapGrant, 0) => (None, Rights::GRANT),
        (Call::CapGrant, 1) => (None, Rights::REVOKE),
        (Call::CapGrant, 2) => (None, Rights::NONE),
        (Call::RegionMap, 0) => (Some(Kind::Region), Rights::READ),
        (Call::RegionMap, 1 | 2 | 4) => (Some(Kind::Region), Rights::WRITE),
        (Call::RegionMap, 3) => (Some(Kind::Memory), Rights::WRITE),
        (Call::QueueSend, 0 | 1) => (Some(Kind::Queue), Rights::WRITE),
        (Call::QueueRecv, 0) => (Some(Kind::Queue), Rights::READ),
        (Call::TimerWait, 0 | 1) => (Some(Kind::Timer), Rights::READ),
        (Call::RvfMount, 0 | 1) => (Some(Kind::Namespace), Rights::MOUNT),
        (Call::AttestEmit, 0) => (Some(Kind::Log), Rights::WRITE),
        (Call::AttestEmit, 1) => (None, Rights::PROVE),
        (Call::VectorGet, 0 | 1) => (Some(Kind::VectorStore), Rights::READ),
        (Call::VectorGet, 2) => (Some(Kind::GraphStore), Rights::READ),
        (Call::VectorPutProved, 0) => (Some(Kind::VectorStore), Rights::WRITE),
        (Call::GraphApplyProved, 0..=4) => (Some(Kind::GraphStore), Rights::WRITE),
        (Call::SensorSubscribe, 0) => (Some(Kind::Sensor), Rights::READ),
        _ => return None,
    })
}

/// Whether the arguments are those of this call.
fn fits(call: Call, operation: u32, what: &What) -> bool {
    let of = match what {
        What::Spawn { .. } => (Call::TaskSpawn, 0),
        What::Grant(_) => (Call::CapGrant, 0),
        What::TakeBack => (Call::CapGrant, if operation == 0 { 1 } else { operation }),
        What::Read { .. } => (Call::RegionMap, 0),
        What::Append(_) => (Call::RegionMap, 1),
        What::Write { .. } => (Call::RegionMap, 2),
        What::Create { .. } => (Call::RegionMap, 3),
        What::Free { .. } => (Call::RegionMap, 4),
        What::Send { .. } => (Call::QueueSend, 0),
        What::SendReference { .. } => (Call::QueueSend, 1),
        What::Receive { .. } => (Call::QueueRecv, 0),
        What::Wait { .. } => (Call::TimerWait, operation),
        What::Mount { .. } => (Call::RvfMount, 0),
        What::Unmount { .. } => (Call::RvfMount, 1),
        What::Claim { .. } => (Call::AttestEmit, 0),
        What::Approve { .. } => (Call::AttestEmit, 1),
        What::Get { .. } => (Call::VectorGet, operation),
        What::Put { .. } => (Call::VectorPutProved, 0),
        What::Apply { .. } => (Call::GraphApplyProved, operation),
        What::Subscribe { .. } => (Call::SensorSubscribe, 0),
    };
    of == (call, operation)
}

impl Model {
    /// A call, from the gate's entry to its answer.
    pub fn call(&mut self, who: u32, deed: &Deed, learn: &dyn super::Learn) -> Reply {
        if who != 0 && self.calls >= SLICE_RECORDS {
            return Reply::NextSlice;
        }
        let partition = self.tasks[&who].partition;
        if self.left(partition, Resource::Records) == 0 {
            self.end_by_records(who);
            return Reply::Ended;
        }
        self.spend_of(partition, Resource::Records, 1);
        self.calls += 1;
        self.look_for_dead();

        let mut said = Said::new(who, deed);
        said.tail = self.tail(who, deed);
        let named = self.tasks.get_mut(&who).unwrap().space.get_mut(deed.handle);
        said.cause = named.and_then(|cap| cap.granted_by.take());
        self.pass(who, deed, said, learn)
    }

    /// A receive whose turn has come.
    pub fn receive(&mut self, who: u32, window: usize, learn: &dyn super::Learn) -> Reply {
        let said = self.tasks.get_mut(&who).unwrap().waits_in.take().expect("it waits");
        let deadline = said.argument;
        let (call, handle, operation) = (said.call, said.handle, said.operation);
        let what = Ok(What::Receive { deadline, window });
        let deed = Deed { call, handle, operation, fuel: u64::MAX, what };
        self.pass(who, &deed, said, learn)
    }

    fn pass(&mut self, who: u32, deed: &Deed, mut said: Said, learn: &dyn super::Learn) -> Reply {
        let decided = self.decide(who, deed, &mut said, learn);
        let handle = deed.handle;
        match decided {
            Ok(Outcome::Done(done)) => {
                self.use_up(who, handle);
                let value = done.handle.map_or(done.result, |handle| i64::from(handle.0));
                let window = done.window.clone();
                self.say(said, Verdict::Allowed, done);
                Reply::Value(value, window)
            }
            Ok(Outcome::Kill(victim)) => {
                self.use_up(who, handle);
                self.say(said, Verdict::Allowed, Done::default());
                self.end(victim, 4, 0);
                if self.tasks[&who].is_alive() { Reply::Value(0, vec![]) } else { Reply::Ended }
            }
            Ok(Outcome::Until(until)) => {
                self.use_up(who, handle);
                self.wait(who, said, Life::Waiting(until, None))
            }
            Ok(Outcome::Message(until, queue)) => {
                self.wait(who, said, Life::Waiting(until, Some(queue)))
            }
            Ok(Outcome::NoRecord) => {
                let partition = self.tasks[&who].partition;
                self.give_back(partition, Resource::Records, 1);
                self.end_by_records(who);
                Reply::Ended
            }
            Err(error) => {
                self.say(said, Verdict::Denied(error), Done::default());
                let task = self.tasks.get_mut(&who).unwrap();
                if error == Error::Halted {
                    task.life = Life::Parked;
                    task.answer = Some(error.to_guest());
                    return Reply::Blocked;
                }
                Reply::Value(error.to_guest(), vec![])
            }
        }
    }

    fn wait(&mut self, who: u32, said: Said, life: Life) -> Reply {
        let task = self.tasks.get_mut(&who).unwrap();
        (task.life, task.waits_in) = (life, Some(said));
        Reply::Blocked
    }

    fn decide(
        &mut self,
        who: u32,
        deed: &Deed,
        said: &mut Said,
        learn: &dyn super::Learn,
    ) -> Result<Outcome, Error> {
        if self.halted {
            return Err(Error::Halted);
        }
        let needs = needs(deed.call, deed.operation).ok_or(Error::BadOperation)?;
        let what = deed.what.clone()?;
        if !fits(deed.call, deed.operation, &what) {
            return Err(Error::BadArgument);
        }
        if let Ok(cap) = self.tasks[&who].space.get(deed.handle) {
            (said.object, said.badge) = (cap.object, cap.badge);
        }
        let cap = self.held(who, deed.handle, needs.0)?;
        let is_drop = (deed.call, deed.operation) == (Call::CapGrant, 2);
        if !is_drop {
            self.usable(&cap, needs.1)?;
        }
        let caller = Caller { who, handle: deed.handle, cap, record: self.next };
        self.effect(&caller, deed, what, learn)
    }

    /// What a handle names, if it is for this kind.
    pub(super) fn held(&self, who: u32, handle: Handle, kind: Option<Kind>) -> Result<Cap, Error> {
        let cap = self.tasks[&who].space.get(handle)?;
        let fits = kind.is_none_or(|kind| kind == cap.kind);
        if fits { Ok(cap.clone()) } else { Err(Error::WrongKind) }
    }

    /// Whether a capability allows a use: rights, then life. A right to grant
    /// once is one to grant.
    pub(super) fn usable(&self, cap: &Cap, rights: Rights) -> Result<(), Error> {
        let held = match cap.may_pass() {
            true => cap.rights | Rights::GRANT,
            false => cap.rights,
        };
        if !held.contains(rights) {
            return Err(Error::MissingRight);
        }
        self.is_live(cap)
    }

    /// A further capability that a call names.
    pub(super) fn also(
        &self,
        who: u32,
        handle: Handle,
        kind: Kind,
        rights: Rights,
    ) -> Result<Cap, Error> {
        let cap = self.held(who, handle, Some(kind))?;
        self.usable(&cap, rights)?;
        Ok(cap)
    }

    /// One use less, where uses are counted.
    pub(super) fn use_up(&mut self, who: u32, handle: Handle) {
        self.debit(who, handle, 1);
    }

    pub(super) fn debit(&mut self, who: u32, handle: Handle, uses: u32) {
        if let Some(cap) = self.tasks.get_mut(&who).unwrap().space.get_mut(handle)
            && cap.uses != u32::MAX
        {
            cap.uses = cap.uses.saturating_sub(uses);
        }
    }

    /// Four slots a call: dead capabilities go, and leave behind why.
    fn look_for_dead(&mut self) {
        for _ in 0..4 {
            let (place, slot) = self.sweep;
            let Some((&who, task)) = self.tasks.iter().nth(place) else {
                self.sweep = (0, 0);
                return;
            };
            if slot == task.space.size() {
                self.sweep = (place + 1, 0);
                continue;
            }
            self.sweep = (place, slot + 1);
            let found = task.space.at(slot).map(|(handle, cap)| (handle, self.is_live(cap)));
            if let Some((handle, Err(why))) = found {
                self.take_away(who, handle, why);
            }
        }
    }

    pub(super) fn take_away(&mut self, who: u32, handle: Handle, why: Error) {
        let gone = self.tasks.get_mut(&who).unwrap().space.remove(handle, why);
        // Who was held until now goes at the end of the slice.
        if let Some(cap) = gone {
            self.let_go(cap.object);
        }
    }

    fn let_go(&mut self, number: u32) {
        let Some(object) = self.objects.get(&number) else { return };
        if Self::needs_holder(&object.body) && !self.is_held(number) {
            self.doomed.insert(number);
        }
    }

    fn tail(&self, who: u32, deed: &Deed) -> Vec<u8> {
        match &deed.what {
            Ok(What::Claim { body, .. }) if deed.call == Call::AttestEmit => body.clone(),
            Ok(What::Mount { path, .. } | What::Unmount { path })
                if deed.call == Call::RvfMount =>
            {
                path.as_bytes().to_vec()
            }
            _ if deed.call == Call::TaskSpawn => {
                let cap = self.tasks[&who].space.get(deed.handle).ok();
                let object = cap.and_then(|cap| self.objects.get(&cap.object));
                object.map_or(vec![], |object| object.name.as_bytes().to_vec())
            }
            _ => vec![],
        }
        .into_iter()
        .take(128)
        .collect()
    }

    pub(super) fn body(&self, object: u32) -> Result<&Body, Error> {
        self.objects.get(&object).map(|it| &it.body).ok_or(Error::Revoked)
    }

    pub(super) fn queue(&mut self, object: u32) -> Option<&mut super::Queue> {
        match self.objects.get_mut(&object).map(|it| &mut it.body) {
            Some(Body::Queue(queue)) => Some(queue),
            _ => None,
        }
    }
}
