#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's way to fail")]
//! What the integration tests share.
//!
//! [`artefacts`] are the files that `make build` left, [`packages`] makes
//! others, [`programs`] are those that others wrote. A [`Trial`] is a machine
//! in QEMU about to be started; it becomes a [`Running`] one and ends as what
//! is [`Left`] of it: how it ended, what it said, and its [`Log`].
//!
//! Tests say what a machine must do; everything about how one is put together
//! and started comes from the `helio` library, so that `helio run` and the
//! tests cannot differ.

pub mod accept;
pub mod artefacts;
pub mod c;
pub mod conformance;
pub mod disk;
pub mod hosted;
pub mod log;
pub mod machine;
pub mod packages;
pub mod programs;
pub mod replay;
pub mod trial;
pub mod work;

pub use helio::Arch;
pub use helio::qemu::{End, MachineStatus};
pub use helio::session::emulated::Way;
pub use log::Log;
pub use machine::{Left, Running};
pub use trial::Trial;
