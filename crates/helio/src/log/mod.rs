//! Logs outside the machine.
//!
//! A log leaves its machine as a stream of frames, on a disk or between the
//! lines of a serial console, and is kept as a folder of C2SP tlog-tiles.
//! [`stream`] reads the first, [`folder`] writes and reads the second, and
//! [`source`] takes either. [`show`] makes records readable, [`object`] makes
//! JSON of them, and [`fields`] takes them apart to be compared. [`prove`]
//! makes and checks proofs for people who have not the whole log.

pub mod fields;
pub mod folder;
mod listing;
pub mod object;
pub mod prove;
pub mod show;
pub mod source;
pub mod stream;

pub use folder::Folder;
pub use source::{Opened, Source};
pub use stream::{Imported, import};
