//! Opening a package: signature, trust, headers, manifest, parts, in this
//! order and no other.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use rvf_types::{ChecksumAlgo, CompressionAlgo, SegmentFlags, SegmentType};
use witness::sha256::Sha256;
use witness::trust::NamedKey;
use witness::{Hash, Hasher, Trust};

use crate::error::{Object, PackageError, Reason, Stage};
use crate::manifest::{Manifest, PartEntry};
use crate::module;
use crate::seal::Seal;
use crate::segment::{self, DATA_SEGMENT, Item, Segment};
use crate::trust;

/// A component or region of a package: its bytes, and their SHA-256, which
/// was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its name.
    pub name: String,
    /// Id of the segment that holds it.
    pub segment: u64,
    /// The module, or the region's bytes.
    pub bytes: &'a [u8],
    /// SHA-256 of `bytes`.
    pub sha256: Hash,
}

/// Something in the file that no part of the package is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// A segment of another type, or one that the manifest does not name.
    Segment {
        /// Its id.
        id: u64,
        /// Its type, as in `rvf-types`.
        segment_type: u8,
        /// Where its header begins, in bytes.
        offset: usize,
    },
    /// A Level-0 root page.
    RootPage {
        /// Where it begins, in bytes.
        offset: usize,
    },
}

/// A package whose signature holds, whose signer is trusted, and whose parts
/// are what its manifest says.
///
/// Only [`Package::open`] makes one, so having one is the evidence.
#[derive(Clone, Debug)]
pub struct Package<'a> {
    digest: Hash,
    signer: NamedKey,
    manifest: Option<Manifest>,
    components: Vec<Part<'a>>,
    regions: Vec<Part<'a>>,
    skipped: Vec<Skipped>,
}

impl<'a> Package<'a> {
    /// Reads and checks a package.
    ///
    /// # Errors
    /// The first thing that is wrong with it. Nothing beyond headers is
    /// parsed unless a trusted operator's signature holds for all of it.
    pub fn open(file: &'a [u8], trust: &Trust, hasher: Hasher) -> Result<Self, PackageError> {
        let seal = Seal::read(file)?;
        let signer = trust::decide_signer(trust, &seal.key)?;
        let (signed, last) = file.split_at_checked(seal.signed).unwrap_or_default();
        // One pass over the file for both digests: what is signed, and all.
        let mut digest = Sha256::new(hasher.0);
        digest.update(signed);
        seal.check(&digest.clone().finish())?;
        digest.update(last);

        let items = segment::walk(signed)?;
        check_seal_id(&items, &seal)?;
        let mut package = Self {
            digest: digest.finish(),
            signer: signer.clone(),
            manifest: None,
            components: Vec::new(),
            regions: Vec::new(),
            skipped: Vec::new(),
        };
        match manifest_segment(&items) {
            Some(segment) => package.take_named(segment, &items, trust, hasher)?,
            None => package.take_modules(&items, hasher)?,
        }
        Ok(package)
    }

    /// SHA-256 of the whole file, by which the log names it.
    pub fn digest(&self) -> &Hash {
        &self.digest
    }

    /// The operator who signed it.
    pub fn signer(&self) -> &NamedKey {
        &self.signer
    }

    /// The manifest; `None` for a file made by other RVF tools, which has
    /// components at most.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The components, in the manifest's order.
    pub fn components(&self) -> &[Part<'a>] {
        &self.components
    }

    /// The data regions, in the manifest's order.
    pub fn regions(&self) -> &[Part<'a>] {
        &self.regions
    }

