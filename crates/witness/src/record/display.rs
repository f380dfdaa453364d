//! A record in one line, for people.

use super::{Body, CallBody, NO_OBJECT, Record, Verdict};
use crate::hex::Hex;
use core::fmt;

impl fmt::Display for Record<'_> {
    /// `task 3 #17 12.345678 ms queue_send object 4, 18 bytes -> 18`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, sequence, point, .. } = self;
        let (ms, rest) = (point.time_ns / 1_000_000, point.time_ns % 1_000_000);
        let name = self.kind().name();
        write!(f, "{subject} #{sequence} {ms}.{rest:06} ms {name}")?;
        write!(f, "{}", self.body)?;
        match self.verdict {
            Verdict::Allowed => match self.body {
                Body::Call(CallBody { result, .. }) => write!(f, " -> {result}"),
                _ => Ok(()),
            },
            Verdict::Denied(error) => {
                write!(f, " -> denied ({}): {}", self.verdict.stage().name(), error)
            }
            Verdict::CutShort => f.write_str(" -> cut short"),
        }
    }
}

/// The first bytes of a digest, enough to tell two apart.
fn short(digest: &[u8; 32]) -> Hex<'_> {
    Hex(&digest[..6])
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Genesis(it) => {
                let profile = it.profile.bytes().escape_ascii();
                write!(f, " package {}, seed {}, {profile}", short(&it.package), it.seed)
            }
            Self::Machine(it) => {
                let (arch, board) = (it.arch.name(), it.board.name());
                write!(f, " {arch}/{board}, boot {}", Hex(&it.boot_id))?;
                match &it.nonce {
                    Some(nonce) => write!(f, ", nonce {}", short(nonce)),
                    None => f.write_str(", no nonce"),
                }
            }
            Self::Event(it) => {
                let signed = if it.signed { ", signed" } else { "" };
                write!(f, " {}, {} bytes{signed}", it.kind.name(), it.total)
            }
            Self::Continuation(it) => {
                write!(f, " bytes {} to {}", it.offset, it.offset as usize + it.data.bytes().len())
            }
            Self::Call(it) => it.fmt(f),
            Self::Trap(it) => write!(f, " {}, component {}", it.code.name(), short(&it.component)),
            Self::OutOfFuel(it) => write!(f, " spent {} of {}", it.spent, it.budget),
            Self::Exit(it) => write!(f, " code {}, {} pages", it.code, it.pages),
            Self::StateRoot(it) => write!(f, " {} ({:?})", short(&it.root), it.reason),
            Self::Guard(it) => {
                let decision = if it.allowed { "allowed" } else { "refused" };
                write!(f, " of store {} {decision}, {} fuel", it.store, it.fuel)
            }
            Self::BudgetSpent(it) => write!(f, " {:?}, all {}", it.budget, it.limit),
        }
    }
}

impl fmt::Display for CallBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.object == NO_OBJECT {
            write!(f, " handle {:#x}", self.handle.0)?;
        } else {
            write!(f, " object {}", self.object)?;
        }
        if let Some(operation) = self.call.operation(self.operation) {
            if operation != abi::Operation::Plain {
                write!(f, " {operation:?}")?;
            }
        } else {
            write!(f, " operation {}", self.operation)?;
        }
        if self.length > 0 {
            write!(f, ", {} bytes", self.length)?;
        }
        if self.argument > 0 {
            write!(f, ", argument {}", self.argument)?;
        }
        if self.digest != [0; 32] {
            write!(f, ", digest {}", short(&self.digest))?;
        }
        if !self.tail.bytes().is_empty() {
            write!(f, ", {:?}", self.tail)?;
        }
        Ok(())
    }
}
