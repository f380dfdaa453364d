//! What happens in a test, as plain data that can be printed and repeated.

use abi::{
    Call, Error, GrantArguments, Handle, Reference, RegionMode, SignedProof, SpawnArguments,
};
use nucleus::{Arguments, ChangeProof, Passed, Request};
use package::manifest::TaskKind;
use witness::Hash;

/// One step of a test.
#[derive(Clone, Debug)]
pub enum Step {
    /// The scheduler chooses. Nothing happens if nobody can run: time jumps.
    Begin,
    /// The slice that is on ends, after this much more fuel.
    End { fuel: u64 },
    /// The task whose slice it is makes a call.
    Call(Deed),
    /// The task whose slice it is returns.
    Exit(i32),
    /// Something comes in, between slices.
    Event(Event),
}

#[derive(Clone, Debug)]
pub enum Event {
    Stop,
    Resume,
    Shutdown,
    Reading(Vec<u8>),
    Typed(Vec<u8>),
    Approval(Box<SignedProof>),
}

/// A call.
#[derive(Clone, Debug)]
pub struct Deed {
    pub call: Call,
    pub handle: Handle,
    pub operation: u32,
    /// Fuel it may spend beside its price.
    pub fuel: u64,
    pub what: Result<What, Error>,
}

/// What a call brings along.
#[derive(Clone, Debug)]
pub enum What {
    Spawn { start: SpawnArguments, passed: Vec<u8>, prepared: Result<(), Error> },
    Grant(GrantArguments),
    TakeBack,
    Create { mode: RegionMode, content: Vec<u8> },
    Append(Vec<u8>),
    Write { slot: u64, bytes: Vec<u8> },
    Free { slot: u64 },
    Read { offset: u64, window: usize },
    Send { kind: u32, priority: u8, bytes: Vec<u8> },
    SendReference { kind: u32, priority: u8, reference: Reference },
    Receive { deadline: u64, window: usize },
    Wait { ns: u64 },
    Mount { region: Handle, path: String },
    Unmount { path: String },
    Claim { kind: u32, digest: Hash, body: Vec<u8> },
    Approve { slot: u32, mutation: Hash, old_leaf: Hash, expiry: u64 },
    Get { question: Vec<u8>, window: usize },
    Put { mutation: Vec<u8>, proof: Proof },
    Apply { mutation: Vec<u8>, proof: Proof },
    Subscribe { queue: Handle },
}

#[derive(Clone, Debug)]
pub enum Proof {
    None,
    Minted(Handle),
    Signed(Box<SignedProof>),
}

impl Proof {
    fn typed(&self) -> ChangeProof {
        match self {
            Self::None => ChangeProof::None,
            Self::Minted(handle) => ChangeProof::Minted(*handle),
            Self::Signed(signed) => ChangeProof::Signed(**signed),
        }
    }
}

/// What fills a window before the call.
pub const BLANK: u8 = 0xEE;

impl Deed {
    /// The window that the call fills.
    pub fn window(&self) -> Vec<u8> {
        let length = match &self.what {
            Ok(
                What::Read { window, .. } | What::Receive { window, .. } | What::Get { window, .. },
            ) => *window,
            _ => 0,
        };
        vec![BLANK; length]
    }

