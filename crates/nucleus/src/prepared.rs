//! The second passes of region_map's create and of guarded changes.

use crate::{
    Nucleus,
    capability::Capability,
    evidence,
    gate::Answer,
    object::{Body as Content, Object, ObjectId},
    partition::Resource,
    region::Region,
    request::{Arguments, Request},
    store,
    syscall::Done,
    ticket::{Ticket, Work},
};
use abi::{Error, Kind, RegionMode, Rights};
use alloc::{string::String, sync::Arc, vec::Vec};
use witness::{Body, Hash, Subject, Verdict, record::Guard};

/// What a guard program said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Whether it allows the change.
    pub allows: bool,
    /// Fuel that it spent, which is the caller's.
    pub fuel: u64,
}

impl Nucleus {
    /// Makes the region that a call asked for. `content` is what an immutable
    /// one is to hold.
    pub fn commit_region(&mut self, ticket: Ticket, content: &[u8]) -> Answer {
        let Ticket { subject, call, authorised, work, .. } = ticket;
        let Work::Region { mode } = work else {
            return self.denied(subject, call, Error::BadArgument);
        };
        let digest = self.world.hasher.hash(content);
        let region = match mode {
            RegionMode::Immutable => Region::immutable(self.shared(content, &digest), digest),
            _ => Region::empty(mode),
        };
        let partition = self.world.partition_of(subject);
        if self.world.partitions.take(partition, Resource::Memory, region.cost()).is_err() {
            return self.denied(subject, call, Error::ByteBudget);
        }
        let made_by = Some(self.log.next());
        let object = Object::new(String::new(), partition, made_by, Content::Region(region));
        let rights = Rights::READ | Rights::WRITE | Rights::GRANT | Rights::REVOKE;
        let given = self.world.objects.add(object).and_then(|id| {
            self.world.give(subject, Capability::original(id, Kind::Region, rights))
        });
        match given {
            Ok(handle) => {
                evidence::spend_use(&mut self.world, subject, &authorised);
                let result = i64::from(handle.0);
                let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
                let digest = if content.is_empty() { Hash::default() } else { digest };
                self.allowed(subject, call, &Done { result, length, digest, cause: None });
                let fuel = abi::profile::data_fuel(u64::from(length));
                Answer::Done { value: result, fuel }
            }
            // The gate has seen that there is room.
            Err(error) => self.denied(subject, call, error),
        }
    }

    /// Content that is the same as an immutable region's is not kept twice.
    fn shared(&self, content: &[u8], digest: &Hash) -> Arc<[u8]> {
        let same = self.world.objects.iter().find_map(|(_, object)| match &object.body {
            Content::Region(region) => region.content().filter(|(_, other)| *other == digest),
            _ => None,
        });
        same.map_or_else(|| Arc::from(content), |(bytes, _)| Arc::clone(bytes))
    }

    /// Looks at a guarded change again, with the guard's word, and makes it
    /// or not. `request` is the one that the ticket came from, made again.
    pub fn commit_guard(&mut self, ticket: Ticket, request: Request<'_>, word: Word) -> Answer {
        let Ticket { subject, call, work, authorised, .. } = ticket;
        let Work::Guard { component } = work else {
            return self.denied(subject, call, Error::BadArgument);
        };
        self.witness_guard(subject, component, authorised.object(), word);
        self.world.guard_word = Some(word.allows);
        let answer = self.pass(subject, call, request);
        self.world.guard_word = None;
        answer
    }

    fn witness_guard(
        &mut self,
        subject: Subject,
        component: ObjectId,
        store: ObjectId,
        word: Word,
    ) {
        let partition = self.world.partition_of(subject);
        self.world.partitions.spend(partition, Resource::Records, 1);
        let digest = self.world.objects.component(component).map_or([0; 32], |it| it.digest);
        // A slice leaves room for records of the kernel's: this is one.
        let Some(slot) = self.log.reserve() else { return };
        let guard =
            Guard { store: store.0, allowed: word.allows, component: digest, fuel: word.fuel };
        self.write(subject, slot, Verdict::Allowed, None, Body::Guard(guard));
    }

    /// What a guard is to judge: the store's kind (u32), the lengths of what
    /// is in the slot and of the mutation (u32 each), four zero bytes, then
    /// both, as their canonical bytes.
    pub fn guard_input(&self, ticket: &Ticket, request: &Request<'_>) -> Vec<u8> {
        let (mutation, slot) = match &request.arguments {
            Ok(Arguments::Put { mutation, .. }) => {
                (*mutation, store::Put::parse(mutation).map_or(u32::MAX, |put| put.slot))
            }
            Ok(Arguments::Apply { mutation, .. }) => {
                (*mutation, store::Change::parse(mutation).map_or(u32::MAX, |change| change.slot))
            }
            _ => (&[][..], u32::MAX),
        };
        let object = self.world.objects.get(ticket.authorised.object());
        let (kind, content) = match object.map(|object| &object.body) {
            Some(Content::Vectors(vectors)) => (Kind::VectorStore, vectors.store.content(slot)),
            Some(Content::Graph(graph)) => (Kind::GraphStore, graph.store.content(slot)),
            _ => (Kind::Proof, Vec::new()),
        };
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let kind = u32::from(kind as u8).to_le_bytes();
        [&kind, &length(&content), &length(mutation), &[0; 4], content.as_slice(), mutation]
            .concat()
    }
}
