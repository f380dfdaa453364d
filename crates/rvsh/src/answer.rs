//! What a command answers.

use abi::SignedProof;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use witness::json::Value;

use crate::trace::Trace;

/// Something for the kernel to do after it has shown the text. Each of them
/// but the last is an event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Admit a verifier's nonce as an event, seal it and sign a checkpoint
    /// that covers it.
    Challenge([u8; 32]),
    /// Stop the gate.
    Stop,
    /// Let it go on.
    Resume,
    /// Take a snapshot: record the root of the state.
    Snapshot,
    /// Give a line to the tasks.
    Type(String),
    /// Give a sensor's reading to its subscribers.
    Feed {
        /// The sensor's name.
        sensor: String,
        /// What it reads.
        reading: Vec<u8>,
    },
    /// Hand a signed proof to the tasks.
    Approve([u8; SignedProof::SIZE]),
    /// Trace something else from here on.
    Trace(Trace),
    /// Mount a package.
    Mount {
        /// The module that holds it.
        module: String,
        /// Where.
        path: String,
    },
    /// Panic.
    Panic,
    /// End the run and start the machine again.
    Reboot,
    /// End the run and switch the machine off.
    PowerOff,
    /// Send the log out by the console, framed. Only looks.
    Export,
}

impl Action {
    /// Whether this is an event in the log; else it only looks.
    pub fn is_event(&self) -> bool {
        *self != Self::Export
    }
}

/// A command's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whole lines, each ending in a line feed.
    pub text: String,
    /// What to do then.
    pub action: Option<Action>,
}

/// Why a command was not done: one sentence for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl Answer {
    pub(crate) fn text(text: String) -> Self {
        Self { text, action: None }
    }

    /// One line of JSON.
    pub(crate) fn json(value: &Value) -> Self {
        Self::text(alloc::format!("{value}\n"))
    }

    /// A line, and something to do.
    pub(crate) fn act(line: impl fmt::Display, action: Action) -> Self {
        Self { text: alloc::format!("{line}\n"), action: Some(action) }
    }
}
