//! Audits: of images, packages, programs, key stores and logs that are weak in
//! one known way each, and of some that are not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use crate::common::{HASHER, Recipe, device_key, helio_json, helio_text, import, put, store, text};
use helio::Arch;
use helio::image::{self, Spec, Start};
use helio::keys::{Role, Store};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use witness::note::SigningKey;
use witness::signature::{self, FileKind};
use witness::trust::NamedKey;
use witness::{Trust, key};

/// What an audit says: exit code and the whole.
fn audit(target: &Path, more: &[&str]) -> (i32, Value) {
    let target = text(target);
    let (code, json) = helio_json(&[&["security", target.as_str()], more].concat());
    assert!(json["error"].is_null(), "{json}");
    (code, json)
}

/// Severity and code of each finding.
fn found(json: &Value) -> Vec<(String, String)> {
    let findings = json["reports"][0]["findings"].as_array().unwrap();
    for finding in findings {
        for field in ["place", "what", "advice"] {
            assert!(!finding[field].as_str().unwrap().is_empty(), "{finding}");
        }
    }
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    findings.iter().map(|it| (word(it, "severity"), word(it, "code"))).collect()
}

#[track_caller]
fn has(json: &Value, severity: &str, code: &str) {
    let found = found(json);
    assert!(found.contains(&(severity.into(), code.into())), "{severity} {code}: {found:#?}");
}

#[track_caller]
fn lacks(json: &Value, code: &str) {
    assert!(found(json).iter().all(|(_, it)| it != code), "{code}: {json:#}");
}

/// A kernel of two segments, the second with these flags.
fn kernel(flags: u32) -> Vec<u8> {
    let mut file = vec![0; 64 + 2 * 56];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    let base = 0xffff_ffff_8000_0000_u64;
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2u16.to_le_bytes());
    put(18, &62u16.to_le_bytes());
    put(20, &1u32.to_le_bytes());
    put(24, &base.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(52, &64u16.to_le_bytes());
    put(54, &56u16.to_le_bytes());
    put(56, &2u16.to_le_bytes());
    for (number, flags) in [5, flags].into_iter().enumerate() {
        let at = 64 + number * 56;
        put(at, &1u32.to_le_bytes());
        put(at + 4, &flags.to_le_bytes());
        put(at + 16, &(base + 0x1000 * number as u64).to_le_bytes());
        put(at + 40, &0x800u64.to_le_bytes());
        put(at + 48, &0x1000u64.to_le_bytes());
    }
    file
}

/// A UEFI program with one section of these characteristics.
fn loader(characteristics: u32) -> Vec<u8> {
    let mut file = vec![0; 0x200];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x40u32.to_le_bytes());
    put(0x40, b"PE\0\0");
    put(0x44, &0x8664u16.to_le_bytes());
    put(0x46, &1u16.to_le_bytes());
    // Size of the optional header: PE32+ without data directories.
    put(0x54, &112u16.to_le_bytes());
    put(0x58, &0x20bu16.to_le_bytes());
    put(0xc8, b".text\0\0\0");
    put(0xc8 + 36, &characteristics.to_le_bytes());
    file
}

const MANIFEST: &str = r#"
[package]
name = "demo"
version = 3

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
    { kind = "timer", name = "timer", rights = ["read"] },
    { kind = "region", name = "data.csv", rights = ["read", "grant"] },
    { kind = "namespace", name = "packages", rights = ["mount"] },
]
"#;

/// Says one line, and tries a handle that it has not.
const MODULE: &str = r#"(module
  (import "heliograph" "queue_send"
    (func $send (param i32 i32 i32 i32 i32) (result i64)))
  (memory (export "memory") 1 1)
  (data (i32.const 16) "hello\n")
  (func (export "_start")
    (drop (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)))
    (drop (call $send (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)))))"#;

/// A place with keys that are not for development, and a package.
struct Place {
    folder: TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let (folder, store) = store();
        let place = Self { folder, store };
        place.trust(|trust| trust.development = false);
        put(place.path(), "demo.toml", MANIFEST.as_bytes());
        put(place.path(), "demo.wat", MODULE.as_bytes());
        put(place.path(), "data.csv", b"1,2\n");
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn keys(&self) -> String {
        text(self.store.trust_path().parent().unwrap())
    }

    /// Signs another trust file.
    fn trust(&self, change: impl FnOnce(&mut Trust)) {
        let mut trust = self.store.trust().unwrap();
        change(&mut trust);
        let signed = trust.sign(&self.store.private(Role::Root).unwrap());
        fs::write(self.store.trust_path(), signed).unwrap();
    }

