#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's way to fail")]
//! Tests that start machines in QEMU, or need what `make build` makes.
//!
//! Everything is emulated, so time is what a test here costs: a start without
//! firmware (AArch64, direct boot) takes a second or two, one by UEFI about
//! five. What both ports share is tried on the quick one; what each has of its
//! own, on each. What takes minutes is ignored, but by `make test-long`.

mod boot;
mod command;
mod conformance;
mod equality;
mod events;
mod faults;
mod full;
mod hostile;
mod loader;
mod panic;
mod phases;
mod refused;
mod regress;
mod replay;
mod reproducible;
mod rpi4;
mod selftests;
mod shell;
mod terminal;
mod uart;
mod wasi;
