//! A kernel's ELF file, read with every number checked, and how it is loaded.
//!
//! Only what a static kernel in the highest 2 GiB needs of the format (System
//! V ABI, "Object Files" and "Program Loading"). A file that asks for memory
//! that is both written and executed, or whose parts share a page, is refused:
//! no table could give each part just what it asks for.

use core::fmt;

use crate::{Architecture, KERNEL_LOWEST, PAGE, Protection, bytes};

/// Most loadable segments of a kernel.
pub const SEGMENTS_MAX: usize = 16;

/// Largest kernel in memory, in bytes.
pub const IMAGE_MAX: u64 = 256 << 20;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const SECTION_HEADER: u64 = 64;
const PT_LOAD: u32 = 1;
const PF_X: u32 = 1;
const PF_W: u32 = 2;

/// Why a file is not a kernel that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// It does not begin with ELF's magic.
    NotElf,
    /// It ends before something that it says it has.
    Truncated,
    /// It is for 32 bits, or big-endian, or of an unknown version.
    WrongClass,
    /// It is for another processor.
    WrongMachine(Architecture),
    /// It is not a static executable.
    NotStatic,
    /// Its program headers are not of the size the format says.
    BadHeaders,
    /// It has no segment to load.
    Empty,
    /// It has more segments than are loaded.
    TooManySegments,
    /// A segment has more bytes in the file than in memory.
    BadSegment,
    /// A segment wraps around, or lies below the highest 2 GiB.
    OutOfPlace,
    /// A segment is to be both written and executed.
    WritableCode,
    /// Two segments share a page.
    Overlap,
    /// It takes more memory than a kernel may.
    TooLarge,
    /// Its entry is not in code.
    BadEntry,
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotElf => "is not an ELF file",
            Self::Truncated => "is truncated: it ends before what its headers announce",
            Self::WrongClass => "is not a 64-bit little-endian ELF file of version 1",
            Self::WrongMachine(wanted) => {
                return write!(f, "is not an ELF file for {}", wanted.name());
            }
            Self::NotStatic => "is not a static executable",
            Self::BadHeaders => "has program headers of an unknown size",
            Self::Empty => "has no segment to load",
            Self::TooManySegments => "has more than 16 segments to load",
            Self::BadSegment => "has a segment that is larger in the file than in memory",
            Self::OutOfPlace => "has a segment outside the highest 2 GiB of addresses",
            Self::WritableCode => "has a segment that is to be both written and executed",
            Self::Overlap => "has two segments that share a page",
            Self::TooLarge => "takes more than 256 MiB of memory",
            Self::BadEntry => "has an entry point that is not in its code",
        })
    }
}

impl core::error::Error for ElfError {}

/// A part of the kernel, on pages of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Virtual address of its first byte.
    pub address: u64,
    /// Bytes in memory; what the file does not fill is zero.
    pub memory_size: u64,
    /// Offset in the file.
    pub offset: usize,
    /// Bytes in the file, at most `memory_size`.
    pub file_size: usize,
    /// How it is mapped.
    pub protection: Protection,
}

impl Segment {
    const NONE: Self = Self {
        address: 0,
        memory_size: 0,
        offset: 0,
        file_size: 0,
        protection: Protection::ReadOnly,
    };

    /// Virtual address of its first page.
    pub fn first_page(&self) -> u64 {
        self.address - self.address % PAGE
    }

    /// Bytes of the pages it lies on, a multiple of [`PAGE`].
    pub fn pages(&self) -> u64 {
        // Neither overflows: `read_segment` has checked that the pages end
        // within the address space.
        (self.address % PAGE + self.memory_size).next_multiple_of(PAGE)
    }

    /// Virtual address of its last byte, padding of its last page included.
    fn last(&self) -> u64 {
        self.first_page() + (self.pages() - 1)
    }

    fn holds(&self, address: u64) -> bool {
        address >= self.address && address - self.address < self.memory_size
    }
}

/// A kernel that can be loaded.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    file: &'a [u8],
    segments: [Segment; SEGMENTS_MAX],
    count: usize,
    entry: u64,
    base: u64,
    size: u64,
}

impl<'a> Image<'a> {
    /// Reads a kernel for `architecture`.
    pub fn read(file: &'a [u8], architecture: Architecture) -> Result<Self, ElfError> {
        let header = Header::read(file, architecture)?;
        let mut image = Self {
            file,
            segments: [Segment::NONE; SEGMENTS_MAX],
            count: 0,
            entry: 0,
            base: 0,
            size: 0,
        };
        for index in 0..header.program_count {
            let at = header.program_offset + index * PROGRAM_HEADER;
            let headers = file.get(at..at + PROGRAM_HEADER).ok_or(ElfError::Truncated)?;
            if let Some(segment) = read_segment(headers, file.len())? {
                image.add(segment)?;
            }
        }
        image.measure()?;
        image.entry = header.entry;
        if image.is_code(image.entry) { Ok(image) } else { Err(ElfError::BadEntry) }
    }