    fn package(&self, more: &[&str]) -> Vec<u8> {
        let at = |name| text(&self.path().join(name));
        let (manifest, output) = (at("demo.toml"), at("demo.rvf"));
        let key = text(&self.store.private_path(Role::Operator));
        let more = if more.is_empty() { vec!["--key", &key] } else { more.to_vec() };
        let pack = [&["pack", &manifest, "-o", &output], more.as_slice()].concat();
        let (code, _, error) = helio_text(&pack);
        assert_eq!(code, 0, "{error}");
        fs::read(output).unwrap()
    }

    /// What goes on a disk that nothing is wrong with.
    fn spec(&self) -> Spec {
        let kernel = kernel(6);
        let operator = self.store.private(Role::Operator).unwrap();
        let digest = HASHER.hash(&kernel);
        let signature = signature::sign(FileKind::Kernel, &digest, "operator", &operator);
        Spec {
            arch: Arch::X86_64,
            start: Start::Uefi(loader(0x6000_0020)),
            kernel,
            kernel_signature: Some(signature.into_bytes()),
            package: Some(self.package(&[])),
            trust: Some(fs::read(self.store.trust_path()).unwrap()),
            device_key: Some(fs::read(self.store.private_path(Role::Device)).unwrap()),
            command_line: String::new(),
            more: None,
        }
    }

    fn image(&self, spec: &Spec) -> (i32, Value) {
        let path = self.path().join("disk.img");
        image::build(spec, &path).unwrap();
        audit(&path, &["--keys", &self.keys()])
    }
}

#[test]
fn an_image_that_is_as_it_should_be_has_nothing_high() {
    let place = Place::new();
    let (code, json) = place.image(&place.spec());
    assert_eq!(
        (code, &json["counts"]["high"], &json["failed"]),
        (0, &0.into(), &false.into()),
        "{json:#}"
    );
    assert_eq!(json["reports"][0]["kind"], "image");
    // What our way of booting cannot do without.
    has(&json, "medium", "device-key-in-image");
    has(&json, "info", "unchecked-loader");
    assert_eq!(found(&json).len(), 2, "{json:#}");
    let path = place.path().join("disk.img");
    let keys = place.keys();
    let level = |level| audit(&path, &["--keys", &keys, "--fail-on", level]).0;
    assert_eq!(["high", "medium", "low", "info", "never"].map(level), [0, 1, 1, 1, 0]);
}

