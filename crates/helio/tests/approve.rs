//! Proofs: what `helio approve` signs is what a machine would ask for.

use std::fs;
use std::path::PathBuf;

use crate::common::{HASHER, helio_json, helio_text, private, put, store, text};
use abi::{GraphMutation, SignedProof};
use ed25519_dalek::{Signature, VerifyingKey};
use helio::keys::{Role, Store};
use package::Package;
use tempfile::TempDir;
use witness::hex;

const MANIFEST: &str = r#"
[package]
name = "demo"
version = 3

[limits]
fuel = 1_000
memory = 0
records = 10

[[vector_store]]
name = "memories"
capacity = 1_000
dimension = 2
tier = "standard"
approvers = ["keys/operator.pub.pem"]

[[graph_store]]
name = "facts"
nodes = 10
edges = 20
tier = "standard"
approvers = ["keys/operator.pub.pem"]

[[graph_store]]
name = "open"
nodes = 1
edges = 1
tier = "reflex"
"#;

/// A store of keys and a signed package; the operator is the approver.
struct Bench {
    place: TempDir,
    keys: Store,
}

impl Bench {
    fn new() -> Self {
        let (place, keys) = store();
        put(place.path(), "demo.toml", MANIFEST.as_bytes());
        let manifest = text(&place.path().join("demo.toml"));
        let key = private(&keys, Role::Operator);
        assert_eq!(helio_text(&["pack", &manifest, "--key", &key]).0, 0);
        Self { place, keys }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The arguments that every approval has, then `more`.
    fn arguments(&self, role: Role, store: &str, more: &[&str]) -> Vec<String> {
        let (key, package) = (private(&self.keys, role), text(&self.path("demo.rvf")));
        let output = text(&self.path("proof.bin"));
        ["approve", "--key", &key, "--package", &package, "--store", store, "-o", &output]
            .iter()
            .chain(["--nonce", "1"].iter())
            .chain(more)
            .map(|&argument| argument.to_owned())
            .collect()
    }

    fn run(&self, store: &str, more: &[&str]) -> (i32, String, String) {
        let arguments = self.arguments(Role::Operator, store, more);
        helio_text(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn json(&self, store: &str, more: &[&str]) -> serde_json::Value {
        let arguments = self.arguments(Role::Operator, store, more);
        let (code, json) = helio_json(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(code, 0, "{json}");
        json
    }

    /// The proof that was written, checked as a machine checks one.
    fn proof(&self, store: &str) -> SignedProof {
        let bytes = fs::read(self.path("proof.bin")).unwrap();
        let proof = SignedProof::from_bytes(&bytes.try_into().unwrap()).unwrap();
        let key = VerifyingKey::from_bytes(&proof.key).unwrap();
        let signature = Signature::from_bytes(&proof.signature);
        key.verify_strict(&proof.statement.message(), &signature).unwrap();
        assert_eq!(proof.key, self.keys.public(Role::Operator).unwrap());

        let file = fs::read(self.path("demo.rvf")).unwrap();
        let package = Package::open(&file, &self.keys.trust().unwrap(), HASHER).unwrap();
        let manifest = package.manifest().unwrap();
        let id = manifest.store_id(&package.signer().key, "/", store, HASHER);
        assert_eq!(proof.statement.store, id);
        proof
    }

    /// Refused with exit code 2, and nothing written.
    fn refused(&self, role: Role, store: &str, more: &[&str]) -> String {
        let arguments = self.arguments(role, store, more);
        let (code, out, error) =
            helio_text(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((code, out.as_str()), (2, ""), "{more:?}: {error}");
        assert!(!self.path("proof.bin").exists());
        error
    }
}

#[test]
fn a_new_vector_goes_where_an_empty_store_would_put_it() {
    let bench = Bench::new();
    let (code, out, error) = bench.run("memories", &["--put", "42=1,-0.5"]);
    assert_eq!(code, 0, "{error}");
    let statement = bench.proof("memories").statement;
    let mutation = hex::decode::<24>("2a000000000000009d010000020000000000803f000000bf").unwrap();
    assert_eq!((statement.slot, statement.mutation), (413, HASHER.hash(&mutation)));
    assert_eq!(statement.old_leaf, HASHER.leaf(&[]));
    assert_eq!((statement.nonce, statement.expiry), (1, u64::MAX));
    let operator = hex::encode(&bench.keys.public(Role::Operator).unwrap());
    for words in [
        "put key 42, a vector of 2, into slot 413",
        "store memories of demo version 3, mounted at /",
        "if the slot is empty",
        "at any time; nonce 1",
        &operator,
        "216 bytes",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
}

#[test]
fn a_change_of_what_is_there_names_slot_leaf_and_expiry() {
    let bench = Bench::new();
    let leaf = "ab".repeat(32);
    let more = ["--put", "42=1,2", "--slot", "7", "--old-leaf", &leaf, "--expiry", "900"];
    let json = bench.json("memories", &more);
    let statement = bench.proof("memories").statement;
    assert_eq!((statement.slot, statement.old_leaf), (7, [0xab; 32]));
    assert_eq!(statement.expiry, 900);
    assert_eq!((&json["slot"], &json["expiry"]), (&7.into(), &900.into()));
    assert_eq!((&json["was_empty"], &json["old_leaf"]), (&false.into(), &leaf.into()));
    assert_eq!(json["mutation_sha256"], hex::encode(&statement.mutation));
}

#[test]
fn the_same_change_from_a_file_is_the_same_proof() {
    let bench = Bench::new();
    let json = bench.json("memories", &["--put", "42=1,-0.5", "--slot", "9"]);
    let first = fs::read(bench.path("proof.bin")).unwrap();
    let mutation = json["mutation"].as_str().unwrap();
    let mutation = hex::decode::<24>(mutation).unwrap();
    let file = text(&put(bench.place.path(), "mutation.bin", &mutation));
    bench.json("memories", &["--mutation", &file]);
    assert_eq!(fs::read(bench.path("proof.bin")).unwrap(), first);
}

#[test]
fn each_change_of_a_graph_is_signed() {
    let bench = Bench::new();
    let leaf = "ab".repeat(32);
    let there = ["--old-leaf", &leaf];
    let node = abi::first_slot(5, 10);
    let change =
        |operation, slot, to, weight| GraphMutation { operation, slot, from: 5, to, weight };
    for (more, expected) in [
        (vec!["add-node", "--from", "5"], change(0, node, 0, 0.0)),
        (
            [&["remove-node", "--from", "5", "--slot", "3"][..], &there].concat(),
            change(1, 3, 0, 0.0),
        ),
        (
            vec!["add-edge", "--from", "5", "--to", "6", "--weight", "-0.5", "--slot", "10"],
            change(2, 10, 6, -0.5),
        ),
        (
            [&["remove-edge", "--from", "5", "--to", "6", "--slot", "29"][..], &there].concat(),
            change(3, 29, 6, 0.0),
        ),
        (
            [
                &["set-weight", "--from", "5", "--to", "6", "--weight", "2", "--slot", "10"][..],
                &there,
            ]
            .concat(),
            change(4, 10, 6, 2.0),
        ),
    ] {
        let json = bench.json("facts", &[&["--graph"], &more[..]].concat());
        let statement = bench.proof("facts").statement;
        assert_eq!(statement.slot, expected.slot, "{more:?}");
        assert_eq!(statement.mutation, HASHER.hash(&expected.to_bytes()), "{more:?}");
        let operation = more[0].split('-').next().unwrap();
        assert!(json["change"].as_str().unwrap().starts_with(operation), "{json}");
    }
}

#[test]
fn a_key_that_is_no_approver_is_told_whose_is() {
    let bench = Bench::new();
    let new = ["--put", "42=1,2"];
    let error = bench.refused(Role::Device, "memories", &new);
    let operator = hex::encode(&bench.keys.public(Role::Operator).unwrap());
    assert!(error.contains("not an approver") && error.contains(&operator), "{error}");
    let error = bench.refused(Role::Operator, "open", &["--graph", "add-node", "--from", "1"]);
    assert!(error.contains("takes no signed proofs"), "{error}");
}

#[test]
fn what_cannot_be_meant_is_refused_and_nothing_is_written() {
    let bench = Bench::new();
    let leaf = "ab".repeat(32);
    let short = text(&put(bench.place.path(), "short.bin", &[0; 23]));
    let missing = text(&bench.path("missing.bin"));
    for (store, more, expected) in [
        ("memory", vec!["--put", "1=1,2"], "memories, facts, open"),
        ("memories", vec!["--put", "1=1"], "have 2"),
        ("memories", vec!["--put", "1=0,0"], "cosine"),
        ("memories", vec!["--put", "1=1,nan"], "nan"),
        ("memories", vec!["--put", "x=1,2"], "\"x\""),
        ("memories", vec!["--put", "1=1,2", "--slot", "1000"], "0 to 999"),
        ("memories", vec!["--put", "1=1,2", "--old-leaf", &leaf], "--slot"),
        ("memories", vec!["--put", "1=1,2", "--old-leaf", "ab"], "64 hexadecimal"),
        ("memories", vec!["--put", "1=1,2", "--to", "1"], "--graph"),
        ("memories", vec!["--put", "1=1,2", "--path", "/inner"], "--path"),
        ("memories", vec!["--mutation", &short], "short.bin"),
        ("memories", vec!["--mutation", &missing], "missing.bin"),
        ("memories", vec!["--mutation", &short, "--put", "1=1,2"], "cannot be used with"),
        ("memories", vec!["--graph", "add-node", "--from", "1"], "store of vectors"),
        ("memories", vec![], "--put"),
        ("facts", vec!["--put", "1=1,2"], "store of a graph"),
        ("facts", vec!["--graph", "add-node"], "--from"),
        ("facts", vec!["--graph", "add-node", "--from", "1", "--to", "2"], "--to"),
        (
            "facts",
            vec!["--graph", "add-edge", "--from", "1", "--to", "2", "--weight", "1"],
            "--slot",
        ),
        (
            "facts",
            vec!["--graph", "add-edge", "--from", "1", "--to", "2", "--slot", "10"],
            "--weight",
        ),
        (
            "facts",
            vec!["--graph", "add-edge", "--from", "1", "--to", "2", "--weight", "1", "--slot", "9"],
            "10 to 29",
        ),
        ("facts", vec!["--graph", "remove-node", "--from", "1", "--slot", "3"], "--old-leaf"),
    ] {
        let error = bench.refused(Role::Operator, store, &more);
        assert!(error.contains(expected), "{more:?}: {error}");
    }
}

#[test]
fn only_a_signed_package_and_a_private_key_will_do() {
    let bench = Bench::new();
    let new = ["--put", "42=1,2"];
    let good = fs::read(bench.path("demo.rvf")).unwrap();
    for damage in [0, 100, good.len() - 1] {
        let mut bad = good.clone();
        bad[damage] ^= 1;
        put(bench.place.path(), "demo.rvf", &bad);
        let error = bench.refused(Role::Operator, "memories", &new);
        assert!(error.contains("demo.rvf"), "{error}");
    }
    put(bench.place.path(), "demo.rvf", &good[..good.len() - package::SEAL_SIZE]);
    let error = bench.refused(Role::Operator, "memories", &new);
    assert!(error.contains("no signature"), "{error}");

    put(bench.place.path(), "demo.rvf", &good);
    let public = fs::read(bench.keys.public_path(Role::Operator)).unwrap();
    fs::write(bench.keys.private_path(Role::Operator), public).unwrap();
    let error = bench.refused(Role::Operator, "memories", &new);
    assert!(error.contains("operator.pem") && error.contains("private key"), "{error}");
}

#[test]
fn a_proof_is_for_one_mount() {
    let bench = Bench::new();
    let new = ["--put", "42=1,2"];
    let here = bench.json("memories", &new);
    let there = bench.json("memories", &[&new[..], &["--path", "inner"]].concat());
    assert_ne!(here["store_id"], there["store_id"]);
    assert_eq!((&there["path"], &here["path"]), (&"inner".into(), &"/".into()));
}
