//! The effects of the calls on stores.

use super::{
    Body, Line, Model, Object, Resource,
    calls::moved,
    graph::{Change, Graph},
    proof::{Minted, Rules},
    record::Done,
    stage::{Caller, Outcome},
    vectors::{Put, Vectors, floats},
};
use crate::{
    bench::guard_allows,
    common::HASHER,
    deed::{Proof, What},
};
use abi::{Error, Kind, Rights, SignedProof};
use package::manifest::Tier;
use witness::Hash;

/// What a proof spends when its change is made.
enum Spends {
    Minted(u32),
    Nonce(usize, u64),
}

/// A proof that holds.
struct Proved {
    spends: Spends,
    mutation: Hash,
    cause: Option<u64>,
}

impl Model {
    fn vectors(&self, store: u32) -> &Vectors {
        match self.objects.get(&store).map(|it| &it.body) {
            Some(Body::Vectors(vectors)) => vectors,
            _ => unreachable!("the kind was compared"),
        }
    }

    fn graph(&self, store: u32) -> &Graph {
        match self.objects.get(&store).map(|it| &it.body) {
            Some(Body::Graph(graph)) => graph,
            _ => unreachable!("the kind was compared"),
        }
    }

    /// Its rules, the leaf of a slot, and how many slots.
    fn store(&self, store: u32, slot: u32) -> Option<(&Rules, Option<Hash>)> {
        match self.objects.get(&store).map(|it| &it.body) {
            Some(Body::Vectors(it)) => {
                Some((&it.rules, (slot < it.capacity).then(|| it.tree().leaf(slot))))
            }
            Some(Body::Graph(it)) => {
                Some((&it.rules, (slot < it.slots()).then(|| it.tree().leaf(slot))))
            }
            _ => None,
        }
    }

    pub(super) fn approve(
        &mut self,
        by: &Caller,
        what: &What,
        learn: &dyn super::Learn,
    ) -> Result<Done, Error> {
        let What::Approve { slot, mutation, old_leaf, expiry } = *what else { unreachable!() };
        let (store, now) = (by.cap.object, self.now);
        let (_, leaf) = self.store(store, slot).ok_or(Error::WrongKind)?;
        if expiry <= now {
            return Err(Error::ProofExpired);
        }
        leaf.ok_or(Error::OutOfRange)?;
        self.room(by.who, 1)?;
        let approval = by.record;
        let minted = Minted { store, slot, old_leaf, mutation, expiry, approval, used: false };
        let partition = self.tasks[&by.who].partition;
        let (name, body) = (String::new(), Body::Proof(minted));
        let object = Object { name, partition, made_by: Some(approval), body };
        let handle = self.make(by.who, object, Rights::WRITE | Rights::GRANT, learn);
        Ok(Done { result: i64::from(handle.0), digest: mutation, ..Done::default() })
    }

    /// The proof stage of a change of a slot.
    fn prove(
        &self,
        by: &Caller,
        fuel: u64,
        slot: u32,
        mutation: &[u8],
        proof: &Proof,
    ) -> Result<Proved, Error> {
        let mutation = HASHER.hash(mutation);
        let store = by.cap.object;
        let (rules, leaf) = self.store(store, slot).expect("the kind was compared");
        // Where there is little fuel, there is none.
        let pay = || if fuel == 0 { Err(Error::FuelBudget) } else { Ok(()) };
        let (spends, cause, old_leaf) = match proof {
            Proof::None => return Err(Error::ProofRequired),
            Proof::Minted(_) if rules.tier > Tier::Reflex => return Err(Error::TierTooLow),
            Proof::Minted(handle) => {
                let cap = self.also(by.who, *handle, Kind::Proof, Rights::WRITE)?;
                let Body::Proof(minted) = self.body(cap.object)? else { unreachable!() };
                minted.covers(store, slot, &mutation, self.now)?;
                (Spends::Minted(cap.object), Some(minted.approval), minted.old_leaf)
            }
            Proof::Signed(signed) => {
                pay()?;
                let place = rules.takes(signed, slot, &mutation, self.now)?;
                let SignedProof { statement, .. } = **signed;
                let made_by = self.objects[&store].made_by;
                let cause = self.event_of(signed).or(made_by);
                (Spends::Nonce(place, statement.nonce), cause, statement.old_leaf)
            }
        };
        pay()?;
        if leaf.ok_or(Error::OutOfRange)? != old_leaf {
            return Err(Error::StaleState);
        }
        Ok(Proved { spends, mutation, cause })
    }

    fn spend_proof(&mut self, store: u32, spends: &Spends) {
        match spends {
            Spends::Minted(proof) => {
                if let Body::Proof(minted) = &mut self.objects.get_mut(proof).unwrap().body {
                    minted.used = true;
                }
                self.doomed.insert(*proof);
            }
            Spends::Nonce(place, nonce) => {
                let rules = match &mut self.objects.get_mut(&store).unwrap().body {
                    Body::Vectors(vectors) => &mut vectors.rules,
                    Body::Graph(graph) => &mut graph.rules,
                    _ => unreachable!(),
                };
                rules.approvers[*place].spent.insert(*nonce);
            }
        }
    }

