//! Attacks on proofs. The prover approves whatever this task asks for in the
//! sandbox; the gate holds it to that.

use crate::program::{Attack, GRAPH, SANDBOX, TIMER, VAULT};
use agents::{
    client::Client,
    protocol::{Place, Vector, Wish},
};
use sdk::{EVER, Error, GraphMutation, Handle, Mutation, Operation, Proof, SignedProof, Statement};

/// A handle that names nothing: no proof.
const NONE: Proof = Proof(Handle(u32::MAX));

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "a put without a proof",
        expected: Error::ProofRequired,
        attempt: |_| Ok(SANDBOX.put(&put(1, 0, 1.0)?, NONE).into()),
    },
    Attack {
        name: "a proof used twice",
        expected: Error::Replayed,
        attempt: |client| {
            let (slot, proof) = approved(client, 1, vector(1.0), EVER)?;
            SANDBOX.put(&put(1, slot, 1.0)?, proof)?;
            Ok(SANDBOX.put(&put(1, slot, 1.0)?, proof).into())
        },
    },
    Attack {
        name: "a proof of another slot",
        expected: Error::WrongSlot,
        attempt: |client| {
            let (slot, proof) = approved(client, 2, vector(1.0), EVER)?;
            Ok(SANDBOX.put(&put(2, slot + 1, 1.0)?, proof).into())
        },
    },
    Attack {
        name: "a proof of another vector",
        expected: Error::WrongMutation,
        attempt: |client| {
            let (slot, proof) = approved(client, 2, vector(1.0), EVER)?;
            Ok(SANDBOX.put(&put(2, slot, 1.5)?, proof).into())
        },
    },
    Attack {
        name: "a proof of another store",
        expected: Error::WrongObject,
        attempt: |client| {
            let (slot, proof) = approved(client, 2, vector(1.0), EVER)?;
            let operation = Operation::AddNode.code();
            let change = GraphMutation { operation, slot, from: 2, to: 0, weight: 0.0 };
            Ok(GRAPH.apply(&Mutation::<32>::graph(&change)?, proof).into())
        },
    },
    Attack {
        name: "a proof whose time is over",
        expected: Error::ProofExpired,
        attempt: |client| {
            let expiry = TIMER.now()? + 20_000_000;
            let (slot, proof) = approved(client, 2, vector(1.0), expiry)?;
            TIMER.wait_until(expiry)?;
            Ok(SANDBOX.put(&put(2, slot, 1.0)?, proof).into())
        },
    },
    Attack {
        name: "a proof of what the slot was before",
        expected: Error::StaleState,
        attempt: |client| {
            let (slot, first) = approved(client, 3, vector(1.0), EVER)?;
            let (_, second) = approved(client, 3, vector(2.0), EVER)?;
            SANDBOX.put(&put(3, slot, 1.0)?, first)?;
            Ok(SANDBOX.put(&put(3, slot, 2.0)?, second).into())
        },
    },
    Attack {
        name: "a minted proof where a signed one is due",
        expected: Error::TierTooLow,
        attempt: |client| {
            let (slot, proof) = approved(client, 2, vector(1.0), EVER)?;
            Ok(VAULT.put(&put(2, slot, 1.0)?, proof).into())
        },
    },
    Attack {
        name: "a signed proof that nobody signed",
        expected: Error::WrongObject,
        attempt: |_| {
            let mutation = Mutation::<280>::put(2, 0, &vector(1.0))?;
            let statement = Statement {
                store: [0; 32],
                slot: 0,
                old_leaf: sdk::leaf(&[]),
                mutation: mutation.digest(),
                nonce: 1,
                expiry: EVER,
            };
            let proof = SignedProof { statement, key: [0; 32], signature: [0; 64] };
            Ok(VAULT.put_signed(&mutation.signed(&proof)?).into())
        },
    },
    Attack {
        name: "a vector with a number that is none",
        expected: Error::NotFinite,
        attempt: |client| {
            let (slot, proof) = approved(client, 2, vector(f32::NAN), EVER)?;
            Ok(SANDBOX.put(&put(2, slot, f32::NAN)?, proof).into())
        },
    },
    Attack {
        name: "a vector without a direction",
        expected: Error::ZeroNorm,
        attempt: |client| {
            let (slot, proof) = approved(client, 2, vector(0.0), EVER)?;
            Ok(SANDBOX.put(&put(2, slot, 0.0)?, proof).into())
        },
    },
];

fn vector(first: f32) -> Vector {
    let mut vector = [0.0; 12];
    vector[0] = first;
    vector
}

fn put(key: u64, slot: u32, first: f32) -> Result<Mutation<64>, Error> {
    Mutation::put(key, slot, &vector(first))
}

/// A proof of a put into the sandbox.
fn approved(client: &Client, key: u64, vector: Vector, expiry: u64) -> Result<(u32, Proof), Error> {
    let granted = client.ask(Place::Sandbox, expiry, Wish::Vector { key, vector })?;
    match granted.status {
        0 => Ok((granted.slot, Proof(Handle(granted.proof)))),
        _ => Err(Error::NotApproved),
    }
}
