//! The manifest: one encoding, every rule, every refusal with its place.

use crate::common::*;
use abi::{Kind, Rights};
use package::Manifest;
use package::error::{Object, PackageError, Reason, Stage};
use package::manifest::{
    CapabilityEntry, GraphStoreEntry, Metric, PartEntry, QueueEntry, SensorEntry, StandingApproval,
    StoreRules, Tier, VectorStoreEntry, WASI_STRINGS_MAX, WasiEntry,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The sample manifest as JSON that can be changed.
fn value() -> Value {
    serde_json::from_str(&manifest().to_json()).unwrap()
}

/// Parses the canonical bytes of `value`.
fn parse(value: &Value) -> Result<Manifest, PackageError> {
    Manifest::parse(&serde_json_canonicalizer::to_vec(value).unwrap())
}

/// The place and the reason of the refusal after `change`.
fn refused(change: impl FnOnce(&mut Value)) -> (String, Reason) {
    refused_of(value(), change)
}

fn refused_of(mut value: Value, change: impl FnOnce(&mut Value)) -> (String, Reason) {
    change(&mut value);
    let refusal = parse(&value).unwrap_err();
    assert_eq!(refusal.stage, Stage::Manifest);
    let Object::Manifest(place) = refusal.object else { panic!("{refusal}") };
    (place, refusal.reason)
}

fn broken(change: impl FnOnce(&mut Manifest)) -> (String, Reason) {
    broken_of(manifest(), change)
}

fn broken_of(mut manifest: Manifest, change: impl FnOnce(&mut Manifest)) -> (String, Reason) {
    change(&mut manifest);
    let refusal = manifest.check().unwrap_err();
    // What the writer's side is told is what the reader would say.
    assert_eq!(Manifest::parse(manifest.to_json().as_bytes()), Err(refusal.clone()));
    let Object::Manifest(place) = refusal.object else { panic!("{refusal}") };
    (place, refusal.reason)
}

fn at(place: &str, reason: Reason) -> (String, Reason) {
    (place.into(), reason)
}

#[test]
fn the_json_is_the_one_in_the_document() {
    let json = manifest().to_json();
    let head = r#"{"components":[{"name":"program","segment":2,"sha256":"93a44bbb"#;
    assert!(json.starts_with(head), "{json}");
    let tail = concat!(
        r#""format":1,"limits":{"fuel":"1000000","memory":1048576,"records":"100"},"name":"sample","#,
        r#""queues":[{"capacity_bytes":4096,"name":"results"}],"regions":[{"name":"data.csv","#,
    );
    assert!(json.contains(tail), "{json}");
    let end = concat!(
        r#""seed":"18446744073709551615","standing_approvals":[{"claim_types":[1,7],"#,
        r#""max_bytes":256,"max_claims":4}],"tasks":[{"capabilities":["#,
        r#"{"kind":"queue","name":"console","rights":["write"]},"#,
        r#"{"kind":"region","name":"data.csv","rights":["read"]},"#,
        r#"{"kind":"queue","name":"results","rights":["read","write"]},"#,
        r#"{"kind":"component","name":"program","rights":["execute"]},"#,
        r#"{"kind":"log","name":"log","rights":["write"]}],"component":"program","#,
        r#""deadline":"1000","fuel":"1000000","kind":"command","memory":65536,"#,
        r#""name":"program","priority":5}],"version":3}"#,
    );
    assert!(json.ends_with(end), "{json}");
}

#[test]
fn no_deadline_is_null() {
    let mut manifest = manifest();
    manifest.tasks[0].deadline = None;
    let json = manifest.to_json();
    assert!(json.contains(r#""deadline":null"#));
    assert_eq!(Manifest::parse(json.as_bytes()), Ok(manifest));
}

#[test]
fn only_canonical_bytes_are_taken() {
    let good = manifest().to_json();
    let spaced = good.replacen(':', ": ", 1);
    let swapped = good.replacen(
        r#""claim_types":[1,7],"max_bytes":256"#,
        r#""max_bytes":256,"claim_types":[1,7]"#,
        1,
    );
    let escaped = good.replacen("sample", "s\\u0061mple", 1);
    let float = good.replacen(r#""version":3"#, r#""version":3.0"#, 1);
    let exponent = good.replacen(r#""version":3"#, r#""version":3e0"#, 1);
    let line = good.clone() + "\n";
    for bytes in [&spaced, &swapped, &escaped, &float, &exponent, &line] {
        assert_ne!(bytes, &good);
        let refusal = Manifest::parse(bytes.as_bytes()).unwrap_err();
        let allowed = [Reason::NotCanonical, Reason::BadNumber];
        assert!(allowed.contains(&refusal.reason), "{refusal}: {bytes}");
    }
    let twice = good.replacen(r#""version":3"#, r#""version":3,"version":3"#, 1);
    let refusal = Manifest::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(refusal.reason, Reason::DuplicateMember);
}

#[test]
fn what_is_not_json_is_refused() {
    for bytes in [&b""[..], b"{", b"{}x", b"nul", b"\xff", b"{\"a\":01}", b"[", b"\"\\ud800\""] {
        let refusal = Manifest::parse(bytes).unwrap_err();
        assert_eq!(refusal.error(), abi::Error::BadManifest, "{bytes:?}");
    }
    for bytes in [b"[]".as_slice(), b"null", b"3", b"\"\""] {
        assert_eq!(Manifest::parse(bytes).unwrap_err().reason, Reason::WrongType);
    }
    // Deep nesting must not become deep recursion.
    let deep = vec![b'['; 60_000];
    assert_eq!(Manifest::parse(&deep).unwrap_err().reason, Reason::TooDeep);
}

/// Every object in the JSON, by its path.
fn objects(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(path.clone());
            members.iter().for_each(|(key, value)| objects(value, format!("{path}/{key}"), found));
        }
        Value::Array(all) => all
            .iter()
            .enumerate()
            .for_each(|(n, value)| objects(value, format!("{path}/{n}"), found)),
        _ => {}
    }
}

/// Members that may be left out, by their last step.
const OPTIONAL: [&str; 10] = [
    "/accepts",
    "/share",
    "/guard",
    "/vector_stores",
    "/graph_stores",
    "/sensors",
    "/wasi",
    "/args",
    "/env",
    "/stdin",
];

#[test]
fn every_member_is_needed_and_no_other_is_taken() {
    let whole: Value = serde_json::from_str(&full().to_json()).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| refused_of(whole.clone(), change);
    let mut paths = Vec::new();
    objects(&whole, String::new(), &mut paths);
    assert_eq!(paths.len(), 6 + 1 + 5 + 4, "{paths:?}");
    for path in paths {
        let place = |member: &str| {
            let dotted = format!("{path}/{member}");
            // /tasks/0/name is written tasks[0].name.
            let mut text = String::new();
            for step in dotted.split('/').skip(1) {
                match step.parse::<usize>() {
                    Ok(index) => text += &format!("[{index}]"),
                    Err(_) if text.is_empty() => text += step,
                    Err(_) => text += &format!(".{step}"),
                }
            }
            text
        };
        let members: Vec<_> =
            whole.pointer(&path).unwrap().as_object().unwrap().keys().cloned().collect();
        let object = |value: &mut Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
            change(value.pointer_mut(&path).unwrap().as_object_mut().unwrap());
        };
        for member in members {
            let is_optional = OPTIONAL.contains(&format!("/{member}").as_str());
            if !is_optional || member == "guard" {
                let missing = refused(&|v| object(v, &|o| drop(o.remove(&member))));
                assert_eq!(missing, at(&place(&member), Reason::MissingMember));
            } else {
                let mut without = whole.clone();
                object(&mut without, &|o| drop(o.remove(&member)));
                assert!(parse(&without).is_ok(), "{path}/{member}");
            }
            let wrong = refused(&|v| object(v, &|o| drop(o.insert(member.clone(), json!(true)))));
            assert_eq!(wrong, at(&place(&member), Reason::WrongType));
        }
        let unknown = refused(&|v| object(v, &|o| drop(o.insert("zeta".into(), json!(1)))));
        assert_eq!(unknown, at(&place("zeta"), Reason::UnknownMember));
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let with = |pointer: &'static str, new: Value| {
        refused(move |v| *v.pointer_mut(pointer).unwrap() = new).1
    };
    assert_eq!(with("/format", json!(2)), Reason::UnknownFormat);
    assert_eq!(with("/tasks/0/priority", json!(256)), Reason::OutOfRange);
    assert_eq!(with("/tasks/0/memory", json!(1u64 << 32)), Reason::OutOfRange);
    assert_eq!(with("/tasks/0/kind", json!("daemon")), Reason::UnknownWord);
    assert_eq!(with("/tasks/0/capabilities/0/kind", json!("file")), Reason::UnknownWord);
    assert_eq!(with("/tasks/0/capabilities/0/rights/0", json!("own")), Reason::UnknownWord);
    assert_eq!(with("/tasks/0/capabilities/0/rights", json!([])), Reason::Empty);
    let both_ways = [json!(["write", "read"]), json!(["read", "read"])];
    for rights in both_ways {
        assert_eq!(with("/tasks/0/capabilities/2/rights", rights), Reason::NotSorted);
    }
    for counter in ["", "01", "-1", "+1", "1.0", "0x1", " 1", "18446744073709551616"] {
        assert_eq!(with("/seed", json!(counter)), Reason::BadCounter, "{counter}");
    }
    for digest in [String::new(), "0".repeat(63), "A".repeat(64), "g".repeat(64)] {
        assert_eq!(with("/regions/0/sha256", json!(digest)), Reason::BadDigest, "{digest}");
    }
    for name in ["", "a b", "../x", "ä"] {
        assert_eq!(with("/name", json!(name)), Reason::BadName, "{name}");
    }
    assert_eq!(with("/standing_approvals/0/claim_types/1", json!(1u64 << 32)), Reason::OutOfRange);
}

#[test]
fn integers_beyond_two_to_the_53_are_refused() {
    let check = |change: fn(&mut Manifest)| {
        let mut manifest = manifest();
        change(&mut manifest);
        manifest.check().unwrap_err().to_string()
    };
    let text = "package refused (manifest): the manifest's version is out of range";
    assert_eq!(check(|m| m.version = 1 << 53), text);
    assert!(check(|m| m.limits.memory = 1 << 53).contains("limits.memory"));
    assert!(check(|m| m.components[0].segment = u64::MAX).contains("components[0].segment"));
    let json = manifest().to_json().replace(r#""version":3"#, r#""version":9007199254740992"#);
    assert_eq!(Manifest::parse(json.as_bytes()).unwrap_err().reason, Reason::BadNumber);
    assert_eq!(refused(|v| v["version"] = json!(-1)), at("version", Reason::OutOfRange));
}

#[test]
fn two_objects_of_one_name_are_refused() {
    let part = |name: &str, segment| PartEntry { name: name.into(), segment, sha256: [0; 32] };
    let queue = |name: &str| QueueEntry { name: name.into(), capacity_bytes: 1, accepts: None };
    let duplicate = |place: &str| at(place, Reason::DuplicateName);

    let components = broken(|m| m.components.push(part("program", 8)));
    assert_eq!(components, duplicate("components[1].name \"program\""));
    let region = broken(|m| m.regions.push(part("program", 8)));
    assert_eq!(region, duplicate("regions[1].name \"program\""));
    assert_eq!(
        broken(|m| m.queues.push(queue("data.csv"))),
        duplicate("queues[1].name \"data.csv\"")
    );
    for own in ["console", "console-input", "approvals", "log", "timer", "memory", "packages"] {
        assert_eq!(broken(|m| m.queues.push(queue(own))).1, Reason::DuplicateName);
    }
    let tasks = broken(|m| m.tasks.push(m.tasks[0].clone()));
    assert_eq!(tasks, duplicate("tasks[1].name \"program\""));
}

#[test]
fn references_must_hold() {
    let no_object = |(place, reason): (String, Reason), expected: &str| {
        assert_eq!((place.as_str(), reason), (expected, Reason::NoSuchObject));
    };
    no_object(
        broken(|m| m.tasks[0].component = "data.csv".into()),
        "tasks[0].component \"data.csv\"",
    );
    let capability = |kind, name: &str| {
        let name = name.into();
        broken(move |m| {
            m.tasks[0].capabilities[1] = CapabilityEntry { kind, name, rights: Rights::READ }
        })
    };
    let place = "tasks[0].capabilities[1]";
    no_object(capability(Kind::Region, "none"), &format!("{place} (region \"none\")"));
    no_object(capability(Kind::Region, "program"), &format!("{place} (region \"program\")"));
    no_object(capability(Kind::Queue, "log"), &format!("{place} (queue \"log\")"));
    no_object(capability(Kind::Task, "program"), &format!("{place} (task \"program\")"));
    assert_eq!(capability(Kind::Queue, "no\nname").1, Reason::BadName);
}

#[test]
fn counts_and_budgets_have_limits() {
    let approval = StandingApproval { claim_types: vec![1], max_bytes: 0, max_claims: 0 };
    assert_eq!(
        broken(|m| m.standing_approvals = vec![approval.clone(); 17]),
        at("standing_approvals", Reason::TooMany)
    );
    let many: Vec<_> = (0..65)
        .map(|n| PartEntry { name: format!("c{n}"), segment: n + 10, sha256: [0; 32] })
        .collect();
    assert_eq!(broken(|m| m.components = many.clone()), at("components", Reason::TooMany));
    assert_eq!(
        broken(|m| m.tasks[0].capabilities = vec![m.tasks[0].capabilities[0].clone(); 65]),
        at("tasks[0].capabilities", Reason::TooMany)
    );
    assert_eq!(broken(|m| m.tasks[0].fuel += 1), at("tasks[0].fuel", Reason::OverLimit));
    assert_eq!(broken(|m| m.tasks[0].memory = 1 << 21), at("tasks[0].memory", Reason::OverLimit));
    for capacity in [0, (1 << 20) + 1] {
        let queue = broken(|m| m.queues[0].capacity_bytes = capacity);
        assert_eq!(queue, at("queues[0].capacity_bytes", Reason::OutOfRange));
    }
    let types = |claim_types: Vec<u32>| {
        broken(move |m| m.standing_approvals[0].claim_types = claim_types).1
    };
    assert_eq!(types(vec![]), Reason::Empty);
    assert_eq!(types(vec![2, 1]), Reason::NotSorted);
    assert_eq!(types(vec![1, 1]), Reason::NotSorted);
    assert_eq!(types((0..65).collect()), Reason::TooMany);
}

#[test]
fn what_says_its_default_is_refused() {
    let with = |pointer: &str, key: &str, default: Value| {
        refused_of(serde_json::from_str(&full().to_json()).unwrap(), |v| {
            let object = v.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
            object.insert(key.into(), default);
        })
    };
    let default = |place: &str| at(place, Reason::DefaultPresent);
    assert_eq!(with("/limits", "share", json!(100)), default("limits.share"));
    for member in ["vector_stores", "graph_stores", "sensors"] {
        assert_eq!(with("", member, json!([])), default(member));
    }
    for member in ["args", "env"] {
        let place = format!("tasks[0].wasi.{member}");
        assert_eq!(with("/tasks/0/wasi", member, json!([])), default(&place));
    }
    assert_eq!(with("/tasks/0", "wasi", json!({})), default("tasks[0].wasi"));
    // Where the default is nothing at all, there is no word for it.
    for (pointer, key, place) in [
        ("/queues/0", "accepts", "queues[0].accepts"),
        ("/vector_stores/0", "guard", "vector_stores[0].guard"),
        ("", "sensors", "sensors"),
    ] {
        assert_eq!(with(pointer, key, Value::Null), at(place, Reason::WrongType));
    }
}

#[test]
fn stores_and_sensors_have_rules_of_their_own() {
    let broken = |change: fn(&mut Manifest)| broken_of(full(), change);
    let (vectors, graph) = ("vector_stores[0]", "graph_stores[0]");
    for (member, reason, change) in [
        (
            "capacity",
            Reason::OutOfRange,
            (|m| m.vector_stores[0].capacity = 0) as fn(&mut Manifest),
        ),
        ("capacity", Reason::OutOfRange, |m| m.vector_stores[0].capacity = 131_073),
        ("dimension", Reason::OutOfRange, |m| m.vector_stores[0].dimension = 0),
        ("dimension", Reason::OutOfRange, |m| m.vector_stores[0].dimension = 1_025),
        ("approvers", Reason::Empty, |m| m.vector_stores[0].rules.approvers.clear()),
        ("approvers", Reason::NotSorted, |m| m.vector_stores[0].rules.approvers.reverse()),
        ("approvers", Reason::NotSorted, |m| m.vector_stores[0].rules.approvers = vec![[1; 32]; 2]),
        ("approvers", Reason::TooMany, |m| {
            m.vector_stores[0].rules.approvers = (0..9).map(|n| [n; 32]).collect();
        }),
        ("guard", Reason::MissingMember, |m| m.vector_stores[0].rules.guard = None),
        ("guard", Reason::NotForTier, |m| m.vector_stores[0].rules.tier = Tier::Standard),
        ("guard", Reason::NotForTier, |m| m.vector_stores[0].rules.tier = Tier::Reflex),
        ("guard", Reason::BadName, |m| m.vector_stores[0].rules.guard = Some("a b".into())),
        ("guard \"data.csv\"", Reason::NoSuchObject, |m| {
            m.vector_stores[0].rules.guard = Some("data.csv".into());
        }),
        ("name", Reason::BadName, |m| m.vector_stores[0].name = "../x".into()),
        ("name \"data.csv\"", Reason::DuplicateName, |m| {
            m.vector_stores[0].name = "data.csv".into()
        }),
        ("name \"approvals\"", Reason::DuplicateName, |m| {
            m.vector_stores[0].name = "approvals".into()
        }),
    ] {
        assert_eq!(broken(change), at(&format!("{vectors}.{member}"), reason));
    }
    for (member, reason, change) in [
        ("nodes", Reason::OutOfRange, (|m| m.graph_stores[0].nodes = 0) as fn(&mut Manifest)),
        ("nodes", Reason::OutOfRange, |m| m.graph_stores[0].nodes = 131_073),
        ("edges", Reason::OutOfRange, |m| m.graph_stores[0].edges = 0),
        ("edges", Reason::OutOfRange, |m| m.graph_stores[0].edges = 131_073),
        ("approvers", Reason::Empty, |m| m.graph_stores[0].rules.tier = Tier::Standard),
        ("approvers", Reason::Empty, |m| m.graph_stores[0].rules.tier = Tier::Deep),
        ("name \"memories\"", Reason::DuplicateName, |m| {
            m.graph_stores[0].name = "memories".into()
        }),
    ] {
        assert_eq!(broken(change), at(&format!("{graph}.{member}"), reason));
    }
    let sensor = broken(|m| m.sensors[0].name = "facts".into());
    assert_eq!(sensor, at("sensors[0].name \"facts\"", Reason::DuplicateName));

    for (pointer, bad, reason) in [
        ("/vector_stores/0/tier", json!("Deep"), Reason::UnknownWord),
        ("/vector_stores/0/metric", json!("dot"), Reason::UnknownWord),
        ("/vector_stores/0/approvers/0", json!("0".repeat(63)), Reason::BadDigest),
        ("/vector_stores/0/approvers/0", json!("A".repeat(64)), Reason::BadDigest),
        ("/vector_stores/0/capacity", json!(1u64 << 32), Reason::OutOfRange),
        ("/queues/0/accepts", json!(1u64 << 32), Reason::OutOfRange),
        ("/queues/0/accepts", json!(-1), Reason::OutOfRange),
        ("/limits/share", json!(65_536), Reason::OutOfRange),
    ] {
        let found = refused_of(serde_json::from_str(&full().to_json()).unwrap(), |v| {
            *v.pointer_mut(pointer).unwrap() = bad;
        });
        assert_eq!(found.1, reason, "{pointer}");
    }
    for share in [0, 1_001] {
        let found = broken_of(full(), |m| m.limits.share = share);
        assert_eq!(found, at("limits.share", Reason::OutOfRange));
    }
}

#[test]
fn what_a_task_is_told_has_rules_of_its_own() {
    let broken = |change: fn(&mut WasiEntry)| {
        let mut manifest = full();
        change(manifest.tasks[0].wasi.as_mut().unwrap());
        broken_of(manifest, |_| ())
    };
    let place = |member: &str| format!("tasks[0].wasi.{member}");
    let zero = broken(|it| it.args[1] = "a\0".into());
    assert_eq!(zero, at(&place("args[1]"), Reason::OutOfRange));
    for bad in ["", "HOME", "=x"] {
        let mut manifest = full();
        manifest.tasks[0].wasi.as_mut().unwrap().env = vec![bad.into()];
        assert_eq!(broken_of(manifest, |_| ()), at(&place("env[0]"), Reason::BadName));
    }
    let many = broken(|it| it.env = vec!["A=".into(); WASI_STRINGS_MAX + 1]);
    assert_eq!(many, at(&place("env"), Reason::TooMany));
    let odd = broken(|it| it.stdin = Some("../x".into()));
    assert_eq!(odd, at(&place("stdin"), Reason::BadName));
    // Neither is a region that the task may read.
    for (name, found) in [("results", "results"), ("no-such", "no-such")] {
        let mut manifest = full();
        manifest.tasks[0].wasi.as_mut().unwrap().stdin = Some(name.into());
        let place = format!("{} \"{found}\"", place("stdin"));
        assert_eq!(broken_of(manifest, |_| ()), at(&place, Reason::NoSuchObject));
    }
}

#[test]
fn no_more_stores_and_sensors_than_there_may_be() {
    let names = || (0..17).map(|n| format!("n{n}"));
    let many = broken_of(full(), |m| {
        let store = m.vector_stores[0].clone();
        m.vector_stores = names().map(|name| VectorStoreEntry { name, ..store.clone() }).collect();
    });
    assert_eq!(many, at("vector_stores", Reason::TooMany));
    let many = broken_of(full(), |m| {
        let store = m.graph_stores[0].clone();
        m.graph_stores = names().map(|name| GraphStoreEntry { name, ..store.clone() }).collect();
    });
    assert_eq!(many, at("graph_stores", Reason::TooMany));
    let many =
        broken_of(full(), |m| m.sensors = names().map(|name| SensorEntry { name }).collect());
    assert_eq!(many, at("sensors", Reason::TooMany));
}

#[test]
fn stores_sensors_and_approvals_can_be_held() {
    let mut manifest = full();
    manifest.tasks[0].wasi = None;
    let all = [
        (Kind::VectorStore, "memories", Rights::READ | Rights::PROVE),
        (Kind::GraphStore, "facts", Rights::WRITE),
        (Kind::Sensor, "thermometer", Rights::READ | Rights::GRANT_ONCE),
        (Kind::Queue, "approvals", Rights::READ),
    ];
    manifest.tasks[0].capabilities = all
        .map(|(kind, name, rights)| CapabilityEntry { kind, name: name.into(), rights })
        .to_vec();
    let json = manifest.to_json();
    assert!(json.contains(r#""name":"thermometer","rights":["read","grant-once"]"#), "{json}");
    assert_eq!(Manifest::parse(json.as_bytes()), Ok(manifest.clone()));
    for wrong in [Kind::GraphStore, Kind::Queue, Kind::Sensor] {
        let found = broken_of(manifest.clone(), |m| m.tasks[0].capabilities[0].kind = wrong);
        assert_eq!(found.1, Reason::NoSuchObject);
    }
}

/// The kinds of entries that a manifest can do without.
type Optional = (Option<u16>, Vec<VectorStoreEntry>, Vec<GraphStoreEntry>, Vec<SensorEntry>);

fn any_rules() -> impl Strategy<Value = StoreRules> {
    let keys = |least| {
        prop::collection::btree_set(any::<[u8; 32]>(), least..=8usize)
            .prop_map(|keys| keys.into_iter().collect::<Vec<_>>())
    };
    prop_oneof![
        keys(0).prop_map(|approvers| StoreRules { tier: Tier::Reflex, approvers, guard: None }),
        keys(1).prop_map(|approvers| StoreRules { tier: Tier::Standard, approvers, guard: None }),
        keys(1).prop_map(|approvers| StoreRules {
            tier: Tier::Deep,
            approvers,
            guard: Some("guard".into()),
        }),
    ]
}

prop_compose! {
    /// Members with names that no others have.
    fn any_optional()(
        share in prop::option::of(1..=1_000u16),
        vectors in prop::collection::btree_map("v[a-z0-9._-]{0,9}", (1..=131_072u32, 1..=1_024u32, any::<bool>(), any_rules()), 0..4),
        graphs in prop::collection::btree_map("w[a-z0-9._-]{0,9}", (1..=131_072u32, 1..=131_072u32, any_rules()), 0..4),
        sensors in prop::collection::btree_set("x[a-z0-9._-]{0,9}", 0..4),
    ) -> Optional {
        let metric = |is_cosine| if is_cosine { Metric::Cosine } else { Metric::L2 };
        (
            share,
            vectors.into_iter().map(|(name, (capacity, dimension, is_cosine, rules))| {
                VectorStoreEntry { name, capacity, dimension, metric: metric(is_cosine), rules }
            }).collect(),
            graphs.into_iter().map(|(name, (nodes, edges, rules))| {
                GraphStoreEntry { name, nodes, edges, rules }
            }).collect(),
            sensors.into_iter().map(|name| SensorEntry { name }).collect(),
        )
    }
}

prop_compose! {
    /// Manifests without tasks that keep every rule.
    fn any_manifest()(
        name in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        version in 0..1u64 << 53,
        seed: u64,
        limits in (any::<u64>(), 0..1u64 << 53, any::<u64>()),
        parts in prop::collection::btree_map("[a-k][a-z0-9._-]{0,20}", any::<([u8; 32], bool)>(), 0..20),
        queues in prop::collection::btree_map("q[a-z0-9._-]{0,20}", (1..1u64 << 20, any::<Option<u32>>()), 0..8),
        approvals in prop::collection::vec(
            (prop::collection::btree_set(any::<u32>(), 1..6), 0..1u64 << 53, 0..1u64 << 53), 0..4),
        (share, vector_stores, graph_stores, sensors) in any_optional(),
        state_roots in prop::option::of(1..1u64 << 53),
    ) -> Manifest {
        let default = package::manifest::Limits::DEFAULT_SHARE;
        let mut manifest = Manifest {
            name, version, seed,
            limits: package::manifest::Limits { fuel: limits.0, memory: limits.1, records: limits.2, share: share.unwrap_or(default) },
            components: Vec::new(),
            regions: Vec::new(),
            queues: queues.into_iter().map(|(name, (capacity_bytes, accepts))| QueueEntry { name, capacity_bytes, accepts }).collect(),
            standing_approvals: approvals.into_iter().map(|(types, max_bytes, max_claims)| StandingApproval {
                claim_types: types.into_iter().collect(), max_bytes, max_claims,
            }).collect(),
            vector_stores, graph_stores, sensors, state_roots,
            tasks: Vec::new(),
        };
        manifest.components.push(PartEntry { name: "guard".into(), segment: 1, sha256: [0; 32] });
        for (segment, (name, (sha256, is_component))) in (2..).zip(parts) {
            let part = PartEntry { name, segment, sha256 };
            if is_component { &mut manifest.components } else { &mut manifest.regions }.push(part);
        }
        manifest
    }
}

proptest! {
    #[test]
    fn manifests_survive_the_round_trip_in_canonical_form(manifest in any_manifest()) {
        prop_assert_eq!(manifest.check(), Ok(()));
        let json = manifest.to_json();
        let back = Manifest::parse(json.as_bytes());
        prop_assert_eq!(back, Ok(manifest));
        let parsed: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(serde_json_canonicalizer::to_string(&parsed).unwrap(), json);
    }

    #[test]
    fn what_parses_is_the_json_of_what_it_parses_to(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = full().to_json().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(manifest) = Manifest::parse(&bytes) {
            prop_assert_eq!(manifest.to_json().into_bytes(), bytes);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in r#"[\[\]{}:,"a-z0-9\\ .eE+-]{0,200}"#) {
        let _ = Manifest::parse(text.as_bytes());
    }
}
