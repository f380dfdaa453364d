#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's way to fail")]
//! Tests that need no machine: the same cells as in QEMU, in this process. Of
//! what is built before, they need the payloads and the programs: `make payloads
//! programs`.

mod accept;
mod agents;
mod c;
mod conformance;
mod damaged;
mod hostile;
mod keys;
mod replay;
mod snapshots;
mod threats;
mod wasi;