    /// What was skipped, in order of the file; the signature is not listed.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Fills in what the manifest in `first` names.
    fn take_named(
        &mut self,
        first: &Segment<'a>,
        items: &[Item<'a>],
        trust: &Trust,
        hasher: Hasher,
    ) -> Result<(), PackageError> {
        require_plain(first)?;
        let segments = growing(items)?;
        let manifest = Manifest::parse(first.payload)?;
        trust::decide_version(trust, &manifest.name, manifest.version)?;

        let find = |part: &PartEntry, segment_type| part_of(part, segment_type, &segments, hasher);
        for part in &manifest.components {
            self.components.push(find(part, SegmentType::Wasm as u8)?);
        }
        for part in &manifest.regions {
            self.regions.push(find(part, DATA_SEGMENT)?);
        }
        let mut used: Vec<u64> =
            self.components.iter().chain(&self.regions).map(|part| part.segment).collect();
        used.push(first.header.segment_id);
        used.sort_unstable();
        self.skip(items, |segment| used.binary_search(&segment.header.segment_id).is_ok());
        self.manifest = Some(manifest);
        Ok(())
    }

    /// Makes a component of each module in a file without a manifest.
    fn take_modules(&mut self, items: &[Item<'a>], hasher: Hasher) -> Result<(), PackageError> {
        let mut ids = Vec::new();
        for segment in segments(items) {
            let Some(bytes) = foreign_module(segment) else { continue };
            let id = segment.header.segment_id;
            let name = format!("segment-{id}");
            if ids.contains(&id) {
                return Err(Stage::Parts.refuse(Object::Part(name), Reason::DuplicateName));
            }
            ids.push(id);
            self.components.push(Part { name, segment: id, bytes, sha256: hasher.hash(bytes) });
        }
        self.skip(items, |segment| foreign_module(segment).is_some());
        Ok(())
    }

    fn skip(&mut self, items: &[Item<'a>], is_used: impl Fn(&Segment<'a>) -> bool) {
        self.skipped = items
            .iter()
            .filter_map(|item| match item {
                Item::Segment(segment) if is_used(segment) => None,
                Item::Segment(Segment { offset, header, .. }) => Some(Skipped::Segment {
                    id: header.segment_id,
                    segment_type: header.seg_type,
                    offset: *offset,
                }),
                Item::RootPage { offset } => Some(Skipped::RootPage { offset: *offset }),
            })
            .collect();
    }
}

fn segments<'i, 'a>(items: &'i [Item<'a>]) -> impl Iterator<Item = &'i Segment<'a>> {
    items.iter().filter_map(|item| match item {
        Item::Segment(segment) => Some(segment),
        Item::RootPage { .. } => None,
    })
}

/// The signature's id is the only field of its header that depends on what is
/// before it.
fn check_seal_id(items: &[Item], seal: &Seal) -> Result<(), PackageError> {
    let before = segments(items).last().map(|segment| segment.header.segment_id);
    if before.and_then(|id| id.checked_add(1)) != Some(seal.segment) {
        return Err(Stage::Container.refuse(Object::Signature, Reason::BadSegmentId));
    }
    Ok(())
}

/// The manifest's segment, where the file begins with one. RVF's own META
/// segments begin with a magic; a manifest is a JSON object.
fn manifest_segment<'i, 'a>(items: &'i [Item<'a>]) -> Option<&'i Segment<'a>> {
    segments(items).next().filter(|segment| {
        segment.header.seg_type == SegmentType::Meta as u8 && segment.payload.starts_with(b"{")
    })
}

/// Every segment, by growing id.
fn growing<'i, 'a>(items: &'i [Item<'a>]) -> Result<Vec<&'i Segment<'a>>, PackageError> {
    let mut last = None;
    for segment in segments(items) {
        let id = Some(segment.header.segment_id);
        if id <= last {
            return Err(Stage::Container.refuse_segment(segment.offset, Reason::BadSegmentId));
        }
        last = id;
    }
    Ok(segments(items).collect())
}

fn require_plain(segment: &Segment) -> Result<(), PackageError> {
    if segment.is_plain() {
        return Ok(());
    }
    Err(Stage::Container.refuse_segment(segment.offset, Reason::BadHeaderField))
}

/// The part that the manifest names, with its digest checked.
fn part_of<'a>(
    part: &PartEntry,
    segment_type: u8,
    segments: &[&Segment<'a>],
    hasher: Hasher,
) -> Result<Part<'a>, PackageError> {
    let refuse = |reason| Stage::Parts.refuse(Object::Part(part.name.clone()), reason);
    let segment = segments
        .binary_search_by_key(&part.segment, |segment| segment.header.segment_id)
        .ok()
        .and_then(|at| segments.get(at))
        .ok_or_else(|| refuse(Reason::MissingPart))?;
    if segment.header.seg_type != segment_type {
        return Err(refuse(Reason::WrongSegmentType));
    }
    require_plain(segment)?;
    let bytes = if segment_type == SegmentType::Wasm as u8 {
        module::bytecode(segment.payload).ok_or_else(|| refuse(Reason::BadWasmHeader))?
    } else {
        segment.payload
    };
    let sha256 = hasher.hash(bytes);
    if sha256 != part.sha256 {
        return Err(refuse(Reason::DigestMismatch));
    }
    Ok(Part { name: part.name.clone(), segment: part.segment, bytes, sha256 })
}

/// The module in a segment that another RVF tool wrote, where it is one that
/// can be read as it lies there.
fn foreign_module<'a>(segment: &Segment<'a>) -> Option<&'a [u8]> {
    const NOT_AS_IT_LIES: u16 = SegmentFlags::COMPRESSED
        | SegmentFlags::ENCRYPTED
        | SegmentFlags::SIGNED
        | SegmentFlags::PARTIAL
        | SegmentFlags::TOMBSTONE;
    let header = &segment.header;
    let checksum = ChecksumAlgo::try_from(header.checksum_algo);
    let is_readable = header.seg_type == SegmentType::Wasm as u8
        && header.flags & NOT_AS_IT_LIES == 0
        && header.compression == CompressionAlgo::None as u8
        && checksum.is_ok_and(|algorithm| algorithm != ChecksumAlgo::HmacShake256);
    if is_readable { module::module(segment.payload) } else { None }
}
