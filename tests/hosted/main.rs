#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's way to fail")]
//! Tests that need no machine: the same cells as in QEMU, in this process.