#[test]
fn what_is_weak_about_an_image_is_found() {
    let place = Place::new();
    let strangers = SigningKey::from_bytes(&[5; 32]);
    let good = place.spec();
    type Change<'a> = &'a dyn Fn(&mut Spec);
    let cases: [(&str, &str, Change<'_>); 15] = [
        ("high", "unsigned-kernel", &|it| it.kernel_signature = None),
        ("high", "untrusted-kernel", &|it| {
            let digest = HASHER.hash(&it.kernel);
            let note = signature::sign(FileKind::Kernel, &digest, "operator", &strangers);
            it.kernel_signature = Some(note.into_bytes());
        }),
        ("high", "untrusted-kernel", &|it| it.kernel.push(0)),
        ("high", "writable-code", &|it| it.kernel = kernel(7)),
        ("medium", "refused-kernel", &|it| it.kernel = kernel(7)),
        ("high", "writable-code", &|it| it.start = Start::Uefi(loader(0xe000_0020))),
        ("high", "no-trust-file", &|it| it.trust = None),
        ("high", "unsigned-trust-file", &|it| {
            it.trust = Some(Trust::default().sign(&strangers).into_bytes());
        }),
        ("high", "unsigned-package", &|it| it.package = Some(place.package(&["--unsigned"]))),
        ("high", "bad-package", &|it| it.package.as_mut().unwrap()[100] ^= 1),
        ("low", "unlisted-device-key", &|it| {
            it.device_key = Some(key::private_to_pem(&strangers).into_bytes());
        }),
        ("high", "weak-setting", &|it| it.command_line = "a=b test=panic".into()),
        ("medium", "weak-setting", &|it| it.command_line = "semihosting=1".into()),
        ("medium", "weak-setting", &|it| it.command_line = "end=shell".into()),
        ("low", "weak-setting", &|it| it.command_line = "pace=0 end=off".into()),
    ];
    for (severity, word, change) in cases {
        let mut spec = good.clone();
        change(&mut spec);
        let (code, json) = place.image(&spec);
        has(&json, severity, word);
        let is_high = json["counts"]["high"].as_u64().unwrap() > 0;
        assert_eq!((code, &json["failed"]), (i32::from(is_high), &is_high.into()), "{word}");
        if severity == "high" {
            assert_eq!(code, 1, "{word}");
        }
    }
}

#[test]
fn keys_that_have_no_place_in_an_image_are_found() {
    let place = Place::new();
    let root = fs::read(place.store.private_path(Role::Root)).unwrap();
    let folder = place.path().join("tftp");
    put(&folder, "heliograph/kernel.elf", &kernel(6));
    put(&folder, "notes/old.txt", &[b"see below\n", root.as_slice()].concat());
    let (code, json) = audit(&folder, &["--keys", &place.keys()]);
    assert_eq!((code, &json["reports"][0]["kind"]), (1, &"boot-folder".into()));
    has(&json, "high", "private-key-in-image");
    let findings = json["reports"][0]["findings"].as_array().unwrap();
    let found = findings.iter().find(|it| it["code"] == "private-key-in-image").unwrap();
    assert_eq!(found["place"], "notes/old.txt");
    assert!(found["what"].as_str().unwrap().contains("the root's private key"), "{found}");
    // Development keys, and one that rules what it lies on.
    let device = place.store.public(Role::Device).unwrap();
    place.trust(|trust| {
        trust.development = true;
        trust.operators.push(NamedKey { key: device, name: "both".into() });
    });
    let trust = fs::read(place.store.trust_path()).unwrap();
    let (_, json) = place.image(&Spec { trust: Some(trust), ..place.spec() });
    has(&json, "high", "development-keys");
    has(&json, "high", "key-in-two-roles");
}

#[test]
fn limine_and_direct_boot_check_nothing_and_what_they_say_for_a_loader_is_told() {
    let place = Place::new();
    let folder = place.path().join("disk");
    put(&folder, "heliograph/kernel.elf", &kernel(6));
    let configuration = "timeout: 0\n/H\n    cmdline: loader.checked=1 end=shell\n    kernel_cmdline: loader.checked=1 end=shell\n";
    put(&folder, "limine.conf", configuration.as_bytes());
    let (code, json) = audit(&folder, &["--keys", &place.keys()]);
    assert_eq!(code, 1);
    has(&json, "medium", "unchecked-boot");
    has(&json, "high", "forged-setting");
    let times = found(&json).iter().filter(|(_, code)| code == "weak-setting").count();
    assert_eq!(times, 1, "both names of one option are one");

    let archive = image::archive(&place.spec()).unwrap();
    for (name, front) in [
        ("alone", vec![]),
        ("appended", {
            let mut loader = vec![0; 4096];
            loader[56..60].copy_from_slice(b"ARM\x64");
            loader
        }),
    ] {
        let path = put(place.path(), name, &[front, archive.clone()].concat());
        let (_, json) = audit(&path, &["--keys", &place.keys()]);
        assert_eq!(json["reports"][0]["kind"], "direct-image");
        has(&json, "medium", "unchecked-boot");
        has(&json, "medium", "device-key-in-image");
        lacks(&json, "untrusted-package");
    }
}

#[test]
fn packages_are_judged_by_the_trust_file() {
    let place = Place::new();
    let package = put(place.path(), "a.rvf", &place.package(&[]));
    let keys = place.keys();
    let (code, json) = audit(&package, &["--keys", &keys]);
    assert_eq!((code, found(&json).len()), (0, 0), "{json:#}");
    let nobody = tempdir().unwrap();
    let (code, json) = audit(&package, &["--keys", &text(nobody.path())]);
    assert_eq!(code, 0);
    has(&json, "info", "signer-not-checked");
    place.trust(|trust| {
        let version = 4;
        trust.minimum_versions =
            vec![witness::trust::MinimumVersion { package: "demo".into(), version }];
    });
    has(&audit(&package, &["--keys", &keys]).1, "high", "old-package");
    let operator = place.store.public(Role::Operator).unwrap();
    place.trust(|trust| trust.revoked = vec![operator]);
    has(&audit(&package, &["--keys", &keys]).1, "high", "untrusted-package");
    let unsigned = put(place.path(), "b.rvf", &place.package(&["--unsigned"]));
    let (code, json) = audit(&unsigned, &["--keys", &keys]);
    assert_eq!(code, 1);
    has(&json, "high", "unsigned-package");
}

#[test]
fn a_key_store_shows_who_can_read_it() {
    let place = Place::new();
    let folder = place.store.trust_path().parent().unwrap().to_owned();
    let (code, json) = audit(&folder, &[]);
    assert_eq!((code, &json["reports"][0]["kind"]), (0, &"key-store".into()), "{json:#}");
    has(&json, "medium", "root-key-beside-others");
    has(&json, "medium", "unencrypted-key");
    lacks(&json, "loose-mode");

    let operator = place.store.private_path(Role::Operator);
    for (mode, is_loose) in [(0o640, true), (0o602, true), (0o400, false), (0o600, false)] {
        fs::set_permissions(&operator, Permissions::from_mode(mode)).unwrap();
        let (code, json) = audit(&folder, &[]);
        assert_eq!(code, i32::from(is_loose), "{mode:o}");
        if is_loose {
            has(&json, "high", "loose-mode");
        }
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    has(&audit(&folder, &[]).1, "high", "loose-mode");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();

    // A public half of somebody else's, a key that nobody lists, a revoked
    // one, and one that takes a passphrase.
    let stranger = SigningKey::from_bytes(&[5; 32]);
    let public = place.store.public_path(Role::Operator);
    let good = fs::read(&public).unwrap();
    fs::write(&public, key::public_to_pem(&key::public(&stranger))).unwrap();
    has(&audit(&folder, &[]).1, "high", "other-public-key");
    fs::write(&public, good).unwrap();
    let spare = put(&folder, "spare.pem", key::private_to_pem(&stranger).as_bytes());
    fs::set_permissions(&spare, Permissions::from_mode(0o600)).unwrap();
    has(&audit(&folder, &[]).1, "low", "unlisted-key");
    place.trust(|trust| trust.revoked = vec![key::public(&stranger)]);
    has(&audit(&folder, &[]).1, "medium", "revoked-key");
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(&spare, locked).unwrap();
    let (_, json) = audit(&folder, &[]);
    let about: Vec<_> = json["reports"][0]["findings"].as_array().unwrap().iter().collect();
    assert!(!about.iter().any(|it| it["place"] == "spare.pem" && it["code"] == "unencrypted-key"));
    // Signed by another root.
    let trust = Trust::default().sign(&stranger);
    fs::write(place.store.trust_path(), trust).unwrap();
    has(&audit(&folder, &[]).1, "high", "unsigned-trust-file");
}

#[test]
fn a_log_shows_what_its_machine_was_like() {
    let place = tempdir().unwrap();
    let log = place.path().join("log");
    import(&Recipe::default().run().disk, &log);
    let pem = key::public_to_pem(&device_key());
    let public = text(&put(place.path(), "device.pem", pem.as_bytes()));
    let (code, json) = audit(&log, &["--key", &public]);
    assert_eq!((code, &json["reports"][0]["kind"]), (1, &"log".into()));
    has(&json, "high", "development-keys");
    has(&json, "medium", "unchecked-boot");
    has(&json, "low", "no-flush");
    has(&json, "info", "initial-capabilities-not-checked");
    lacks(&json, "forged-log");
    // The same from a capture and a disk, of which no tiles are missed.
    let run = Recipe::default().run();
    for (name, bytes) in [("log.raw", &run.disk), ("console.log", &run.uart)] {
        let (code, json) = audit(&put(place.path(), name, bytes), &["--key", &public]);
        assert_eq!((code, &json["reports"][0]["kind"]), (1, &"log".into()));
        lacks(&json, "incomplete-log");
        lacks(&json, "forged-log");
    }
    // Nobody's key, another's key, a forgery, and what never ended.
    let nobody = tempdir().unwrap();
    let (_, json) = audit(&log, &["--keys", &text(nobody.path())]);
    has(&json, "info", "signer-not-checked");
    let stranger = key::public_to_pem(&key::public(&SigningKey::from_bytes(&[5; 32])));
    let stranger = text(&put(place.path(), "stranger.pem", stranger.as_bytes()));
    has(&audit(&log, &["--key", &stranger]).1, "high", "wrong-key");
    let path = log.join("tile/entries/000.p/25");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    has(&audit(&log, &["--key", &public]).1, "high", "forged-log");
    let open = Recipe { finished: false, ..Recipe::default() }.run().disk;
    let open = put(place.path(), "open.raw", &open);
    has(&audit(&open, &["--key", &public]).1, "medium", "incomplete-log");
}

#[test]
fn capabilities_that_a_run_never_used_are_named_with_the_package() {
    let place = Place::new();
    let package = text(&put(place.path(), "a.rvf", &place.package(&[])));
    let out = text(&place.path().join("run"));
    let keys = place.keys();
    let run = ["run", "--hosted", "--package", &package, "--keys", &keys, "--out", &out];
    let (code, json) = helio_json(&run);
    assert_eq!(code, 0, "{json}");
    let log = place.path().join("run/log");
    let (code, json) = audit(&log, &["--keys", &keys, "--package", &package]);
    let unused: Vec<_> = json["reports"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["code"] == "unused-capability")
        .map(|it| (it["severity"].as_str().unwrap(), it["place"].as_str().unwrap()))
        .collect();
    let at = |slot: u32| format!("task main (task 1), handle {slot}");
    assert_eq!(unused, [("medium", at(2).as_str()), ("medium", &at(3)), ("low", &at(1))]);
    // The handle that it has not.
    has(&json, "medium", "denied-capability");
    lacks(&json, "development-keys");
    assert_eq!(code, 0, "{json:#}");
    // Of another package nothing can be said.
    let other = text(&put(place.path(), "b.rvf", &place.package(&["--unsigned"])));
    let (code, json) = helio_json(&["security", &text(&log), "--package", &other]);
    assert_eq!((code, &json["error"]["object"]), (2, &other.into()));
}

#[test]
fn what_cannot_be_audited_is_refused_and_damage_does_no_harm() {
    let place = Place::new();
    let nothing = put(place.path(), "nothing", b"nothing at all");
    let (code, json) = helio_json(&["security", &text(&nothing)]);
    assert_eq!((code, &json["error"]["object"]), (2, &text(&nothing).into()));
    assert_eq!(helio_text(&["security", "/nowhere"]).0, 2);
    assert_eq!(helio_text(&["security", &place.keys(), "--keys", "/nowhere"]).0, 2);
    assert_eq!(helio_text(&["security"]).0, 2);
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(helio_text(&["security", &text(&empty)]).0, 2);

    // A FAT volume that was damaged: an answer or a refusal, and soon.
    let path = place.path().join("disk.img");
    image::build(&place.spec(), &path).unwrap();
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    let context = helio::security::Context::default();
    let mut seed = 7u64;
    for round in 0..24 {
        // The volume's first sector, its tables, and its folders.
        let reach = [512, 64 << 10, 2 << 20][round % 3];
        let mut before = Vec::new();
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (1 << 20) + (seed >> 33) % reach;
            let mut old = [0];
            file.read_exact_at(&mut old, at).unwrap();
            before.push((at, old));
            file.write_all_at(&[(seed >> 8) as u8], at).unwrap();
        }
        let _ = helio::security::audit(&path, &context);
        for (at, old) in before.into_iter().rev() {
            file.write_all_at(&old, at).unwrap();
        }
    }
    let report = helio::security::audit(&path, &context).unwrap();
    assert!(report.findings.iter().any(|finding| finding.code == "device-key-in-image"));

    // Where it is in the volume and what is wrong, and which file.
    let refused = |name: &str, at: usize, bytes: &[u8]| {
        let mut bad = fs::read(&path).unwrap();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        let path = text(&put(place.path(), name, &bad));
        let (code, json) = helio_json(&["security", &path]);
        assert_eq!((code, &json["error"]["object"]), (2, &path.into()), "{json}");
        json["error"]["reason"].as_str().unwrap().to_owned()
    };
    let guid = "partition table: it is of the GUID kind, and helio's images have the older one";
    assert_eq!(refused("guid", 450, &[0xee]), guid);
    assert!(refused("none", 458, &[0; 4]).starts_with("partition table: there is no first"));
    assert!(refused("fat", (1 << 20) + 13, &[3]).starts_with("boot sector: its numbers"));
}

#[test]
fn several_targets_are_audited_at_once_and_read_well() {
    let place = Place::new();
    let package = text(&put(place.path(), "b.rvf", &place.package(&["--unsigned"])));
    let (code, out, error) =
        helio_text(&["security", &package, &place.keys(), "--keys", &place.keys()]);
    assert_eq!((code, error.as_str()), (1, ""));
    assert!(out.contains("b.rvf: package\nhigh    unsigned-package  "), "{out}");
    assert!(out.contains("keys: key store\n"), "{out}");
    assert!(out.contains("\n        -> "), "{out}");
    assert!(out.trim_end().ends_with("info") && out.contains("1 high, "), "{out}");
}
