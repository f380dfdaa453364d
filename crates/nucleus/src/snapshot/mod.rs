//! Snapshots: the state behind the gate as bytes, and back.
//!
//! Between two slices a nucleus can be written down, to the last free slot of
//! each table, and one that is read back makes the same records from there
//! on. The form is canonical: a state has one writing, which is what lets a
//! root over its pages commit to it (`docs/SNAPSHOTS.md`). What large things
//! take begins at a page of its own, so that what did not change has the same
//! pages in the next snapshot.
//!
//! The log is not in it but for its size: whoever reads a snapshot brings the
//! ids of the records before it, which the log at rest has.

mod codec;
mod foreign;

pub use codec::{PAGE, Reader, Saved, Writer, saved};

use crate::{
    Nucleus,
    nucleus::{Gone, LOG_SLOTS},
    world::{Verify, World},
};
use alloc::vec::Vec;
use witness::{
    Body, Hash, Hasher, Index, Log, Subject, Verdict,
    record::{RootReason, StateRoot},
};

/// First bytes of a snapshot: what it is, and the version of its form.
const MAGIC: [u8; 8] = *b"HELSNAP1";

impl Nucleus {
    /// Writes down everything but the log and what is on its way out. Between
    /// slices only.
    pub fn save(&self, to: &mut Writer<'_>) {
        let Self { log, world, outside, shut_down, gone, effects: _ } = self;
        MAGIC.save(to);
        log.next().save(to);
        world.save(to);
        outside.save(to);
        shut_down.save(to);
        gone.save(to);
    }

    /// Reads one back. `ids` are those of all records that its log had;
    /// `None` if they are not, or the bytes are no snapshot's.
    pub fn load(
        from: &mut Reader<'_>,
        hasher: Hasher,
        signature_holds: Verify,
        ids: Vec<Hash>,
    ) -> Option<Self> {
        if <[u8; 8]>::load(from)? != MAGIC {
            return None;
        }
        let Index(size) = Saved::load(from)?;
        if u64::try_from(ids.len()) != Ok(size) {
            return None;
        }
        from.begin(Log::with_ids(hasher, LOG_SLOTS, ids), hasher, signature_holds);
        let mut world: World = Saved::load(from)?;
        let (outside, shut_down) = (Saved::load(from)?, Saved::load(from)?);
        let gone: Vec<Gone> = Saved::load(from)?;
        world.list_again(gone.iter().map(|it| it.name.as_str()));
        let log = from.end()?;
        Some(Self { log, world, outside, shut_down, gone, effects: Vec::new() })
    }

    /// Writes down the root of a snapshot, and says whether there was room
    /// for the record.
    pub fn write_root(&mut self, reason: RootReason, cause: Option<Index>, root: Hash) -> bool {
        let Some(slot) = self.log.reserve() else { return false };
        let body = Body::StateRoot(StateRoot { reason, root });
        self.write(Subject::KERNEL, slot, Verdict::Allowed, cause, body);
        true
    }
}
