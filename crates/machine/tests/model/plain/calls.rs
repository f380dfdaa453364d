//! The effects of the calls on regions, queues, time, packages and claims.

use super::{
    Body, Cap, Life, Model, Object, Resource, Subscription,
    queue::Message,
    record::Done,
    region::{self, Region},
    stage::{Caller, Outcome},
};
use crate::{
    common::HASHER,
    deed::{Deed, What},
};
use abi::{Error, Handle, Kind, Reference, RegionMode, Rights};

/// What a message's header takes of the window.
const HEADER: usize = 24;

impl Model {
    pub(super) fn effect(
        &mut self,
        by: &Caller,
        deed: &Deed,
        what: What,
        learn: &dyn super::Learn,
    ) -> Result<Outcome, Error> {
        use What as W;
        use abi::Call as C;
        let done = match (deed.call, deed.operation, what) {
            (C::TaskSpawn, 0, W::Spawn { start, passed, prepared }) => {
                self.spawn(by, start, &passed, prepared, learn)?
            }
            (C::CapGrant, 0, W::Grant(terms)) => self.grant(by, &terms)?,
            (C::CapGrant, 1, W::TakeBack) => return Ok(self.revoke(by)),
            (C::CapGrant, 2, W::TakeBack) => {
                self.take_away(by.who, by.handle, Error::StaleHandle);
                Done::default()
            }
            (C::RegionMap, 0, W::Read { offset, window }) => self.read(by, offset, window)?,
            (C::RegionMap, 1, W::Append(bytes)) => {
                let begins = self.region(by)?.append(&bytes)?;
                moved(&bytes, begins as i64)
            }
            (C::RegionMap, 2, W::Write { slot, bytes }) => {
                self.region(by)?.write(slot, &bytes)?;
                moved(&bytes, bytes.len() as i64)
            }
            (C::RegionMap, 4, W::Free { slot }) => {
                self.region(by)?.free(slot)?;
                Done::default()
            }
            (C::RegionMap, 3, W::Create { mode, content }) => {
                self.create(by, mode, &content, learn)?
            }
            (C::QueueSend, 0, W::Send { kind, priority, bytes }) => {
                self.send(by, kind, priority, bytes)?
            }
            (C::QueueSend, 1, W::SendReference { kind, priority, reference }) => {
                self.refer(by, kind, priority, reference)?
            }
            (C::QueueRecv, 0, W::Receive { deadline, window }) => {
                return self.take_message(by, deadline, window);
            }
            (C::TimerWait, operation, W::Wait { ns }) => {
                let until = if operation == 1 { self.now.checked_add(ns) } else { Some(ns) };
                let until = until.filter(|until| *until <= i64::MAX as u64);
                let until = until.ok_or(Error::BadArgument)?;
                if until > self.now {
                    return Ok(Outcome::Until(until));
                }
                Done { result: self.now as i64, ..Done::default() }
            }
            (C::RvfMount, 0, W::Mount { region, path }) => self.mount(by, region, &path, learn)?,
            (C::RvfMount, 1, W::Unmount { path }) => self.unmount(by, &path)?,
            (C::AttestEmit, 0, W::Claim { kind, digest, body }) => {
                self.claim(by, kind, digest, &body)?
            }
            (C::AttestEmit, 1, what @ W::Approve { .. }) => self.approve(by, &what, learn)?,
            (C::VectorGet, operation, W::Get { question, window }) => {
                self.get(by, deed.fuel, operation, &question, window)?
            }
            (C::VectorPutProved, 0, W::Put { mutation, proof }) => {
                return self.put(by, deed.fuel, &mutation, &proof, learn);
            }
            (C::GraphApplyProved, operation, W::Apply { mutation, proof }) => {
                self.apply(by, deed.fuel, operation, &mutation, &proof)?
            }
            (C::SensorSubscribe, 0, W::Subscribe { queue }) => self.subscribe(by, queue)?,
            other => unreachable!("{other:?}"),
        };
        Ok(done.into())
    }

    fn region(&mut self, by: &Caller) -> Result<&mut Region, Error> {
        match self.objects.get_mut(&by.cap.object).map(|it| &mut it.body) {
            Some(Body::Region(region)) => Ok(region),
            _ => unreachable!("the kind was compared"),
        }
    }

    fn read(&mut self, by: &Caller, offset: u64, window: usize) -> Result<Done, Error> {
        let region = self.region(by)?;
        if window == 0 {
            return Ok(Done { result: region.size() as i64, ..Done::default() });
        }
        let mut bytes = region.read(offset)?;
        bytes.truncate(window);
        let digest = if bytes.is_empty() { [0; 32] } else { HASHER.hash(&bytes) };
        Ok(Done { digest, window: bytes.clone(), ..moved(&bytes, bytes.len() as i64) })
    }

