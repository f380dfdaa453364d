//! What a loaded kernel asks for.
//!
//! Requests lie in the image on 8-byte boundaries and are known by magic
//! numbers. A start and an end marker, which a kernel may leave out, say where
//! to look.

use core::fmt;
use core::ops::Range;

use crate::{PAGE, STACK_LEAST, STACK_MOST, bytes};

/// The base revisions whose promises this loader keeps.
pub const REVISIONS: core::ops::RangeInclusive<u64> = 3..=6;

const START_MARKER: [u64; 4] =
    [0xf6b8_f4b3_9de7_d1ae, 0xfab9_1a69_40fc_b9cf, 0x785c_6ed0_15d3_e316, 0x181e_920a_7852_b9d9];
const END_MARKER: [u64; 2] = [0xadc0_e053_1bb1_0d03, 0x9572_709f_3176_4c62];
const BASE_REVISION: [u64; 2] = [0xf956_2b2d_5c95_a6c8, 0x6a7b_3849_4453_6bdc];
const COMMON: [u64; 2] = [0xc7b1_dd30_df4c_8b88, 0x0a82_e883_a194_f07b];

/// Offset of a request's revision, of the response's address, and of what the
/// request says beyond that.
const REVISION: usize = 32;
const RESPONSE: usize = 40;
const EXTRA: usize = 48;

macro_rules! features {
    ($($(#[doc = $doc:literal])+ $feature:ident = $id:expr, $size:expr;)*) => {
        /// Something a kernel can ask for and this loader can answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Feature { $($(#[doc = $doc])+ $feature,)* }

        impl Feature {
            /// Every feature.
            pub const ALL: &'static [Self] = &[$(Self::$feature,)*];

            /// The second half of its request's number.
            const fn id(self) -> [u64; 2] {
                match self { $(Self::$feature => $id,)* }
            }

            /// Least bytes of its request.
            const fn size(self) -> usize {
                match self { $(Self::$feature => $size,)* }
            }
        }
    };
}

features! {
    /// Name and version of the loader.
    BootloaderInfo = [0xf550_38d8_e2a1_202f, 0x2794_26fc_f5f5_9740], EXTRA;
    /// The kernel's command line.
    CommandLine = [0x4b16_1536_e598_651e, 0xb390_ad4a_2f1f_303a], EXTRA;
    /// What kind of firmware there is.
    FirmwareType = [0x8c2f_75d9_0bef_28a8, 0x7045_a468_8eac_00c3], EXTRA;
    /// A stack of a size of the kernel's choice.
    StackSize = [0x224e_f046_0a8e_8926, 0xe1cb_0fc2_5f46_ea3d], EXTRA + 8;
    /// Where the direct map is.
    DirectMap = [0x48dc_f1cb_8ad2_b852, 0x6398_4e95_9a98_244b], EXTRA;
    /// How many levels of tables there are.
    PagingMode = [0x95c1_a0ed_ab09_44cb, 0xa4e5_cb38_42f7_488a], EXTRA + 8;
    /// The memory map.
    MemoryMap = [0x67cf_3d9d_378a_806f, 0xe304_acdf_c50c_3c62], EXTRA;
    /// Another entry point than the file's.
    EntryPoint = [0x13d8_6c03_5a1c_d3e1, 0x2b0c_aa89_d8f3_026a], EXTRA + 8;
    /// The kernel's file.
    ExecutableFile = [0xad97_e90e_83f1_ed67, 0x31eb_5d1c_5ff2_3b69], EXTRA;
    /// Files that were loaded beside the kernel.
    Modules = [0x3e7e_2797_02be_32af, 0xca1c_4f3b_d128_0cee], EXTRA;
    /// ACPI's root pointer.
    Rsdp = [0xc5e7_7b6b_397e_7b43, 0x2763_7845_accd_cf3c], EXTRA;
    /// SMBIOS' entry points.
    Smbios = [0x9e90_46f1_1e09_5391, 0xaa4a_520f_efbd_e5ee], EXTRA;
    /// The EFI system table.
    EfiSystemTable = [0x5ceb_a516_3eaa_f6d6, 0x0a69_8161_0cf6_5fcc], EXTRA;
    /// Where the kernel was put.
    ExecutableAddress = [0x71ba_7686_3cc5_5f63, 0xb264_4a48_c516_a487], EXTRA;
    /// The device tree.
    DeviceTree = [0xb40d_db48_fb54_bac7, 0x5450_8149_3f81_ffb7], EXTRA;
}

const FEATURES: usize = Feature::ALL.len();

/// Why a kernel's requests cannot be fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// It does not say by which base revision it is to be loaded, which means
    /// revision 0.
    NoRevision,
    /// It asks for a base revision outside [`REVISIONS`].
    Revision(u64),
    /// It asks for the same thing twice.
    Twice(Feature),
    /// A request ends behind the end of the image.
    CutOff(Feature),
    /// The end marker comes before the start marker.
    Markers,
    /// It does not work with four levels of tables.
    Paging,
    /// It asks for a stack larger than [`STACK_MOST`].
    Stack(u64),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRevision => f.write_str("names no base revision of the Limine boot protocol"),
            Self::Revision(revision) => write!(
                f,
                "asks for base revision {revision} of the Limine boot protocol; this loader has {} to {}",
                REVISIONS.start(),
                REVISIONS.end()
            ),
            Self::Twice(feature) => write!(f, "makes the request {feature:?} twice"),
            Self::CutOff(feature) => write!(f, "ends within its request {feature:?}"),
            Self::Markers => f.write_str("has its requests' end marker before the start marker"),
            Self::Paging => f.write_str("does not work with four levels of page tables"),
            Self::Stack(size) => write!(f, "asks for a stack of {size} bytes"),
        }
    }
}

