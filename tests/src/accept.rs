//! What the payload `accept` is fed: one measurement, and the approval of the
//! write that it comes to.

use abi::{SignedProof, first_slot};
use helio::approve::{self, Change, Mounted, Terms};
use witness::note::SigningKey;

/// The one measurement.
pub const READING: [f32; 4] = [21.5, 48.25, 1013.0, -0.5];

/// Its key in the store.
pub const KEY: u64 = 1;

/// Where it goes.
pub fn slot() -> u32 {
    first_slot(KEY, 100)
}

/// The measurement as the sensor gives it.
pub fn reading() -> Vec<u8> {
    READING.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The approver that the package names.
fn approver() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// What it signs: a put of the measurement into the empty slot.
pub fn proof(package: &[u8]) -> [u8; SignedProof::SIZE] {
    let mounted = Mounted::read("accept.rvf".as_ref(), package, "/").unwrap();
    let change = Change::Put { key: KEY, slot: slot(), vector: READING.to_vec() };
    let terms = Terms {
        store: "readings",
        change: &change,
        old_leaf: approve::empty_leaf(),
        nonce: 1,
        expiry: u64::MAX,
    };
    approve::approve(&mounted, &terms, &approver()).unwrap().to_bytes()
}
