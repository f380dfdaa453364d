//! Packages for tests, written with `rvf-wire` as `helio pack` does, and
//! every way to get one wrong on the way.

use abi::{Kind, Rights};
use ed25519_dalek::{Signer, SigningKey};
use package::manifest::{
    CapabilityEntry, GraphStoreEntry, Limits, Metric, PartEntry, QueueEntry, SensorEntry,
    StandingApproval, StoreRules, TaskEntry, TaskKind, Tier, VectorStoreEntry, WasiEntry,
};
use package::{DATA_SEGMENT, Manifest, Package, PackageError, signature_payload, signing_message};
use rvf_wire::writer::write_segment;
use witness::trust::{MinimumVersion, NamedKey};
use witness::{Hasher, Trust};

pub const META: u8 = 0x07;
pub const CRYPTO: u8 = 0x0C;
pub const WASM: u8 = 0x10;
pub const HASHER: Hasher = Hasher::SOFTWARE;

/// The least that passes for a module: magic and version.
pub const MODULE: &[u8] = b"\0asm\x01\0\0\0";
pub const CSV: &[u8] = b"year,value\n1947,60323\n";

pub fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub fn stranger() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

/// A segment as RVF's writer writes it.
pub fn segment(segment_type: u8, id: u64, payload: &[u8]) -> Vec<u8> {
    write_segment(segment_type, payload, rvf_types::SegmentFlags::empty(), id)
}

/// The signature segment for `body`, with this id.
pub fn seal(body: &[u8], key: &SigningKey, id: u64) -> Vec<u8> {
    let signature = key.sign(&signing_message(&HASHER.hash(body)));
    segment(CRYPTO, id, &signature_payload(key.verifying_key().as_bytes(), &signature.to_bytes()))
}

/// `body` and its signature.
pub fn sealed(body: Vec<u8>, key: &SigningKey, id: u64) -> Vec<u8> {
    let seal = seal(&body, key, id);
    [body, seal].concat()
}

/// A manifest with one of everything, whose parts are [`MODULE`] and [`CSV`].
pub fn manifest() -> Manifest {
    let capability = |kind, name: &str, rights| CapabilityEntry { kind, name: name.into(), rights };
    Manifest {
        name: "sample".into(),
        version: 3,
        seed: u64::MAX,
        limits: Limits {
            fuel: 1_000_000,
            memory: 1 << 20,
            records: 100,
            share: Limits::DEFAULT_SHARE,
        },
        components: vec![PartEntry {
            name: "program".into(),
            segment: 2,
            sha256: HASHER.hash(MODULE),
        }],
        regions: vec![PartEntry { name: "data.csv".into(), segment: 3, sha256: HASHER.hash(CSV) }],
        queues: vec![QueueEntry { name: "results".into(), capacity_bytes: 4096, accepts: None }],
        vector_stores: Vec::new(),
        graph_stores: Vec::new(),
        sensors: Vec::new(),
        state_roots: None,
        standing_approvals: vec![StandingApproval {
            claim_types: vec![1, 7],
            max_bytes: 256,
            max_claims: 4,
        }],
        tasks: vec![TaskEntry {
            name: "program".into(),
            component: "program".into(),
            kind: TaskKind::Command,
            priority: 5,
            deadline: Some(1_000),
            fuel: 1_000_000,
            memory: 65_536,
            capabilities: vec![
                capability(Kind::Queue, "console", Rights::WRITE),
                capability(Kind::Region, "data.csv", Rights::READ),
                capability(Kind::Queue, "results", Rights::READ | Rights::WRITE),
                capability(Kind::Component, "program", Rights::EXECUTE),
                capability(Kind::Log, "log", Rights::WRITE),
            ],
            wasi: None,
        }],
    }
}

/// The same with every member that can be left out.
pub fn full() -> Manifest {
    let mut manifest = manifest();
    manifest.limits.share = 250;
    manifest.queues[0].accepts = Some(7);
    manifest.vector_stores = vec![VectorStoreEntry {
        name: "memories".into(),
        capacity: 1_000,
        dimension: 8,
        metric: Metric::Cosine,
        rules: StoreRules {
            tier: Tier::Deep,
            approvers: vec![[1; 32], [2; 32]],
            guard: Some("program".into()),
        },
    }];
    manifest.graph_stores = vec![GraphStoreEntry {
        name: "facts".into(),
        nodes: 100,
        edges: 400,
        rules: StoreRules { tier: Tier::Reflex, approvers: Vec::new(), guard: None },
    }];
    manifest.sensors = vec![SensorEntry { name: "thermometer".into() }];
    manifest.tasks[0].wasi = Some(WasiEntry {
        args: vec!["-n".into(), "ä \"b\"".into()],
        env: vec!["HOME=/".into()],
        stdin: Some("data.csv".into()),
    });
    manifest
}

/// The body of a package: these manifest bytes, [`MODULE`], [`CSV`].
pub fn body_with(manifest: &[u8]) -> Vec<u8> {
    [segment(META, 1, manifest), segment(WASM, 2, MODULE), segment(DATA_SEGMENT, 3, CSV)].concat()
}

/// A package with these manifest bytes, signed by the operator.
pub fn package_with(manifest: &[u8]) -> Vec<u8> {
    sealed(body_with(manifest), &operator(), 4)
}

/// A package with this manifest, signed by the operator.
pub fn package_of(manifest: &Manifest) -> Vec<u8> {
    package_with(manifest.to_json().as_bytes())
}

/// A package without fault.
pub fn good() -> Vec<u8> {
    package_of(&manifest())
}

/// Opens a package on a machine that trusts the operator.
pub fn open(file: &[u8]) -> Result<Package<'_>, PackageError> {
    Package::open(file, &trust(&[], &[]), HASHER)
}

/// Trust in the operator alone, with keys revoked and minimum versions.
pub fn trust(revoked: &[&SigningKey], minimum_versions: &[(&str, u64)]) -> Trust {
    let named = |key: &SigningKey, name: &str| NamedKey {
        key: key.verifying_key().to_bytes(),
        name: name.into(),
    };
    Trust {
        operators: vec![named(&operator(), "operator")],
        // A device's key signs logs, not packages.
        devices: vec![named(&stranger(), "device")],
        revoked: revoked.iter().map(|key| key.verifying_key().to_bytes()).collect(),
        minimum_versions: minimum_versions
            .iter()
            .map(|&(package, version)| MinimumVersion { package: package.into(), version })
            .collect(),
        ..Trust::nobody()
    }
}
