//! Laying out a package and signing it.

use package::manifest::{
    GraphStoreEntry, Limits, Manifest, PartEntry, QueueEntry, SensorEntry, StandingApproval,
    TaskEntry, VectorStoreEntry,
};
use package::{DATA_SEGMENT, PackageError, signature_payload, signing_message};
use rvf_types::{SegmentFlags, SegmentType};
use rvf_wire::write_segment;
use witness::note::SigningKey;
use witness::{Hasher, key};

/// Id of the first segment.
const FIRST_SEGMENT: u64 = 1;

/// Everything that goes into a package.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "as in package::Manifest, with bytes in place of digests")]
pub struct Contents {
    pub name: String,
    pub version: u64,
    pub seed: u64,
    pub limits: Limits,
    pub components: Vec<NamedBytes>,
    pub regions: Vec<NamedBytes>,
    pub queues: Vec<QueueEntry>,
    pub vector_stores: Vec<VectorStoreEntry>,
    pub graph_stores: Vec<GraphStoreEntry>,
    pub sensors: Vec<SensorEntry>,
    pub standing_approvals: Vec<StandingApproval>,
    pub state_roots: Option<u64>,
    pub tasks: Vec<TaskEntry>,
}

/// A component or region before it is in a segment.
#[derive(Clone, Debug)]
pub struct NamedBytes {
    /// Its name.
    pub name: String,
    /// The module, or the region's bytes.
    pub bytes: Vec<u8>,
}

impl Contents {
    /// The manifest, with segment ids as [`unsigned`] gives them. Nothing is
    /// checked.
    pub fn manifest(&self) -> Manifest {
        // The manifest has the first id, the parts follow in order.
        let ids = FIRST_SEGMENT + 1..;
        let part = |(segment, part): (u64, &NamedBytes)| PartEntry {
            name: part.name.clone(),
            segment,
            sha256: Hasher::SOFTWARE.hash(&part.bytes),
        };
        let regions_from = self.components.len();
        Manifest {
            name: self.name.clone(),
            version: self.version,
            seed: self.seed,
            limits: self.limits,
            components: ids.clone().zip(&self.components).map(part).collect(),
            regions: ids.skip(regions_from).zip(&self.regions).map(part).collect(),
            queues: self.queues.clone(),
            vector_stores: self.vector_stores.clone(),
            graph_stores: self.graph_stores.clone(),
            sensors: self.sensors.clone(),
            standing_approvals: self.standing_approvals.clone(),
            state_roots: self.state_roots,
            tasks: self.tasks.clone(),
        }
    }
}

/// The segments of a package: manifest, components, regions; no signature.
///
/// # Errors
/// A manifest that breaks a rule of the format: the same refusal that a
/// machine would give.
pub fn unsigned(contents: &Contents) -> Result<Vec<u8>, PackageError> {
    let json = contents.manifest().to_json();
    Manifest::parse(json.as_bytes())?;
    Ok(unchecked(contents, json.as_bytes()))
}

/// The same with any bytes for a manifest, for tests of readers.
pub fn unchecked(contents: &Contents, manifest: &[u8]) -> Vec<u8> {
    let components = contents.components.iter().map(|it| (SegmentType::Wasm as u8, &it.bytes[..]));
    let regions = contents.regions.iter().map(|it| (DATA_SEGMENT, &it.bytes[..]));
    let segments =
        [(SegmentType::Meta as u8, manifest)].into_iter().chain(components).chain(regions);
    let write = |(id, (kind, payload)): (u64, (u8, &[u8]))| {
        write_segment(kind, payload, SegmentFlags::empty(), id)
    };
    (FIRST_SEGMENT..).zip(segments).flat_map(write).collect()
}

/// Signs segments, of which there are `count`, numbered from 1.
pub fn seal(mut segments: Vec<u8>, count: u64, key: &SigningKey) -> Vec<u8> {
    use ed25519_dalek::Signer as _;
    let message = signing_message(&Hasher::SOFTWARE.hash(&segments));
    let signature = key.sign(&message).to_bytes();
    let payload = signature_payload(&key::public(key), &signature);
    let id = FIRST_SEGMENT + count;
    segments.extend(write_segment(SegmentType::Crypto as u8, &payload, SegmentFlags::empty(), id));
    segments
}

impl Contents {
    /// How many segments [`unsigned`] writes.
    pub fn segments(&self) -> u64 {
        1 + (self.components.len() + self.regions.len()) as u64
    }

    /// The signed package.
    ///
    /// # Errors
    /// As [`unsigned`].
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, PackageError> {
        Ok(seal(unsigned(self)?, self.segments(), key))
    }
}