    /// What the record shows as length and argument, unless the call fills
    /// them in.
    pub fn shown(&self) -> (u32, u64) {
        let length = |bytes: &[u8]| bytes.len() as u32;
        let head = |bytes: &[u8], at: usize| {
            let long = bytes.get(at..at + 8).map(|it| u64::from_le_bytes(it.try_into().unwrap()));
            long.unwrap_or(0)
        };
        let kind = |kind: u32, priority: u8| u64::from(priority) << 32 | u64::from(kind);
        match &self.what {
            Err(_) => (77, 78),
            Ok(What::Spawn { start, .. }) => (0, start.fuel),
            Ok(What::Grant(terms)) => (32, kind(terms.to.0, terms.rights.bits())),
            Ok(What::Create { mode, content }) => {
                (length(content), mode.to_word().unwrap_or(u64::MAX))
            }
            Ok(What::Append(bytes)) => (length(bytes), 0),
            Ok(What::Write { slot, bytes }) => (length(bytes), *slot),
            Ok(What::Free { slot }) => (0, *slot),
            Ok(What::Read { offset, window }) => (*window as u32, *offset),
            Ok(What::Send { kind: of, priority, bytes }) => (length(bytes), kind(*of, *priority)),
            Ok(What::SendReference { kind: of, priority, .. }) => (24, kind(*of, *priority)),
            Ok(What::Receive { deadline, window }) => (*window as u32, *deadline),
            Ok(What::Wait { ns }) => (0, *ns),
            Ok(What::Claim { kind, body, .. }) => (length(body), u64::from(*kind)),
            Ok(What::Approve { slot, .. }) => (40, u64::from(*slot)),
            Ok(What::Get { question, window }) => (*window as u32, head(question, 0)),
            Ok(What::Put { mutation, .. }) => (length(mutation), head(mutation, 0)),
            Ok(What::Apply { mutation, .. }) => (length(mutation), head(mutation, 8)),
            Ok(What::Subscribe { queue }) => (0, u64::from(queue.0)),
            Ok(What::TakeBack | What::Mount { .. } | What::Unmount { .. }) => (0, 0),
        }
    }

    /// The request, as the machine makes it.
    pub fn request<'a>(&'a self, into: &'a mut [u8]) -> Request<'a> {
        let (length, argument) = self.shown();
        Request {
            call: self.call,
            handle: self.handle,
            operation: self.operation,
            length,
            argument,
            fuel: self.fuel,
            arguments: self.what.as_ref().map_err(|error| *error).map(|what| what.typed(into)),
        }
    }
}

impl What {
    fn typed<'a>(&'a self, into: &'a mut [u8]) -> Arguments<'a> {
        match self {
            Self::Spawn { start, passed, .. } => Arguments::Spawn {
                start: *start,
                kind: TaskKind::Command,
                passed: Passed::Handles(passed),
            },
            Self::Grant(terms) => Arguments::Grant(*terms),
            Self::TakeBack => Arguments::TakeBack,
            Self::Create { mode, content } => Arguments::Create { mode: *mode, content },
            Self::Append(bytes) => Arguments::Append(bytes),
            Self::Write { slot, bytes } => Arguments::Write { slot: *slot, bytes },
            Self::Free { slot } => Arguments::Free { slot: *slot },
            Self::Read { offset, .. } => Arguments::Read { offset: *offset, into },
            Self::Send { kind, priority, bytes } => {
                Arguments::Send { kind: *kind, priority: *priority, bytes }
            }
            Self::SendReference { kind, priority, reference } => {
                Arguments::SendReference { kind: *kind, priority: *priority, reference: *reference }
            }
            Self::Receive { deadline, .. } => Arguments::Receive { deadline: *deadline, into },
            Self::Wait { ns } => Arguments::Wait { ns: *ns },
            Self::Mount { region, path } => Arguments::Mount { region: Some(*region), path },
            Self::Unmount { path } => Arguments::Unmount { path },
            Self::Claim { kind, digest, body } => {
                Arguments::Claim { kind: *kind, digest: *digest, body }
            }
            Self::Approve { slot, mutation, old_leaf, expiry } => Arguments::Approve {
                slot: *slot,
                mutation: *mutation,
                old_leaf: *old_leaf,
                expiry: *expiry,
            },
            Self::Get { question, .. } => Arguments::Get { question, into },
            Self::Put { mutation, proof } => Arguments::Put { mutation, proof: proof.typed() },
            Self::Apply { mutation, proof } => Arguments::Apply { mutation, proof: proof.typed() },
            Self::Subscribe { queue } => Arguments::Subscribe { queue: *queue },
        }
    }
}
