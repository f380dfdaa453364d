//! The effects of the calls on tasks, capabilities and packages.

use super::{
    Body, Cap, Life, Meter, Model, Object, Partition, Resource, Space, Task,
    calls::deeper,
    queue::Queue,
    record::Done,
    stage::{Caller, Outcome},
};
use crate::common::HASHER;
use abi::{
    Error, ExitReport, GrantArguments, Handle, Kind, Rights, SpawnArguments,
    profile::{CAPABILITIES, MAILBOX_BYTES, TASKS},
};

/// What a task may do with its own mailbox, and its parent with it.
pub const OWN: [Rights; 4] = [Rights::READ, Rights::WRITE, Rights::GRANT, Rights::REVOKE];

pub fn all_of(rights: &[Rights]) -> Rights {
    rights.iter().fold(Rights::NONE, |all, one| all | *one)
}

impl Model {
    pub(super) fn spawn(
        &mut self,
        by: &Caller,
        start: SpawnArguments,
        passed: &[u8],
        prepared: Result<(), Error>,
        learn: &dyn super::Learn,
    ) -> Result<Done, Error> {
        if !passed.len().is_multiple_of(4) || passed.len() > 4 * CAPABILITIES {
            return Err(Error::BadLength);
        }
        let read = |four: &[u8]| Handle(u32::from_le_bytes(four.try_into().unwrap()));
        let passed: Vec<Handle> = passed.chunks(4).map(read).collect();
        for handle in &passed {
            let cap = self.held(by.who, *handle, None)?;
            self.usable(&cap, Rights::GRANT)?;
            deeper(&cap)?;
        }
        if self.tasks.values().filter(|task| task.is_alive()).count() >= TASKS {
            return Err(Error::TableFull);
        }
        self.room(by.who, 1)?;
        if start.fuel > self.tasks[&by.who].fuel_left() {
            return Err(Error::OverBudget);
        }
        let made = &self.objects[&by.cap.object];
        let (partition, made_by, name) = (made.partition, made.made_by, made.name.clone());
        let Body::Component { digest, length } = made.body else {
            unreachable!("the kind was compared")
        };
        if u64::from(start.memory) > self.left(partition, Resource::Memory) {
            return Err(Error::OverBudget);
        }
        prepared?;
        if let Some(mailbox) = self.tasks[&by.who].mailbox {
            self.queue(mailbox).unwrap().promise(ExitReport::SIZE)?;
        }

        let child = *self.tasks.keys().last().unwrap() + 1;
        let (object, mailbox) = learn.task(child);
        let fresh = |name: String, body| Object { name, partition, made_by, body };
        self.add(object, fresh(name.clone(), Body::Task(child)));
        let queue = Queue::new(MAILBOX_BYTES, None, true);
        self.add(mailbox, fresh(format!("{name}/mailbox"), Body::Queue(queue)));
        self.spend_of(partition, Resource::Memory, u64::from(start.memory));

        let own = self.original(mailbox, Kind::Queue, all_of(&OWN));
        let mut space = Space::new(CAPABILITIES, Some(own));
        let less = Rights::from_bits(!(Rights::GRANT | Rights::GRANT_ONCE).bits());
        let handed = |handle: &Handle| {
            let own_uses = u32::from(*handle == by.handle);
            self.pass_on(by.who, *handle, less, own_uses)
        };
        let handed: Vec<Cap> = passed.iter().map(handed).collect();
        space.insert(handed);

        let cap = self.original(object, Kind::Task, all_of(&OWN));
        let parent = self.tasks.get_mut(&by.who).unwrap();
        parent.given += start.fuel;
        let handle = parent.space.insert(vec![cap]);
        let task = Task {
            space,
            partition,
            parent: by.who,
            known_as: Some(handle),
            object: Some(object),
            mailbox: Some(mailbox),
            fuel: start.fuel,
            spent: 0,
            given: 0,
            memory: u64::from(start.memory),
            life: Life::Ready,
            waits_in: None,
            answer: None,
            sequence: 0,
            last: None,
            origin: Some(by.record),
        };
        self.tasks.insert(child, task);
        Ok(Done {
            result: i64::from(child),
            handle: Some(handle),
            length,
            argument: Some(start.fuel),
            digest,
            cause: made_by,
            ..Done::default()
        })
    }

    pub(super) fn grant(&mut self, by: &Caller, terms: &GrantArguments) -> Result<Done, Error> {
        let to = self.also(by.who, terms.to, Kind::Task, Rights::WRITE)?;
        let Body::Task(receiver) = *self.body(to.object)? else {
            unreachable!("the kind was compared")
        };
        let giver = &by.cap;
        if terms.uses == 0 {
            return Err(Error::BadArgument);
        }
        // With a right to grant, everything; with one to grant once,
        // everything but that.
        let may_give = match giver.rights.contains(Rights::GRANT) {
            true => giver.rights | Rights::GRANT_ONCE,
            false => giver.rights.without(Rights::GRANT_ONCE),
        };
        let expiry = if terms.expiry == u64::MAX { giver.expiry } else { terms.expiry };
        let badge = if terms.badge == 0 { giver.badge } else { terms.badge };
        // The grant is a use itself.
        let has_uses = giver.uses == u32::MAX || terms.uses < giver.uses;
        let is_less = may_give.contains(terms.rights)
            && expiry <= giver.expiry
            && (giver.badge == 0 || badge == giver.badge)
            && has_uses;
        if !is_less {
            return Err(Error::Amplification);
        }
        deeper(giver)?;
        if !self.tasks[&receiver].is_alive() {
            return Err(Error::NotFound);
        }
        self.room(receiver, 1)?;
        let (rights, uses, granted_by) = (terms.rights, terms.uses, Some(by.record));
        let child = Cap { rights, badge, expiry, uses, granted_by, ..self.child(giver) };
        self.debit(by.who, by.handle, terms.uses);
        if terms.to != by.handle {
            self.use_up(by.who, terms.to);
        }
        let handle = self.tasks.get_mut(&receiver).unwrap().space.insert(vec![child]);
        let (length, digest) = (32, HASHER.hash(&terms.to_bytes()));
        Ok(Done { result: i64::from(handle.0), length, digest, ..Done::default() })
    }