    /// The file it was read from.
    pub fn file(&self) -> &'a [u8] {
        self.file
    }

    /// Its parts, in the order of the file.
    pub fn segments(&self) -> &[Segment] {
        self.segments.get(..self.count).unwrap_or_default()
    }

    /// Virtual address of its entry point.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// Virtual address of its first page.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Bytes from its first page to the end of its last, a multiple of
    /// [`PAGE`] and at most [`IMAGE_MAX`].
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether an address lies in code.
    pub fn is_code(&self, address: u64) -> bool {
        self.segments()
            .iter()
            .any(|segment| segment.protection == Protection::ReadExecute && segment.holds(address))
    }

    /// Puts the kernel into memory that will appear at [`Self::base`]: bytes
    /// of the file where there are any, zero everywhere else. `None` if
    /// `memory` is shorter than [`Self::size`].
    pub fn load(&self, memory: &mut [u8]) -> Option<()> {
        let memory = memory.get_mut(..usize::try_from(self.size).ok()?)?;
        memory.fill(0);
        for segment in self.segments() {
            let start = usize::try_from(segment.address - self.base).ok()?;
            let source = self.file.get(segment.offset..)?.get(..segment.file_size)?;
            memory.get_mut(start..)?.get_mut(..segment.file_size)?.copy_from_slice(source);
        }
        Some(())
    }

    fn add(&mut self, segment: Segment) -> Result<(), ElfError> {
        let shares = |other: &Segment| {
            segment.first_page() <= other.last() && other.first_page() <= segment.last()
        };
        if self.segments().iter().any(shares) {
            return Err(ElfError::Overlap);
        }
        *self.segments.get_mut(self.count).ok_or(ElfError::TooManySegments)? = segment;
        self.count += 1;
        Ok(())
    }

    fn measure(&mut self) -> Result<(), ElfError> {
        let first = self.segments().iter().map(Segment::first_page).min().ok_or(ElfError::Empty)?;
        let last = self.segments().iter().map(Segment::last).max().ok_or(ElfError::Empty)?;
        let size = (last - first).checked_add(1).filter(|&size| size <= IMAGE_MAX);
        self.base = first;
        self.size = size.ok_or(ElfError::TooLarge)?;
        Ok(())
    }
}

/// What the file's header says that loading needs.
struct Header {
    entry: u64,
    program_offset: usize,
    program_count: usize,
}

impl Header {
    fn read(file: &[u8], architecture: Architecture) -> Result<Self, ElfError> {
        const MAGIC: &[u8; 4] = b"\x7fELF";
        // 64 bits, little-endian, version 1 (EI_CLASS, EI_DATA, EI_VERSION).
        const CLASS: &[u8; 3] = &[2, 1, 1];
        const EXECUTABLE: u16 = 2;
        if file.get(..4) != Some(MAGIC) {
            return Err(ElfError::NotElf);
        }
        let header = file.get(..HEADER).ok_or(ElfError::Truncated)?;
        if header.get(4..7) != Some(CLASS) {
            return Err(ElfError::WrongClass);
        }
        let short = |at| bytes::u16(header, at).ok_or(ElfError::Truncated);
        let long = |at| bytes::u64(header, at).ok_or(ElfError::Truncated);
        let machine = match architecture {
            Architecture::X86_64 => 62,
            Architecture::Aarch64 => 183,
        };
        if short(18)? != machine {
            return Err(ElfError::WrongMachine(architecture));
        }
        if short(16)? != EXECUTABLE {
            return Err(ElfError::NotStatic);
        }
        if usize::from(short(54)?) != PROGRAM_HEADER {
            return Err(ElfError::BadHeaders);
        }
        let program_offset = long(32)?;
        let program_count = short(56)?;
        require(file, program_offset, u64::from(program_count) * PROGRAM_HEADER as u64)?;
        // Nothing is read from the sections, but they come last in a file, so
        // this notices one that was cut anywhere.
        require(file, long(40)?, u64::from(short(60)?) * SECTION_HEADER)?;
        Ok(Self {
            entry: long(24)?,
            program_offset: usize::try_from(program_offset).map_err(|_| ElfError::Truncated)?,
            program_count: program_count.into(),
        })
    }
}

/// Whether the file has these bytes.
fn require(file: &[u8], offset: u64, size: u64) -> Result<(), ElfError> {
    let end = offset.checked_add(size).ok_or(ElfError::Truncated)?;
    if end <= file.len() as u64 { Ok(()) } else { Err(ElfError::Truncated) }
}

/// A segment from its program header; `None` for one that is not loaded.
fn read_segment(header: &[u8], file_length: usize) -> Result<Option<Segment>, ElfError> {
    let long = |at| bytes::u64(header, at).ok_or(ElfError::Truncated);
    let (offset, address, file_size, memory_size) = (long(8)?, long(16)?, long(32)?, long(40)?);
    if bytes::u32(header, 0) != Some(PT_LOAD) || memory_size == 0 {
        return Ok(None);
    }
    let flags = bytes::u32(header, 4).ok_or(ElfError::Truncated)?;
    if file_size > memory_size {
        return Err(ElfError::BadSegment);
    }
    if offset.checked_add(file_size).is_none_or(|end| end > file_length as u64) {
        return Err(ElfError::Truncated);
    }
    // The end may be the end of the address space, which no number holds; so
    // the last page is left out, which also keeps every sum below in range.
    let end = address.checked_add(memory_size).and_then(|end| end.checked_add(PAGE));
    if address < KERNEL_LOWEST || end.is_none() {
        return Err(ElfError::OutOfPlace);
    }
    let protection = match (flags & PF_W != 0, flags & PF_X != 0) {
        (true, true) => return Err(ElfError::WritableCode),
        (true, false) => Protection::ReadWrite,
        (false, true) => Protection::ReadExecute,
        (false, false) => Protection::ReadOnly,
    };
    let narrow = |value| usize::try_from(value).map_err(|_| ElfError::Truncated);
    let (offset, file_size) = (narrow(offset)?, narrow(file_size)?);
    Ok(Some(Segment { address, memory_size, offset, file_size, protection }))
}

#[cfg(test)]
mod tests;
