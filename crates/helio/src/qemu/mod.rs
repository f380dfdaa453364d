//! Machines in QEMU.
//!
//! A [`Machine`] is a description from `qemu/*.toml` with its disks, and
//! becomes a [`Run`] when it is started: a child process, its console, and a
//! time limit. Tests and `helio run` use the same two types.
//!
//! Everything is emulated (TCG): a `/dev/kvm` that is there may still not
//! work, and what the kernel does must not depend on it.

mod description;
mod machine;
mod run;
mod status;

pub use description::Description;
pub use machine::{Boot, Machine};
pub use run::{Ended, Run};
pub use status::{End, MachineStatus};
