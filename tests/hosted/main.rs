#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's way to fail")]
//! Tests that need no machine and nothing built before them: the same cells
//! as in QEMU, in this process.

mod damaged;
mod hostile;
mod keys;
mod threats;
