//! The log at rest: C2SP tlog-tiles.
//!
//! A log is a folder with `checkpoint`, `manifest` and the tiles of its size,
//! and nothing else. This module knows their names and content; reading and
//! writing files is the host's business.

mod listing;

pub use listing::{has_files_below, listed};

use crate::{Hash, Hasher, tree};
use alloc::{format, string::String, vec::Vec};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// File name of the signed checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// File name of the signed manifest.
pub const MANIFEST: &str = "manifest";

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The records themselves.
    Entries,
    /// Hashes of subtrees of `256^level` leaves.
    Hashes(u8),
}

/// One file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// What it holds.
    pub level: Level,
    /// Its number within the level.
    pub index: u64,
    /// How many hashes or entries, 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Its path in the log's folder.
    pub fn path(&self) -> String {
        let mut path = match self.level {
            Level::Entries => String::from("tile/entries/"),
            Level::Hashes(level) => format!("tile/{level}/"),
        };
        path.push_str(&number(self.index));
        if self.width < WIDTH {
            path.push_str(&format!(".p/{}", self.width));
        }
        path
    }

    /// Which of the things on its level it holds: from, and how many.
    pub fn range(&self) -> (u64, u64) {
        (self.index.saturating_mul(WIDTH), self.width)
    }

    /// Content of a tile of hashes in a log that begins with these leaf
    /// hashes, as far as it follows from them; `None` if it is one of entries.
    pub fn hashes(&self, hasher: Hasher, leaves: &[Hash]) -> Option<Vec<u8>> {
        let Level::Hashes(level) = self.level else { return None };
        let span = WIDTH.checked_pow(level.into()).and_then(|span| usize::try_from(span).ok());
        let (from, count) = self.range();
        let place = |number: u64| usize::try_from(number).ok()?.checked_mul(span?);
        let until = place(from.saturating_add(count)).unwrap_or(usize::MAX).min(leaves.len());
        let covered = place(from).and_then(|from| leaves.get(from..until)).unwrap_or_default();
        let whole = covered.chunks_exact(span.unwrap_or(usize::MAX));
        Some(whole.flat_map(|leaves| tree::root(hasher, leaves)).collect())
    }
}

/// `x001/x234/067` for 1234067.
fn number(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// Every tile of a log of `size` records: entries first, then hashes level by
/// level.
pub fn layout(size: u64) -> impl Iterator<Item = Tile> {
    let levels = (0u8..8).map(Level::Hashes).map(move |level| (level, count(level, size)));
    let all = core::iter::once((Level::Entries, size)).chain(levels);
    all.flat_map(|(level, count)| {
        (0..count.div_ceil(WIDTH)).map(move |index| {
            let width = WIDTH.min(count - index * WIDTH);
            Tile { level, index, width }
        })
    })
}

/// Complete subtrees that a level of a log of `size` records holds.
fn count(level: Level, size: u64) -> u64 {
    match level {
        Level::Entries => size,
        Level::Hashes(level) => WIDTH.checked_pow(level.into()).map_or(0, |span| size / span),
    }
}

/// Appends an entry to a bundle: its length in two bytes, big-endian, and the
/// record, which is at most 392 bytes long.
pub fn append_entry(bundle: &mut Vec<u8>, record: &[u8]) {
    bundle.extend_from_slice(&(record.len() as u16).to_be_bytes());
    bundle.extend_from_slice(record);
}

/// The entries of a bundle; `None` if it does not end with the last of them.
pub fn split_bundle(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

/// The hashes of a tile; `None` if it does not consist of whole ones.
pub fn split_hashes(tile: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = tile.as_chunks();
    rest.is_empty().then(|| hashes.to_vec())
}