impl core::error::Error for RequestError {}

/// The requests of a kernel, by their places in its loaded image.
#[derive(Clone, Debug)]
pub struct Requests {
    tag: usize,
    revision: u64,
    places: [Option<usize>; FEATURES],
    stack_size: u64,
    entry: Option<u64>,
}

impl Requests {
    /// Finds the requests in a loaded image, which begins on a page boundary.
    pub fn find(image: &[u8]) -> Result<Self, RequestError> {
        let range = delimited(image)?;
        let tag = find(image, range.clone(), &BASE_REVISION).ok_or(RequestError::NoRevision)?;
        let revision = bytes::u64(image, tag + 16).ok_or(RequestError::NoRevision)?;
        if !REVISIONS.contains(&revision) {
            return Err(RequestError::Revision(revision));
        }
        let mut requests =
            Self { tag, revision, places: [None; FEATURES], stack_size: STACK_LEAST, entry: None };
        requests.collect(image, range)?;
        requests.read_extras(image)?;
        Ok(requests)
    }

    /// The base revision by which the kernel is loaded.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Bytes of stack the kernel is to have: a multiple of [`PAGE`].
    pub fn stack_size(&self) -> u64 {
        self.stack_size
    }

    /// The entry point, if it is not to be the file's.
    pub fn entry(&self) -> Option<u64> {
        self.entry
    }

    /// Whether the kernel asks for something.
    pub fn has(&self, feature: Feature) -> bool {
        self.place(feature).is_some()
    }

    /// Writes the address of a response into its request. `None` if `image`
    /// is not the one the request was found in.
    pub(crate) fn respond(&self, image: &mut [u8], feature: Feature, address: u64) -> Option<()> {
        bytes::put_u64(image, self.place(feature)? + RESPONSE, address)
    }

    /// Marks the base revision as one that the loader has: zero behind the
    /// magic, and the revision itself in its second half.
    pub(crate) fn confirm(&self, image: &mut [u8]) -> Option<()> {
        bytes::put_u64(image, self.tag + 8, self.revision)?;
        bytes::put_u64(image, self.tag + 16, 0)
    }

    fn place(&self, feature: Feature) -> Option<usize> {
        self.places.get(feature as usize).copied().flatten()
    }

    fn collect(&mut self, image: &[u8], range: Range<usize>) -> Result<(), RequestError> {
        let mut from = range.start;
        while let Some(at) = find(image, from..range.end, &COMMON) {
            from = at + 8;
            let matches = |feature: &&Feature| has_words(image, at + 16, &feature.id());
            let Some(feature) = Feature::ALL.iter().find(matches) else { continue };
            if image.len() - at < feature.size() {
                return Err(RequestError::CutOff(*feature));
            }
            if let Some(place) = self.places.get_mut(*feature as usize)
                && place.replace(at).is_some()
            {
                return Err(RequestError::Twice(*feature));
            }
        }
        Ok(())
    }

    fn read_extras(&mut self, image: &[u8]) -> Result<(), RequestError> {
        let extra = |at: usize| bytes::u64(image, at + EXTRA);
        if let Some(wanted) = self.place(Feature::StackSize).and_then(extra) {
            if wanted > STACK_MOST {
                return Err(RequestError::Stack(wanted));
            }
            self.stack_size = wanted.max(STACK_LEAST).next_multiple_of(PAGE);
        }
        self.entry = self.place(Feature::EntryPoint).and_then(extra);
        if let Some(at) = self.place(Feature::PagingMode) {
            // From revision 1 on a kernel names the least mode it works with,
            // as the third number; mode 0 is four levels.
            let least = bytes::u64(image, at + EXTRA + 16);
            if bytes::u64(image, at + REVISION) != Some(0) && least != Some(0) {
                return Err(RequestError::Paging);
            }
        }
        Ok(())
    }
}

/// Where requests may lie: behind the last start marker, before the first end
/// marker.
fn delimited(image: &[u8]) -> Result<Range<usize>, RequestError> {
    let mut start = 0;
    while let Some(at) = find(image, start..image.len(), &START_MARKER) {
        start = at + size_of_val(&START_MARKER);
    }
    let end = find(image, 0..image.len(), &END_MARKER).unwrap_or(image.len());
    if start <= end { Ok(start..end) } else { Err(RequestError::Markers) }
}

/// The first place in a range, on an 8-byte boundary, where these words are.
fn find(image: &[u8], range: Range<usize>, words: &[u64]) -> Option<usize> {
    range.step_by(8).find(|&at| has_words(image, at, words))
}

fn has_words(image: &[u8], at: usize, words: &[u64]) -> bool {
    let mut places = (at..).step_by(8);
    words.iter().all(|&word| places.next().and_then(|at| bytes::u64(image, at)) == Some(word))
}

#[cfg(test)]
mod tests;
