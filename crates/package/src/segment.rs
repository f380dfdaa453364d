//! RVF segments: headers, and the walk over them.
//!
//! Layout after `rvf-types` 0.3 (`segment.rs`, `signature.rs`): a 64-byte
//! little-endian header at a multiple of 64 bytes, the payload, a signature
//! footer where the header has the SIGNED flag, zeros up to the next multiple
//! of 64. A 4,096-byte Level-0 root page may stand where a header is due.

use alloc::vec::Vec;
use core::ops::Range;

use rvf_types::{
    ROOT_MANIFEST_MAGIC_BYTES, ROOT_MANIFEST_SIZE, SEGMENT_ALIGNMENT, SEGMENT_HEADER_SIZE,
    SEGMENT_MAGIC_BYTES, SEGMENT_VERSION, SegmentFlags, SegmentHeader, SignatureFooter,
};

use crate::error::{Object, PackageError, Reason, Stage};

/// Segment type of a data region, which RVF leaves unassigned.
pub const DATA_SEGMENT: u8 = 0xE0;

/// Most segments a file may have.
pub const SEGMENTS_MAX: usize = 1024;

/// Checksum algorithm of the parts we write: XXH3-128.
pub(crate) const XXH3_128: u8 = 1;

/// One segment as its header describes it. The payload lies inside the file;
/// nothing else about it is checked.
#[derive(Clone, Debug)]
pub(crate) struct Segment<'a> {
    /// Where the header begins.
    pub(crate) offset: usize,
    pub(crate) header: SegmentHeader,
    pub(crate) payload: &'a [u8],
}

/// What stands at a multiple of 64.
#[derive(Clone, Debug)]
pub(crate) enum Item<'a> {
    Segment(Segment<'a>),
    /// A Level-0 root page of RVF's own.
    RootPage {
        offset: usize,
    },
}

impl Segment<'_> {
    /// Whether every header field has the one value that a part of a package
    /// with a manifest may have. The content hash is not looked at.
    pub(crate) fn is_plain(&self) -> bool {
        let header = &self.header;
        let pad = padding(self.payload.len());
        header.flags == 0
            && header.timestamp_ns == 0
            && header.checksum_algo == XXH3_128
            && header.compression == 0
            && header.reserved_0 == 0
            && header.reserved_1 == 0
            && header.uncompressed_len == 0
            && usize::try_from(header.alignment_pad) == Ok(pad)
    }
}

/// Zeros that follow a payload of this length.
fn padding(payload: usize) -> usize {
    payload.wrapping_neg() % SEGMENT_ALIGNMENT
}

/// The fields of a header, whatever their values; `None` without the magic.
pub(crate) fn decode(bytes: &[u8; SEGMENT_HEADER_SIZE]) -> Option<SegmentHeader> {
    if !bytes.starts_with(&SEGMENT_MAGIC_BYTES) {
        return None;
    }
    let mut header = SegmentHeader::new(bytes[5], u64_at(bytes, 0x08)?);
    header.version = bytes[4];
    header.flags = u16_at(bytes, 0x06)?;
    header.payload_length = u64_at(bytes, 0x10)?;
    header.timestamp_ns = u64_at(bytes, 0x18)?;
    header.checksum_algo = bytes[0x20];
    header.compression = bytes[0x21];
    header.reserved_0 = u16_at(bytes, 0x22)?;
    header.reserved_1 = u32_at(bytes, 0x24)?;
    header.content_hash = *bytes.get(0x28..)?.first_chunk()?;
    header.uncompressed_len = u32_at(bytes, 0x38)?;
    header.alignment_pad = u32_at(bytes, 0x3C)?;
    Some(header)
}

