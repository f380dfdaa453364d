//! The machine that all targets play: its keys, and packages for it.

use ed25519_dalek::{Signer, SigningKey};
use package::{DATA_SEGMENT, Manifest, manifest::PartEntry, signature_payload, signing_message};
use rvf_types::SegmentFlags;
use rvf_wire::write_segment;
use witness::{
    BootId, Hash, Hasher, Trust,
    checkpoint::{Checkpoint, default_device_name, origin},
    record::{Arch, Board, Flags, MachineFacts},
    trust::NamedKey,
};

pub(crate) const HASHER: Hasher = Hasher::SOFTWARE;
pub(crate) const BOOT: BootId = *b"fuzzed boot id..";

const META: u8 = 0x07;
const CRYPTO: u8 = 0x0C;
const WASM: u8 = 0x10;

/// Private keys that everybody knows.
pub(crate) fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(crate) fn device() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

pub(crate) fn approver() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

pub(crate) fn trust() -> Trust {
    let named = |key: SigningKey, name: &str| NamedKey {
        key: key.verifying_key().to_bytes(),
        name: name.into(),
    };
    Trust {
        operators: vec![named(operator(), "operator")],
        devices: vec![named(device(), "device")],
        ..Trust::nobody()
    }
}

pub(crate) fn facts() -> MachineFacts {
    MachineFacts {
        nonce: None,
        previous_checkpoint: [0; 32],
        boot_id: BOOT,
        kernel: [0; 32],
        loader: [0; 32],
        trust: [0; 32],
        device_key: device().verifying_key().to_bytes(),
        serial: 0,
        arch: Arch::Hosted,
        board: Board::Hosted,
        flags: Flags::NONE,
    }
}

/// The origin of the device's log.
pub(crate) fn log_origin() -> String {
    origin(&default_device_name(&facts().device_key), &BOOT)
}

/// A checkpoint that the device signed.
pub(crate) fn checkpoint(size: u64, root: Hash) -> String {
    Checkpoint { origin: &log_origin(), size, root }.sign(&device())
}

/// `body` with the operator's signature, in a segment of this id.
pub(crate) fn sealed(mut body: Vec<u8>, id: u64) -> Vec<u8> {
    let key = operator();
    let signature = key.sign(&signing_message(&HASHER.hash(&body)));
    let payload = signature_payload(key.verifying_key().as_bytes(), &signature.to_bytes());
    body.extend(write_segment(CRYPTO, &payload, SegmentFlags::empty(), id));
    body
}

/// A package of this manifest, whose parts are in segments 2, 3 and so on:
/// components first.
pub(crate) fn package(manifest: &str, components: &[&[u8]], regions: &[&[u8]]) -> Vec<u8> {
    let meta = (META, manifest.as_bytes());
    let components = components.iter().map(|bytes| (WASM, *bytes));
    let regions = regions.iter().map(|bytes| (DATA_SEGMENT, *bytes));
    let parts = std::iter::once(meta).chain(components).chain(regions);
    let mut body = Vec::new();
    let mut next = 1;
    for (kind, bytes) in parts {
        body.extend(write_segment(kind, bytes, SegmentFlags::empty(), next));
        next += 1;
    }
    sealed(body, next)
}

/// As [`package`]; the manifest's parts are these, by name.
pub(crate) fn packed(
    mut manifest: Manifest,
    components: &[(&str, &[u8])],
    regions: &[(&str, &[u8])],
) -> Vec<u8> {
    let part = |(segment, (name, bytes)): (u64, &(&str, &[u8]))| PartEntry {
        name: (*name).into(),
        segment,
        sha256: HASHER.hash(bytes),
    };
    manifest.components = (2..).zip(components).map(part).collect();
    manifest.regions = (2..).skip(components.len()).zip(regions).map(part).collect();
    let components: Vec<_> = components.iter().map(|(_, bytes)| *bytes).collect();
    let regions: Vec<_> = regions.iter().map(|(_, bytes)| *bytes).collect();
    package(&manifest.to_json(), &components, &regions)
}
