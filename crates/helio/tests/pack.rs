//! Packages: what `helio pack` writes is what the package crate reads.

use std::fs;
use std::path::Path;

use crate::common::{self, HASHER, helio_json, helio_text, private, put, store, text};
use helio::keys::{Role, Store};
use package::{Package, Seal};
use tempfile::TempDir;

const MANIFEST: &str = r#"
[package]
name = "demo"
version = 3
seed = "18446744073709551615"

[limits]
fuel = 1_000_000
memory = 65_536
records = 1_000

[[component]]
name = "demo"
file = "demo.wat"

[[region]]
name = "data.csv"
file = "data.csv"

[[task]]
name = "main"
component = "demo"
capabilities = [
    { kind = "queue", name = "console", rights = ["write"] },
    { kind = "region", name = "data.csv", rights = ["read"] },
    { kind = "log", name = "log", rights = ["prove", "write"] },
]

[[approval]]
claim_types = [2, 1]
max_claims = 4
max_bytes = 128
"#;

const MODULE: &str = r#"(module (func (export "_start")))"#;

fn setup(manifest: &str) -> (TempDir, Store) {
    let (place, store) = store();
    put(place.path(), "demo.toml", manifest.as_bytes());
    put(place.path(), "demo.wat", MODULE.as_bytes());
    put(place.path(), "data.csv", b"1,2\n");
    (place, store)
}

fn pack(place: &Path, store: &Store, more: &[&str]) -> (i32, String, String) {
    let (manifest, output) = (text(&place.join("demo.toml")), text(&place.join("demo.rvf")));
    let key = private(store, Role::Operator);
    let mut arguments = vec!["pack", &manifest, "-o", &output];
    match more {
        [] => arguments.extend(["--key", &key]),
        _ => arguments.extend(more),
    }
    helio_text(&arguments)
}

#[test]
fn a_packed_package_opens_with_everything_the_manifest_says() {
    let (place, store) = setup(MANIFEST);
    assert_eq!(pack(place.path(), &store, &[]).0, 0);
    let file = fs::read(place.path().join("demo.rvf")).unwrap();
    let package = Package::open(&file, &store.trust().unwrap(), HASHER).unwrap();
    let manifest = package.manifest().unwrap();
    assert_eq!((manifest.version, manifest.seed), (3, u64::MAX));
    assert_eq!(manifest.standing_approvals[0].claim_types, [1, 2]);
    let task = &manifest.tasks[0];
    assert_eq!((task.fuel, task.memory, task.capabilities.len()), (1_000_000, 65_536, 3));
    assert!(package.components()[0].bytes.starts_with(b"\0asm"));
    assert_eq!(package.regions()[0].bytes, b"1,2\n");
    assert!(package.skipped().is_empty());
}

/// Adds stores, a sensor and a queue to [`MANIFEST`]. The approvers are a
/// public key file and a key in hexadecimal, in the wrong order.
fn with_stores() -> String {
    let stores = format!(
        r#"
[[queue]]
name = "results"
capacity_bytes = 100
accepts = 7

[[vector_store]]
name = "memories"
capacity = 1_000
dimension = 2
tier = "deep"
approvers = ["{}", "keys/operator.pub.pem"]
guard = "demo"

[[graph_store]]
name = "facts"
nodes = 10
edges = 20
tier = "reflex"

[[sensor]]
name = "thermometer"
"#,
        "ff".repeat(32)
    );
    let share = MANIFEST.replacen("records = 1_000", "records = 1_000\nshare = 300", 1);
    let held = "    { kind = \"sensor\", name = \"thermometer\", rights = [\"grant-once\", \"read\"] },\n]\n\n[[approval]]";
    share.replacen("]\n\n[[approval]]", held, 1) + &stores
}