/// Walks every header from the first byte to the last.
///
/// # Errors
/// Whatever is not a chain of segments that ends where the file does; a
/// segment that the file does not hold to its end is [`Reason::Truncated`].
pub(crate) fn walk(file: &[u8]) -> Result<Vec<Item<'_>>, PackageError> {
    let mut items = Vec::new();
    let mut offset = 0;
    while offset < file.len() {
        if items.len() == SEGMENTS_MAX {
            return Err(Stage::Container.refuse(Object::File, Reason::TooManySegments));
        }
        let (item, next) = item_at(file, offset)?;
        items.push(item);
        offset = next;
    }
    if items.is_empty() {
        return Err(Stage::Container.refuse(Object::File, Reason::NotRvf));
    }
    Ok(items)
}

/// What begins at `offset`, and where the next begins.
fn item_at(file: &[u8], offset: usize) -> Result<(Item<'_>, usize), PackageError> {
    let refuse = |reason| Stage::Container.refuse_segment(offset, reason);
    let rest = file.get(offset..).unwrap_or_default();
    if offset > 0 && rest.starts_with(&ROOT_MANIFEST_MAGIC_BYTES) {
        if rest.len() < ROOT_MANIFEST_SIZE {
            return Err(refuse(Reason::Truncated));
        }
        return Ok((Item::RootPage { offset }, offset + ROOT_MANIFEST_SIZE));
    }

    let magic = rest.len().min(SEGMENT_MAGIC_BYTES.len());
    if rest[..magic] != SEGMENT_MAGIC_BYTES[..magic] {
        return Err(match offset {
            0 => Stage::Container.refuse(Object::File, Reason::NotRvf),
            _ => refuse(Reason::BadMagic),
        });
    }
    let bytes = rest.first_chunk().ok_or_else(|| refuse(Reason::Truncated))?;
    let header = decode(bytes).ok_or_else(|| refuse(Reason::BadMagic))?;
    if header.version != SEGMENT_VERSION {
        return Err(refuse(Reason::UnknownVersion));
    }
    let Extent { payload, end, next } = extent(file, offset, &header).map_err(refuse)?;
    if file.get(end..next).ok_or_else(|| refuse(Reason::Truncated))?.iter().any(|&b| b != 0) {
        return Err(refuse(Reason::PaddingNotZero));
    }
    let payload = file.get(payload).ok_or_else(|| refuse(Reason::Truncated))?;
    Ok((Item::Segment(Segment { offset, header, payload }), next))
}

/// Where a segment's payload lies, where its padding begins, and where the
/// next segment does.
struct Extent {
    payload: Range<usize>,
    end: usize,
    next: usize,
}

fn extent(file: &[u8], offset: usize, header: &SegmentHeader) -> Result<Extent, Reason> {
    let length = usize::try_from(header.payload_length).map_err(|_| Reason::TooLong)?;
    let start = offset.checked_add(SEGMENT_HEADER_SIZE).ok_or(Reason::TooLong)?;
    let payload_end = start.checked_add(length).ok_or(Reason::TooLong)?;
    let end = match header.flags & SegmentFlags::SIGNED {
        0 => payload_end,
        _ => footer_end(file, payload_end)?,
    };
    let next = end.checked_next_multiple_of(SEGMENT_ALIGNMENT).ok_or(Reason::TooLong)?;
    Ok(Extent { payload: start..payload_end, end, next })
}

/// The end of the signature footer that begins at `start`: u16 algorithm, u16
/// signature length, the signature, u32 length of the footer.
fn footer_end(file: &[u8], start: usize) -> Result<usize, Reason> {
    let footer = file.get(start..).ok_or(Reason::Truncated)?;
    let length = u16_at(footer, 2).ok_or(Reason::Truncated)?;
    if usize::from(length) > SignatureFooter::MAX_SIG_LEN {
        return Err(Reason::BadFooter);
    }
    let total = SignatureFooter::compute_footer_length(length);
    let stated = u32_at(footer, 4 + usize::from(length)).ok_or(Reason::Truncated)?;
    if stated != total {
        return Err(Reason::BadFooter);
    }
    start.checked_add(usize::from(length) + 8).ok_or(Reason::TooLong)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
