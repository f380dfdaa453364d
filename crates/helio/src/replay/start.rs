//! Starting a machine as the log says it was started.

use machine::{Boot, Cell, Loaded, Surroundings};
use package::{Manifest, Package, Seal};
use witness::record::{Body, Kind, MachineFacts, Record, Verdict as Outcome};
use witness::trust::{NamedKey, TrustError};
use witness::{Hash, Hasher, Subject, Trust};

use super::driver::{Driver, Extent};
use super::verdict::{Assumption, Gap};
use crate::snapshot::Snapshot;

/// What a run depended on beside its events.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The package's file.
    pub package: &'a [u8],
    /// A trust file.
    pub trust: TrustFile<'a>,
    /// Whether snapshots are to be taken on the way.
    pub keeps_journals: bool,
}

/// Whose signatures counted.
#[derive(Clone, Copy, Debug)]
pub enum TrustFile<'a> {
    /// It is this file, and no other will do.
    Given(&'a [u8]),
    /// It may be this one.
    Perhaps(&'a [u8]),
    /// Nothing is known of it.
    Unknown,
}

/// A replay that can begin.
pub struct Replay<'a> {
    /// At the first records, which are compared already.
    pub driver: Driver<'a>,
    /// What is taken for granted.
    pub assumed: Vec<Assumption>,
    /// Leaf 1.
    pub facts: MachineFacts,
    /// What the package says about itself, unless it is refused.
    pub manifest: Option<Manifest>,
    /// SHA-256 of its file.
    pub package: Hash,
}

/// Why a replay cannot begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoStart {
    /// An input is not at hand.
    Gap(Gap),
    /// The log's first two records are not those of a log.
    NotALog,
    /// The file that leaf 1 names is no trust file.
    Trust(TrustError),
    /// The log does not commit to the snapshot.
    NotCommitted {
        /// Number of records before it.
        record: u64,
        /// The root that the log has there, if it has one.
        committed: Option<Hash>,
    },
    /// The snapshot is none, although the log commits to it.
    Snapshot(Loaded),
}

/// Starts a machine with the package and leaf 1 of a log that verifies.
/// `entries` are the records to be compared, from the first.
///
/// # Errors
/// See [`NoStart`].
pub fn start<'a>(
    entries: &'a [Vec<u8>],
    extent: Extent,
    inputs: Inputs<'_>,
) -> Result<Replay<'a>, NoStart> {
    let Begin { genesis, facts } = begin(entries)?;
    let hasher = Hasher::SOFTWARE;
    let given = hasher.hash(inputs.package);
    if genesis != given {
        return Err(NoStart::Gap(Gap::OtherPackage { named: genesis, given }));
    }
    let mount = first_mount(entries);
    let mut assumed = Vec::new();
    let trust = match known(facts.trust, inputs.trust)? {
        Some(trust) => trust,
        None => assume(mount, inputs.package, facts, &mut assumed),
    };
    let memory_limit = match mount {
        Some(Outcome::Denied(abi::Error::OutOfMemory)) => {
            assumed.push(Assumption::NoMemory);
            0
        }
        _ => u64::MAX,
    };
    let opened = Package::open(inputs.package, &trust, hasher).ok();
    let manifest = opened.and_then(|package| package.manifest().cloned());
    let (package, keeps_journals) = (inputs.package, inputs.keeps_journals);
    let cell = Cell::start(Boot { package, trust, hasher, facts, memory_limit, keeps_journals });
    let driver = Driver::new(cell, entries, extent);
    Ok(Replay { driver, assumed, facts, manifest, package: given })
}

