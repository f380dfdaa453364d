//! Attacks through a service that may do more than the one who asks it.

use crate::program::{Attack, Tried};
use agents::{
    client::Client,
    protocol::{Done, Place, Put, Wish},
};
use sdk::{EVER, Error, Handle};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "having memory write what was not approved",
        expected: Error::WrongMutation,
        attempt: |client| {
            let mut vector = [1.0; 12];
            let granted = client.ask(Place::Years, EVER, Wish::Vector { key: 0, vector })?;
            if granted.status != 0 {
                return Err(Error::NotApproved);
            }
            vector[11] = -1.0;
            put(client, Put { proof: granted.proof, slot: granted.slot, key: 0, vector })
        },
    },
    Attack {
        name: "having memory write with a proof made up",
        expected: Error::BadHandle,
        attempt: |client| {
            let Handle(proof) = Handle::new(60, 60);
            put(client, Put { proof, slot: 0, key: 0, vector: [1.0; 12] })
        },
    },
    Attack {
        name: "having memory write with what is no proof",
        expected: Error::WrongKind,
        attempt: |client| {
            // The memory service's own capability for the store.
            put(client, Put { proof: 3, slot: 0, key: 0, vector: [1.0; 12] })
        },
    },
];

fn put(client: &Client, put: Put) -> Result<Tried, Error> {
    let Done { status, sequence } = client.put(&put)?;
    let denied = match status {
        0 => None,
        number => {
            let error = u16::try_from(number).ok().and_then(Error::from_number);
            Some(error.unwrap_or(Error::Unsupported))
        }
    };
    Ok(Tried { denied, deputy: Some(sequence) })
}
