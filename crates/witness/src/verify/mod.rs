//! Verification: whether a log is what it claims to be.
//!
//! A pure function of the log's parts, in one pass over the records, with a
//! typed verdict. What is checked, in which order, and which verdict follows
//! stands in `docs/FORMAT.md`, "Verification"; the numbers in comments are
//! its steps. [`Records`] checks record by record, [`Verifier`] joins that
//! with checkpoint and manifest.

mod chain;
mod event;
mod lists;
mod manifest;
mod records;
mod report;

pub use lists::{CLAIMED, REPRODUCIBLE, checked, reproducible};
pub use records::Records;
pub use report::{Facts, Missing, Part, Reason, Report, TaskFacts, Verdict};

use crate::{
    Hash, Hasher, checkpoint,
    checkpoint::Checkpoint,
    manifest::RunManifest,
    note,
    note::{NoteError, VerifierKey},
    tree,
};

/// What the verifier expects beyond a sound log. `None` expects nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// SHA-256 of the package that should have run.
    pub package: Option<Hash>,
    /// The nonce that the verifier gave, in leaf 1 or as a challenge.
    pub nonce: Option<[u8; 32]>,
    /// SHA-256 of the trust file that should have been used.
    pub trust: Option<Hash>,
    /// SHA-256 of the kernel that should have run.
    pub kernel: Option<Hash>,
}

/// What a log holds beside its records.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// The signed checkpoint.
    pub checkpoint: Option<&'a str>,
    /// The signed manifest.
    pub manifest: Option<&'a str>,
    /// The leaf hashes of the level 0 tiles, if they are at hand. With them
    /// the first bad record is found exactly, and what is left of a log whose
    /// end is missing can be verified.
    pub leaves: Option<&'a [Hash]>,
}

/// Verifies one log. Feed it every record with [`Verifier::entry`], then ask
/// for the verdict with [`Verifier::finish`].
pub struct Verifier {
    hasher: Hasher,
    key: [u8; 32],
    expected: Expected,
    records: Records,
}

/// What ends a verification before its last step.
type Ended<T> = Result<T, Verdict>;

impl Verifier {
    /// A verifier of logs signed by the device with this public key.
    pub fn new(hasher: Hasher, device_key: [u8; 32], expected: Expected) -> Self {
        Self { hasher, key: device_key, expected, records: Records::new(hasher) }
    }

    /// Takes the next record.
    pub fn entry(&mut self, bytes: &[u8]) {
        self.records.push(bytes);
    }

    /// Number of records taken.
    pub fn size(&self) -> u64 {
        self.records.size()
    }

    /// The verdict.
    pub fn finish(self, evidence: Evidence<'_>) -> Report {
        let mut facts = self.records.facts();
        let verdict = self.judge(evidence, &mut facts).unwrap_or_else(|verdict| verdict);
        Report { verdict, facts }
    }

    fn judge(&self, evidence: Evidence<'_>, facts: &mut Facts) -> Ended<Verdict> {
        let Some(note) = evidence.checkpoint else {
            self.records.sound_until(self.records.size())?;
            return Err(Verdict::Incomplete { missing: Missing::Checkpoint, verified: 0 });
        };
        let opened = self.open_checkpoint(note);
        // Records are looked at first where there is a hint which is bad.
        self.compare_leaves(evidence.leaves, opened.as_ref().ok())?;
        self.records.sound_until(self.records.size())?;
        let (checkpoint, signer) = opened?;
        facts.origin = checkpoint.origin.into();

        // 6: the tree.
        let have = self.records.size();
        if have > checkpoint.size {
            return Err(Part::Record(checkpoint.size).bad(Reason::NotCovered));
        }
        if checkpoint.size < 2 {
            return Err(Part::Checkpoint.bad(Reason::TooSmall));
        }
        if have < checkpoint.size {
            // `compare_leaves` has compared the records with the leaves.
            let proven = evidence.leaves.is_some_and(|leaves| self.is_tree(leaves, &checkpoint));
            let verified = if proven { have } else { 0 };
            if have >= 2 {
                self.bindings(&checkpoint, &signer)?;
            }
            let missing = Missing::Records { from: have, until: checkpoint.size };
            return Err(self.unless_wrong_key(&signer, Verdict::Incomplete { missing, verified }));
        }
        if self.records.root() != checkpoint.root {
            return Err(Part::Tree.bad(Reason::Root));
        }
        self.records.ended()?;
        self.bindings(&checkpoint, &signer)?;
        self.expectations()?;

        let Some(note) = evidence.manifest else {
            let verdict = Verdict::Incomplete { missing: Missing::Manifest, verified: have };
            return Err(self.unless_wrong_key(&signer, verdict));
        };
        facts.manifest = Some(self.manifest(note, &checkpoint, &signer)?);
        Ok(self.unless_wrong_key(&signer, Verdict::Verified))
    }