    fn create(
        &mut self,
        by: &Caller,
        mode: RegionMode,
        content: &[u8],
        learn: &dyn super::Learn,
    ) -> Result<Done, Error> {
        if mode != RegionMode::Immutable && !content.is_empty() {
            return Err(Error::BadLength);
        }
        let bytes = region::cost(mode, content.len())?;
        let partition = self.tasks[&by.who].partition;
        if bytes > self.left(partition, Resource::Memory) {
            return Err(Error::ByteBudget);
        }
        self.room(by.who, 1)?;
        let region = Region::new(mode, content);
        self.spend_of(partition, Resource::Memory, region.cost());
        let rights = Rights::READ | Rights::WRITE | Rights::GRANT | Rights::REVOKE;
        let body = Body::Region(region);
        let object = Object { name: String::new(), partition, made_by: Some(by.record), body };
        let handle = self.make(by.who, object, rights, learn);
        let result = i64::from(handle.0);
        let digest = if content.is_empty() { [0; 32] } else { HASHER.hash(content) };
        Ok(Done { digest, ..moved(content, result) })
    }

    /// Whether so many slots in a row are free.
    pub(super) fn room(&self, who: u32, count: usize) -> Result<(), Error> {
        let found = self.tasks[&who].space.room(count);
        found.map(|_| ()).ok_or(Error::TableFull)
    }

    /// A new object, of which a task gets a capability.
    pub(super) fn make(
        &mut self,
        who: u32,
        object: Object,
        rights: Rights,
        learn: &dyn super::Learn,
    ) -> Handle {
        let cap = self.original(0, object.body.kind(), rights);
        let space = &mut self.tasks.get_mut(&who).unwrap().space;
        let handle = space.insert(vec![cap]);
        let number = learn.behind(who, handle);
        space.get_mut(handle).unwrap().object = number;
        self.add(number, object);
        handle
    }

    fn send(
        &mut self,
        by: &Caller,
        kind: u32,
        priority: u8,
        bytes: Vec<u8>,
    ) -> Result<Done, Error> {
        if bytes.len() > 4_096 {
            return Err(Error::BadLength);
        }
        let done = moved(&bytes, 0);
        let (badge, sent) = (by.cap.badge, Some(by.record));
        let queue = self.queue(by.cap.object).expect("the kind was compared");
        queue.send(Message { kind, priority, badge, bytes, reference: None, sent })?;
        Ok(done)
    }

    fn refer(
        &mut self,
        by: &Caller,
        kind: u32,
        priority: u8,
        reference: Reference,
    ) -> Result<Done, Error> {
        let held = self.also(by.who, reference.region, Kind::Region, Rights::READ)?;
        if !held.may_pass() {
            return Err(Error::MissingRight);
        }
        deeper(&held)?;
        match self.body(held.object)? {
            Body::Region(region) => region.settled(reference.offset, reference.length)?,
            _ => unreachable!("the kind was compared"),
        }
        let queue = self.queue(by.cap.object).expect("the kind was compared");
        queue.takes(kind, Reference::SIZE, true)?;
        let passed = self.pass_on(by.who, reference.region, Rights::READ, 0);
        let bytes = Reference { region: Handle(held.object), ..reference }.to_bytes().to_vec();
        let done = moved(&bytes, 0);
        let (badge, sent) = (by.cap.badge, Some(by.record));
        let message = Message { kind, priority, badge, bytes, reference: Some(passed), sent };
        self.queue(by.cap.object).unwrap().send(message)?;
        Ok(done)
    }

    /// What goes from a capability to somebody else without a grant: all uses
    /// that are left go along, but for those of the call itself.
    pub(super) fn pass_on(
        &mut self,
        who: u32,
        handle: Handle,
        rights: Rights,
        own_uses: u32,
    ) -> Cap {
        self.debit(who, handle, own_uses);
        let held = self.tasks[&who].space.get(handle).unwrap().clone();
        let child = Cap { rights: held.rights.intersection(rights), ..self.child(&held) };
        if held.uses != u32::MAX {
            self.debit(who, handle, held.uses);
        }
        child
    }