#[test]
fn stores_sensors_and_shares_go_into_the_manifest() {
    let (place, store) = setup(&with_stores());
    let (code, _, error) = pack(place.path(), &store, &[]);
    assert_eq!(code, 0, "{error}");
    let path = text(&place.path().join("demo.rvf"));
    let file = fs::read(&path).unwrap();
    let package = Package::open(&file, &store.trust().unwrap(), HASHER).unwrap();
    let manifest = package.manifest().unwrap();
    let vectors = &manifest.vector_stores[0];
    assert_eq!(
        (vectors.capacity, vectors.dimension, vectors.metric),
        (1_000, 2, package::manifest::Metric::Cosine)
    );
    let operator = store.public(Role::Operator).unwrap();
    assert_eq!(vectors.rules.approvers, [operator, [0xff; 32]]);
    assert_eq!(vectors.rules.guard.as_deref(), Some("demo"));
    assert_eq!((manifest.limits.share, manifest.queues[0].accepts), (300, Some(7)));
    assert_eq!(manifest.graph_stores[0].rules.approvers, Vec::<[u8; 32]>::new());

    let keys = text(&place.path().join("keys"));
    let (code, out, _) = helio_text(&["pack", "inspect", &path, "--keys", &keys]);
    assert_eq!(code, 0);
    for line in [
        "share     300".to_owned(),
        "queue     results              100 bytes, type 7".into(),
        "vectors   memories             1000 vectors of 2, cosine, tier deep, guard demo".into(),
        format!("  approver {}", witness::hex::encode(&operator)),
        "graph     facts                10 nodes, 20 edges, tier reflex".into(),
        "sensor    thermometer".into(),
        "handle 3   sensor thermometer: read, grant-once".into(),
    ] {
        assert!(out.contains(&line), "{line}: {out}");
    }
}

#[test]
fn what_a_task_is_told_goes_into_the_manifest() {
    let told = "]\n[task.wasi]\nargs = [\"-n\", \"\\u001b[2J\"]\nenv = [\"A=b\"]\nstdin = \"data.csv\"\n\n[[approval]]";
    let (place, store) = setup(&MANIFEST.replacen("]\n\n[[approval]]", told, 1));
    let (code, _, error) = pack(place.path(), &store, &[]);
    assert_eq!(code, 0, "{error}");
    let path = text(&place.path().join("demo.rvf"));
    let file = fs::read(&path).unwrap();
    let package = Package::open(&file, &store.trust().unwrap(), HASHER).unwrap();
    let wasi = package.manifest().unwrap().tasks[0].wasi.clone().unwrap();
    assert_eq!((wasi.args, wasi.env), (vec!["-n".into(), "\u{1b}[2J".into()], vec!["A=b".into()]));
    assert_eq!(wasi.stdin.as_deref(), Some("data.csv"));
    let keys = text(&place.path().join("keys"));
    let (_, out, _) = helio_text(&["pack", "inspect", &path, "--keys", &keys]);
    for line in ["stdin      data.csv", "argument   \"\\u{1b}[2J\"", "variable   \"A=b\""] {
        assert!(out.contains(line), "{line}: {out}");
    }

    let (place, store) =
        setup(&MANIFEST.replacen("]\n\n[[approval]]", "]\n[task.wasi]\n\n[[approval]]", 1));
    assert_eq!(pack(place.path(), &store, &[]).0, 0);
    let file = fs::read(place.path().join("demo.rvf")).unwrap();
    let package = Package::open(&file, &store.trust().unwrap(), HASHER).unwrap();
    assert_eq!(package.manifest().unwrap().tasks[0].wasi, None);
}