    pub(super) fn put(
        &mut self,
        by: &Caller,
        fuel: u64,
        mutation: &[u8],
        proof: &Proof,
        learn: &dyn super::Learn,
    ) -> Result<Outcome, Error> {
        let put = Put::read(mutation)?;
        let proved = self.prove(by, fuel, put.slot, mutation, proof)?;
        let store = by.cap.object;
        self.vectors(store).check(&put)?;
        if let Some(guard) = self.vectors(store).rules.guard {
            let partition = self.tasks[&by.who].partition;
            if self.left(partition, Resource::Records) == 0 {
                return Ok(Outcome::NoRecord);
            }
            self.spend_of(partition, Resource::Records, 1);
            let allowed = guard_allows(mutation);
            let subject = by.who;
            self.tell(subject, Line::Guard { subject, store, allowed, component: guard });
            if !allowed {
                return Err(Error::GuardRefused);
            }
        }
        let writer = (by.who, self.tasks[&by.who].sequence);
        let coherence = learn.coherence(store, put.slot);
        if let Body::Vectors(vectors) = &mut self.objects.get_mut(&store).unwrap().body {
            vectors.put(&put, writer, coherence);
        }
        self.spend_proof(store, &proved.spends);
        let Proved { mutation: digest, cause, .. } = proved;
        Ok(Done { digest, cause, ..moved(mutation, 0) }.into())
    }

    pub(super) fn apply(
        &mut self,
        by: &Caller,
        fuel: u64,
        operation: u32,
        mutation: &[u8],
        proof: &Proof,
    ) -> Result<Done, Error> {
        let change = Change::read(mutation)?;
        let proved = self.prove(by, fuel, change.slot, mutation, proof)?;
        if change.operation != operation {
            return Err(Error::BadOperation);
        }
        let store = by.cap.object;
        self.graph(store).check(&change)?;
        let writer = (by.who, self.tasks[&by.who].sequence);
        if let Body::Graph(graph) = &mut self.objects.get_mut(&store).unwrap().body {
            graph.apply(&change, writer);
        }
        self.spend_proof(store, &proved.spends);
        let Proved { mutation: digest, cause, .. } = proved;
        Ok(Done { digest, cause, ..moved(mutation, 0) })
    }

    pub(super) fn get(
        &mut self,
        by: &Caller,
        fuel: u64,
        operation: u32,
        question: &[u8],
        window: usize,
    ) -> Result<Done, Error> {
        let word = |at: usize| u32::from_le_bytes(question[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_le_bytes(question[at..at + 8].try_into().unwrap());
        let length_is = |length: usize| match question.len() == length {
            true => Ok(()),
            false => Err(Error::BadLength),
        };
        let object = by.cap.object;
        let bytes = match operation {
            0 => {
                length_is(16)?;
                if word(8) > 1 || word(12) != 0 {
                    return Err(Error::BadArgument);
                }
                self.vectors(object).by_key(long(0), word(8) == 1)?
            }
            1 => {
                let vectors = self.vectors(object);
                if question.len() < 16 {
                    return Err(Error::BadLength);
                }
                let (k, flags, visit) = (word(0), word(4), word(8));
                let is_meant = (1..=64).contains(&k) && flags <= 1 && visit <= 4_096;
                if !is_meant || word(12) != 0 {
                    return Err(Error::BadArgument);
                }
                // Every question here asks for an exact search, which is paid
                // by the vectors there are.
                assert_eq!(flags, 1);
                if fuel == 0 && !vectors.entries.is_empty() {
                    return Err(Error::FuelBudget);
                }
                if !question.len().is_multiple_of(4) {
                    return Err(Error::BadLength);
                }
                let query = floats(&question[16..]);
                vectors.measures(&query)?;
                vectors.nearest(&query, k as usize)
            }
            _ => {
                length_is(24)?;
                let graph = self.graph(object);
                let (key, other) = (long(0), long(8));
                if word(16) > 2 || word(20) != 0 {
                    return Err(Error::BadArgument);
                }
                match word(16) {
                    0 if fuel == 0 && window >= 16 => return Err(Error::FuelBudget),
                    0 => graph.edges_out(key, other, window)?,
                    1 => {
                        let found = graph.nodes.get(&key).map(|it| (*it, graph.degree(key)));
                        graph.slot(found, graph.place_node(key))?
                    }
                    _ => {
                        let found = graph.edges.get(&(key, other)).map(|(it, _)| (*it, 0));
                        graph.slot(found, graph.place_edge(key, other))?
                    }
                }
            }
        };
        if bytes.len() > window {
            return Err(Error::TooSmall);
        }
        let done = moved(&bytes, bytes.len() as i64);
        Ok(Done { window: bytes, ..done })
    }
}
