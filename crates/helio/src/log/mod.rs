//! Logs outside the machine.
//!
//! A log leaves its machine as a stream of frames, on a disk or between the
//! lines of a serial console, and is kept as a folder of C2SP tlog-tiles.
//! [`stream`] reads the first, [`folder`] writes and reads the second,
//! [`show`] makes records readable, and [`fields`] takes them apart to be
//! compared.

pub mod fields;
pub mod folder;
mod listing;
pub mod show;
pub mod stream;

pub use folder::Folder;
pub use stream::{Imported, import};