    /// 2 and 3: opens the checkpoint under the given key, or else under the
    /// one that leaf 1 names.
    fn open_checkpoint<'a>(&self, note: &'a str) -> Ended<(Checkpoint<'a>, VerifierKey)> {
        let bad = |reason| Part::Checkpoint.bad(reason);
        let parsed = note::parse(note).map_err(|error| bad(Reason::Note(error)))?;
        let checkpoint = Checkpoint::parse(parsed.text).ok_or(bad(Reason::Text))?;
        if checkpoint::split_origin(checkpoint.origin).is_none() {
            return Err(bad(Reason::Origin));
        }
        let mut error = NoteError::UnknownKey;
        for key in [Some(self.key), self.records.device_key()].into_iter().flatten() {
            let Some(key) = VerifierKey::new(checkpoint.origin, &key) else { continue };
            match note::open_only(note, core::slice::from_ref(&key)) {
                Ok(_) => return Ok((checkpoint, key)),
                Err(NoteError::UnknownKey) => {}
                Err(other) => error = other,
            }
        }
        Err(bad(Reason::Note(error)))
    }

    /// 5: where leaf hashes are at hand and have the signed root, each record
    /// must have its own.
    fn compare_leaves(
        &self,
        leaves: Option<&[Hash]>,
        opened: Option<&(Checkpoint<'_>, VerifierKey)>,
    ) -> Ended<()> {
        let (Some(leaves), Some((checkpoint, _))) = (leaves, opened) else { return Ok(()) };
        let is_tree = self.is_tree(leaves, checkpoint);
        if is_tree {
            let pairs = (0u64..).zip(self.records.ids().iter().zip(leaves));
            for (index, (id, leaf)) in pairs {
                if id != leaf {
                    self.records.sound_until(index + 1)?;
                    return Err(Part::Record(index).bad(Reason::OtherHash));
                }
            }
            return Ok(());
        }
        self.records.sound_until(self.records.size())?;
        Err(Part::Tiles.bad(Reason::Root))
    }

    fn is_tree(&self, leaves: &[Hash], checkpoint: &Checkpoint<'_>) -> bool {
        leaves.len() as u64 == checkpoint.size && tree::root(self.hasher, leaves) == checkpoint.root
    }

    /// 8: leaf 1 names the same boot and device as the checkpoint.
    fn bindings(&self, checkpoint: &Checkpoint<'_>, signer: &VerifierKey) -> Ended<()> {
        let boot = checkpoint::split_origin(checkpoint.origin).map(|(_, boot)| boot);
        let machine = self.records.machine();
        if machine.map(|machine| machine.boot_id) != boot {
            return Err(Part::Record(1).bad(Reason::OtherBoot));
        }
        if machine.map(|machine| machine.device_key) != Some(signer.public_key()) {
            return Err(Part::Record(1).bad(Reason::OtherDeviceKey));
        }
        Ok(())
    }

    /// 9: what the caller expects.
    fn expectations(&self) -> Ended<()> {
        let differs = |wanted: Option<Hash>, found: Option<Hash>| {
            wanted.is_some_and(|wanted| found != Some(wanted))
        };
        let machine = self.records.machine();
        let expected = &self.expected;
        if differs(expected.package, self.records.package()) {
            return Err(Part::Record(0).bad(Reason::OtherPackage));
        }
        if differs(expected.kernel, machine.map(|machine| machine.kernel)) {
            return Err(Part::Record(1).bad(Reason::OtherKernel));
        }
        if differs(expected.trust, machine.map(|machine| machine.trust)) {
            return Err(Part::Record(1).bad(Reason::OtherTrust));
        }
        if expected.nonce.is_some_and(|nonce| !self.records.answers(&nonce)) {
            return Err(Part::Record(1).bad(Reason::OtherNonce));
        }
        Ok(())
    }

    /// 10: the manifest.
    fn manifest(
        &self,
        note: &str,
        checkpoint: &Checkpoint<'_>,
        signer: &VerifierKey,
    ) -> Ended<RunManifest> {
        let bad = |reason| Part::Manifest.bad(reason);
        let (text, _) = note::open_only(note, core::slice::from_ref(signer))
            .map_err(|error| bad(Reason::Note(error)))?;
        let manifest = RunManifest::parse(text).map_err(|_| bad(Reason::Text))?;
        match manifest::contradiction(&manifest, checkpoint, &self.records) {
            Some(member) => Err(bad(Reason::Member(member))),
            None => Ok(manifest),
        }
    }

    /// 11: a log that holds under the key it names for itself, but not under
    /// the one that was given.
    fn unless_wrong_key(&self, signer: &VerifierKey, verdict: Verdict) -> Verdict {
        let named = signer.public_key();
        if named == self.key { verdict } else { Verdict::WrongKey { named } }
    }
}

/// Verifies a log that is at hand as a whole.
pub fn verify<'a>(
    hasher: Hasher,
    device_key: [u8; 32],
    expected: Expected,
    entries: impl IntoIterator<Item = &'a [u8]>,
    evidence: Evidence<'_>,
) -> Report {
    let mut verifier = Verifier::new(hasher, device_key, expected);
    entries.into_iter().for_each(|entry| verifier.entry(entry));
    verifier.finish(evidence)
}