    fn take_message(
        &mut self,
        by: &Caller,
        deadline: u64,
        window: usize,
    ) -> Result<Outcome, Error> {
        let now = self.now;
        if deadline > i64::MAX as u64 && deadline != u64::MAX {
            return Err(Error::BadArgument);
        }
        let queue = self.queue(by.cap.object).expect("the kind was compared");
        let Some(place) = queue.next() else {
            let in_time = deadline > now;
            let waits = Outcome::Message(deadline, by.cap.object);
            return if in_time { Ok(waits) } else { Err(Error::TimedOut) };
        };
        let mut message = queue.messages[place].clone();
        let by_priority = queue.by_priority;
        if window < HEADER + message.bytes.len() {
            return Err(Error::TooSmall);
        }
        if message.reference.is_some() {
            self.room(by.who, 1)?;
        }
        self.queue(by.cap.object).unwrap().messages.remove(place);
        let is_reference = message.reference.is_some();
        if let Some(cap) = message.reference {
            let handle = self.tasks.get_mut(&by.who).unwrap().space.insert(vec![cap]);
            message.bytes[..4].copy_from_slice(&handle.0.to_le_bytes());
        }
        let priority = if by_priority { message.priority } else { 0 };
        let mut bytes = message.badge.to_le_bytes().to_vec();
        bytes.extend(message.kind.to_le_bytes());
        bytes.extend((message.bytes.len() as u32).to_le_bytes());
        bytes.extend([priority, is_reference.into(), 0, 0, 0, 0, 0, 0]);
        bytes.extend(&message.bytes);
        let (result, length) = (bytes.len() as i64, bytes.len() as u32);
        let (digest, cause) = (HASHER.hash(&message.bytes), message.sent);
        let done = Done { result, length, digest, cause, window: bytes, ..Done::default() };
        Ok(done.into())
    }

    fn claim(
        &mut self,
        by: &Caller,
        kind: u32,
        digest: witness::Hash,
        body: &[u8],
    ) -> Result<Done, Error> {
        let partition = self.tasks[&by.who].partition.ok_or(Error::NotApproved)?;
        let partition = &mut self.partitions[partition];
        let length = body.len() as u64;
        let covers =
            |(terms, claims, bytes): &&mut (package::manifest::StandingApproval, u64, u64)| {
                terms.claim_types.contains(&kind)
                    && *claims < terms.max_claims
                    && *bytes + length <= terms.max_bytes
            };
        let approval = partition.approvals.iter_mut().find(covers).ok_or(Error::NotApproved)?;
        if body.len() > 128 {
            return Err(Error::BadLength);
        }
        (approval.1, approval.2) = (approval.1 + 1, approval.2 + length);
        let length = body.len() as u32;
        Ok(Done { length, digest, cause: Some(partition.mount), ..Done::default() })
    }

    fn subscribe(&mut self, by: &Caller, queue: Handle) -> Result<Done, Error> {
        let target = self.also(by.who, queue, Kind::Queue, Rights::WRITE)?;
        deeper(&target)?;
        deeper(&by.cap)?;
        let Some(Body::Sensor(all)) = self.objects.get(&by.cap.object).map(|it| &it.body) else {
            unreachable!("the kind was compared")
        };
        let is_live = |it: &&Subscription| {
            self.is_live(&it.source).is_ok() && self.is_live(&it.queue).is_ok()
        };
        let same = |it: &Subscription| it.subscriber == by.who && it.queue.object == target.object;
        if all.iter().flatten().filter(is_live).any(same) {
            return Err(Error::AlreadyExists);
        }
        let place = all.iter().position(|it| it.as_ref().filter(is_live).is_none());
        let place = place.ok_or(Error::TableFull)?;
        let source = self.pass_on(by.who, by.handle, Rights::READ, 1);
        let queue = self.pass_on(by.who, queue, Rights::WRITE, 0);
        let new = Subscription { subscriber: by.who, source, queue };
        if let Body::Sensor(all) = &mut self.objects.get_mut(&by.cap.object).unwrap().body {
            all[place] = Some(new);
        }
        Ok(Done::default())
    }

    /// Tasks whose time has come go on, in their order.
    pub fn wake(&mut self) {
        let due: Vec<u32> = self
            .tasks
            .iter()
            .filter_map(|(who, task)| {
                let is_due = matches!(task.life, Life::Waiting(until, None) if until <= self.now);
                is_due.then_some(*who)
            })
            .collect();
        for who in due {
            let result = self.now as i64;
            let task = self.tasks.get_mut(&who).unwrap();
            (task.life, task.answer) = (Life::Ready, Some(result));
            let said = task.waits_in.take().unwrap();
            self.say(said, witness::Verdict::Allowed, Done { result, ..Done::default() });
        }
    }
}

/// Whether one more may be derived.
pub(super) fn deeper(cap: &Cap) -> Result<(), Error> {
    if cap.depth() < 8 { Ok(()) } else { Err(Error::TooDeep) }
}

/// So many bytes went from or to the caller.
pub(super) fn moved(bytes: &[u8], result: i64) -> Done {
    let digest = HASHER.hash(bytes);
    Done { result, length: bytes.len() as u32, digest, ..Done::default() }
}