#[test]
fn wrong_stores_name_place_and_reason_and_write_nothing() {
    let cases = [
        ("tier = \"deep\"", "tier = \"depe\"", "depe"),
        ("tier = \"deep\"", "tier = \"standard\"", "vector_stores[0].guard"),
        ("tier = \"reflex\"", "tier = \"standard\"", "graph_stores[0].approvers is empty"),
        ("guard = \"demo\"", "guard = \"data.csv\"", "vector_stores[0].guard \"data.csv\""),
        ("keys/operator.pub.pem", "keys/nobody.pub.pem", "keys/nobody.pub.pem"),
        ("keys/operator.pub.pem", "data.csv", "data.csv"),
        ("dimension = 2", "dimension = 2\nmetric = \"dot\"", "cosine, l2"),
        ("dimension = 2", "dimension = 1_025", "vector_stores[0].dimension"),
        ("share = 300", "share = 0", "limits.share"),
        ("name = \"facts\"", "name = \"memories\"", "graph_stores[0].name"),
    ];
    for (from, to, expected) in cases {
        let (place, store) = setup(&with_stores().replacen(from, to, 1));
        let (code, _, error) = pack(place.path(), &store, &[]);
        assert_eq!(code, 2, "{to}");
        assert!(error.contains(expected), "{to}: {error}");
        assert!(!place.path().join("demo.rvf").exists(), "{to}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (place, store) = setup(MANIFEST);
    pack(place.path(), &store, &[]);
    let first = fs::read(place.path().join("demo.rvf")).unwrap();
    pack(place.path(), &store, &[]);
    assert_eq!(fs::read(place.path().join("demo.rvf")).unwrap(), first);
}

#[test]
fn an_unsigned_package_is_the_same_without_its_last_segment() {
    let (place, store) = setup(MANIFEST);
    pack(place.path(), &store, &[]);
    let signed = fs::read(place.path().join("demo.rvf")).unwrap();
    assert_eq!(pack(place.path(), &store, &["--unsigned"]).0, 0);
    let unsigned = fs::read(place.path().join("demo.rvf")).unwrap();
    assert_eq!(unsigned, signed[..signed.len() - package::SEAL_SIZE]);
    assert!(Seal::read(&unsigned).is_err());
}

#[test]
fn inspect_says_who_signed_and_what_is_inside() {
    let (place, store) = setup(MANIFEST);
    let (file, keys) = (text(&place.path().join("demo.rvf")), text(&place.path().join("keys")));
    let inspect = |keys: &str| helio_json(&["pack", "inspect", &file, "--keys", keys]);
    pack(place.path(), &store, &[]);
    let (code, json) = inspect(&keys);
    assert_eq!((code, &json["signature"]["operator"]), (0, &"operator".into()));
    assert_eq!(json["manifest"]["tasks"][0]["name"], "main");
    assert_eq!(json["parts"][1]["name"], "data.csv");
    assert_eq!(inspect("/nowhere").1["signature"]["state"], "holds");
    let (_stranger, other) = common::store();
    let other = text(other.trust_path().parent().unwrap());
    assert_eq!(inspect(&other).1["signature"]["state"], "untrusted");
    pack(place.path(), &store, &["--unsigned"]);
    assert_eq!(inspect(&keys).1["signature"]["state"], "unsigned");
    let (code, out, _) = helio_text(&["pack", "inspect", &file, "--keys", &keys]);
    assert_eq!(code, 0);
    assert!(out.contains("handle 1   region data.csv: read"), "{out}");
}

#[test]
fn every_damaged_byte_is_seen_by_inspect() {
    let (place, store) = setup(MANIFEST);
    pack(place.path(), &store, &[]);
    let path = place.path().join("demo.rvf");
    let file = fs::read(&path).unwrap();
    let trust = store.trust().unwrap();
    for at in 0..file.len() {
        let mut bad = file.clone();
        bad[at] ^= 0x10;
        let found = helio::pack::inspect::inspect(&path, &bad, Some(&trust));
        let is_trusted = found.is_ok_and(|it| {
            matches!(it.signature, helio::pack::inspect::Signature::Trusted { .. })
        });
        assert!(!is_trusted, "byte {at}");
    }
}

#[test]
fn wrong_manifests_name_place_and_reason_and_write_nothing() {
    let cases = [
        ("seed = \"18446744073709551615\"", "seed = -1", "demo.toml:5:8"),
        ("version = 3", "version = 3\nversoin = 4", "versoin"),
        ("rights = [\"write\"]", "rights = [\"wirte\"]", "wirte"),
        ("kind = \"queue\"", "kind = \"qeue\"", "qeue"),
        ("name = \"console\"", "name = \"consle\"", "capabilities[0]"),
        ("component = \"demo\"", "component = \"dmeo\"", "component"),
        ("name = \"demo\"\nversion", "name = \"de mo\"\nversion", "name"),
        ("file = \"data.csv\"", "file = \"date.csv\"", "date.csv"),
        ("[limits]", "[limits", "demo.toml:7"),
    ];
    for (from, to, expected) in cases {
        let (place, store) = setup(&MANIFEST.replacen(from, to, 1));
        let (code, _, error) = pack(place.path(), &store, &[]);
        assert_eq!(code, 2, "{to}");
        assert!(error.contains(expected), "{to}: {error}");
        assert!(!place.path().join("demo.rvf").exists(), "{to}");
    }
}

#[test]
fn components_must_be_modules() {
    for (content, expected) in [("(module (func", "demo.wat"), ("(module", "demo.wat")] {
        let (place, store) = setup(MANIFEST);
        put(place.path(), "demo.wat", content.as_bytes());
        let (code, _, error) = pack(place.path(), &store, &[]);
        assert_eq!(code, 2);
        assert!(error.contains(expected), "{error}");
    }
    let (place, store) = setup(&MANIFEST.replace("demo.wat", "demo.wasm"));
    put(place.path(), "demo.wasm", b"\x7fELF");
    let (code, _, error) = pack(place.path(), &store, &[]);
    assert_eq!((code, error.contains("not a WebAssembly module")), (2, true), "{error}");
}