    pub(super) fn revoke(&mut self, by: &Caller) -> Outcome {
        *self.revoked.entry(by.cap.name).or_default() += 1;
        match self.objects.get(&by.cap.object).map(|it| &it.body) {
            Some(Body::Task(victim)) if self.tasks[victim].is_alive() => Outcome::Kill(*victim),
            _ => Done::default().into(),
        }
    }

    pub(super) fn mount(
        &mut self,
        by: &Caller,
        region: Handle,
        path: &str,
        learn: &dyn super::Learn,
    ) -> Result<Done, Error> {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_name = path.len() <= 64
            && path.starts_with(|c: char| c.is_ascii_alphanumeric())
            && path.chars().all(is_letter);
        if !is_name {
            return Err(Error::BadArgument);
        }
        let file = self.also(by.who, region, Kind::Region, Rights::READ)?;
        if self.partitions.iter().any(|it| it.is_mounted && it.path == path) {
            return Err(Error::AlreadyExists);
        }
        let parent = self.tasks[&by.who].partition;
        if self.chain(parent).len() >= 8 {
            return Err(Error::TooDeep);
        }
        // Reading it.
        let inner = self.inner.clone();
        if file.object != inner.region {
            return Err(Error::NotRvf);
        }
        self.room(by.who, inner.objects.len())?;
        if inner.bytes > self.left(parent, Resource::Memory) {
            return Err(Error::OverBudget);
        }
        self.spend_of(parent, Resource::Memory, inner.bytes);
        self.use_up(by.who, region);
        let unspent = |limit| Meter { limit, used: 0 };
        let partition = Partition {
            path: path.into(),
            parent,
            mount: by.record,
            is_mounted: true,
            fuel: unspent(inner.limits.fuel),
            memory: unspent(inner.limits.memory),
            records: unspent(inner.limits.records),
            approvals: vec![],
        };
        // The place of one that nothing belongs to any more, or a new one.
        let is_free = |&id: &usize| {
            !self.partitions[id].is_mounted
                && self.tasks.values().all(|it| it.partition != Some(id) || !it.is_alive())
                && self.objects.values().all(|it| it.partition != Some(id))
        };
        let id = (0..self.partitions.len()).find(is_free).unwrap_or(self.partitions.len());
        self.partitions.truncate(self.partitions.len().max(id));
        if id == self.partitions.len() {
            self.partitions.push(partition);
        } else {
            self.partitions[id] = partition;
        }
        let caps = inner.objects.iter().map(|(_, body, rights)| {
            self.caps += 1;
            let name = self.caps;
            let (kind, rights) = (body.kind(), *rights);
            let (object, badge, expiry, uses) = (0, 0, u64::MAX, u32::MAX);
            let (line, granted_by) = (vec![], None);
            Cap { object, kind, rights, badge, expiry, uses, name, line, granted_by }
        });
        let caps: Vec<Cap> = caps.collect();
        let first = self.tasks.get_mut(&by.who).unwrap().space.insert(caps);
        for (handle, (name, body, _)) in (first.0..).map(Handle).zip(inner.objects) {
            let number = learn.behind(by.who, handle);
            let space = &mut self.tasks.get_mut(&by.who).unwrap().space;
            space.get_mut(handle).unwrap().object = number;
            let name = format!("{path}/{name}");
            let object = Object { name, partition: Some(id), made_by: Some(by.record), body };
            self.add(number, object);
        }
        Ok(Done {
            result: i64::from(first.0),
            argument: Some(inner.count),
            length: inner.length,
            digest: inner.digest,
            ..Done::default()
        })
    }

    pub(super) fn unmount(&mut self, by: &Caller, path: &str) -> Result<Done, Error> {
        if path == "/" {
            return Err(Error::BadArgument);
        }
        let parent = self.tasks[&by.who].partition;
        let is_it = |it: &Partition| it.is_mounted && it.path == path && it.parent == parent;
        let id = self.partitions.iter().position(is_it).ok_or(Error::NotFound)?;
        let has_task = self.tasks.values().any(|it| it.partition == Some(id) && it.is_alive());
        let has_package = self.partitions.iter().any(|it| it.is_mounted && it.parent == Some(id));
        if has_task || has_package {
            return Err(Error::Busy);
        }
        let of_it = self.objects.iter().filter(|(_, it)| it.partition == Some(id));
        self.doomed.extend(of_it.map(|(number, _)| *number).collect::<Vec<_>>());
        self.give_back(parent, Resource::Memory, self.inner.bytes);
        self.bury();
        self.partitions[id].is_mounted = false;
        Ok(Done::default())
    }
}
