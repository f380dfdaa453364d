//! Watching a machine over its serial port: what it says, its records as they
//! come, and its log, brought home while it runs.
//!
//! [`link`] opens the port, [`live`] takes the stream apart, and [`session`]
//! joins them with a person's keys, for as long as it takes.

pub mod link;
pub mod live;
pub mod session;

pub use link::Address;
pub use session::{Options, Summary, watch};