/// Goes on from a snapshot that the log commits to, with nothing of what came
/// before but its records. `package` is the file's, if it is at hand.
///
/// # Errors
/// See [`NoStart`].
pub fn restore<'a>(
    entries: &'a [Vec<u8>],
    extent: Extent,
    snapshot: &Snapshot,
    inputs: Inputs<'_>,
) -> Result<Replay<'a>, NoStart> {
    let Begin { genesis, facts } = begin(entries)?;
    let at = usize::try_from(snapshot.record).ok();
    let next = at.and_then(|at| entries.get(at)).and_then(|entry| Record::decode(entry).ok());
    let committed = next.and_then(|record| match record.body {
        Body::StateRoot(root) if record.subject == Subject::KERNEL => Some(root.root),
        _ => None,
    });
    if committed != Some(snapshot.root) {
        return Err(NoStart::NotCommitted { record: snapshot.record, committed });
    }
    let mut assumed = Vec::new();
    let trust = match known(facts.trust, inputs.trust)? {
        Some(trust) => trust,
        None => {
            // Whatever it says of packages that come later.
            assumed.push(Assumption::SignerTrusted);
            Trust { digest: facts.trust, ..Trust::nobody() }
        }
    };
    let hasher = Hasher::SOFTWARE;
    let before = at.and_then(|at| entries.get(..at)).unwrap_or_default();
    let ids = before.iter().map(|entry| hasher.leaf(entry)).collect();
    let surroundings = Surroundings { trust, hasher, ids };
    let cell = Cell::restore(&snapshot.bytes, surroundings).map_err(NoStart::Snapshot)?;
    let driver = Driver::new(cell, entries, extent);
    Ok(Replay { driver, assumed, facts, manifest: None, package: genesis })
}

/// What the first two records say.
struct Begin {
    /// SHA-256 of the package.
    genesis: Hash,
    facts: MachineFacts,
}

fn begin(entries: &[Vec<u8>]) -> Result<Begin, NoStart> {
    let record = |at: usize| entries.get(at).and_then(|entry| Record::decode(entry).ok());
    let (Some(Body::Genesis(genesis)), Some(Body::Machine(facts))) =
        (record(0).map(|it| it.body), record(1).map(|it| it.body))
    else {
        return Err(NoStart::NotALog);
    };
    if genesis.profile.bytes() != abi::profile::NAME.as_bytes() {
        let named = String::from_utf8_lossy(genesis.profile.bytes()).into_owned();
        return Err(NoStart::Gap(Gap::OtherProfile { named }));
    }
    Ok(Begin { genesis: genesis.package, facts })
}

/// What came of mounting the root package: the kernel's first call.
fn first_mount(entries: &[Vec<u8>]) -> Option<Outcome> {
    let mut records = entries.iter().filter_map(|entry| Record::decode(entry).ok());
    let is_it = |record: &Record<'_>| {
        record.subject == Subject::KERNEL && record.kind() == Kind::Call(abi::Call::RvfMount)
    };
    records.find(is_it).map(|record| record.verdict)
}

/// The trust file of this digest, if it is at hand; trust in nobody if there
/// was none.
fn known(named: Hash, file: TrustFile<'_>) -> Result<Option<Trust>, NoStart> {
    let hasher = Hasher::SOFTWARE;
    // Leaf 1 has said which file it is: who signed it does not matter here.
    let open = |file| Trust::taken_at_its_word(file, hasher).map(Some).map_err(NoStart::Trust);
    match file {
        TrustFile::Given(file) if hasher.hash(file) == named => open(file),
        TrustFile::Given(file) => {
            Err(NoStart::Gap(Gap::OtherTrust { named, given: hasher.hash(file) }))
        }
        TrustFile::Perhaps(file) if hasher.hash(file) == named => open(file),
        _ if named == Hash::default() => Ok(Some(Trust::nobody())),
        _ => Ok(None),
    }
}

/// A trust file that would let the first mount end as the log has it.
fn assume(
    mount: Option<Outcome>,
    package: &[u8],
    facts: MachineFacts,
    assumed: &mut Vec<Assumption>,
) -> Trust {
    use abi::Error::{RevokedKey, UntrustedKey, VersionTooOld};
    let nobody = Trust { digest: facts.trust, ..Trust::nobody() };
    let Ok(seal) = Seal::read(package) else { return nobody };
    if let Some(Outcome::Denied(UntrustedKey | RevokedKey | VersionTooOld)) = mount {
        assumed.push(Assumption::SignerNotTrusted);
        return nobody;
    }
    assumed.push(Assumption::SignerTrusted);
    let signer = NamedKey { key: seal.key, name: "signer".into() };
    Trust { operators: vec![signer], ..nobody }
}
