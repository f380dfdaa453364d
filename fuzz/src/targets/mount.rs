//! Mounting: a manifest of a stranger over sound parts, started.

use crate::{
    run::{Run, boot},
    world::{self, HASHER},
};
use std::sync::LazyLock;

/// Enough for a small package beside the share of what tasks bring.
const MEMORY: u64 = 24 << 20;

/// A command, a guard and a reactor in one.
pub(crate) static MODULE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    wat::parse_str(
        r#"(module
        (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 16) "hello\n")
        (func $say (result i64)
            (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)))
        (func (export "_start") (drop (call $say)))
        (func (export "on_message") (drop (call $say)))
        (func (export "allocate") (param i32) (result i32) (i32.const 64))
        (func (export "guard") (param i32 i32) (result i32) (i32.const 1)))"#,
    )
    .unwrap()
});

pub(crate) const REGION: &[u8] = b"a region of few bytes\n";

/// The input is the manifest. Every part has the digest of what is there:
/// segments 2 and 3 are the module, 4 and 5 the region.
pub(crate) fn fuzz(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let text = with_digests(text).unwrap_or_else(|| text.into());
    let file = world::package(&text, &[&MODULE, &MODULE], &[REGION, REGION]);
    let run = Run::of(boot(&file, MEMORY), &[], 1);
    run.check();
}

fn with_digests(text: &str) -> Option<String> {
    let mut json: serde_json::Value = serde_json::from_str(text).ok()?;
    for (list, bytes) in [("components", MODULE.as_slice()), ("regions", REGION)] {
        let parts = json.get_mut(list).and_then(|list| list.as_array_mut());
        for part in parts.into_iter().flatten().filter(|part| part.is_object()) {
            part["sha256"] = witness::hex::encode(&HASHER.hash(bytes)).into();
        }
    }
    serde_json_canonicalizer::to_string(&json).ok()
}
