//! The log at rest: a folder with `checkpoint`, `manifest` and tiles.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use witness::checkpoint::Checkpoint;
use witness::frame::Collected;
use witness::tiles::{self, CHECKPOINT, Level, MANIFEST, Tile, WIDTH};
use witness::{Hash, Hasher, note};

use crate::error::{HelioError, Result};
use crate::file;
use crate::log::listing::Listing;

/// Everything a folder holds. Nothing in it has been verified.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The records, as far as the bundles are there and can be taken apart.
    pub entries: Vec<Vec<u8>>,
    /// The signed checkpoint; empty if it is no text.
    pub checkpoint: Option<String>,
    /// The signed manifest; the same.
    pub manifest: Option<String>,
    /// The hashes of the tiles of level 0, if all are there and whole.
    pub leaves: Option<Vec<Hash>>,
    /// The tiles of hashes that are there.
    pub tiles: Vec<(Tile, Vec<u8>)>,
    /// What a log of the checkpoint's size does not have.
    pub unlisted: Vec<PathBuf>,
    /// The first file that it has, but this folder does not.
    pub missing: Option<PathBuf>,
    /// The first bundle that does not hold as many records as it must.
    pub miscounted: Option<PathBuf>,
}

/// Writes a log as a folder, in place of one that was there.
///
/// # Errors
/// Whatever stops files from being written, and a folder of that name which
/// is not a log.
pub fn write(path: &Path, log: &Collected) -> Result<()> {
    file::write_folder(path, is_log, |folder| {
        let put = |name: &str, bytes: &[u8]| file::write(&folder.join(name), bytes);
        if let Some(checkpoint) = &log.checkpoint {
            put(CHECKPOINT, checkpoint.as_bytes())?;
        }
        if let Some(manifest) = &log.manifest {
            put(MANIFEST, manifest.as_bytes())?;
        }
        let hasher = Hasher::SOFTWARE;
        let leaves: Vec<Hash> = log.entries.iter().map(|entry| hasher.leaf(entry)).collect();
        for tile in tiles::layout(leaves.len() as u64) {
            let bytes = match tile.level {
                Level::Entries => bundle(&tile, &log.entries),
                Level::Hashes(_) => tile.hashes(hasher, &leaves).unwrap_or_default(),
            };
            put(&tile.path(), &bytes)?;
        }
        Ok(())
    })
}

fn bundle(tile: &Tile, entries: &[Vec<u8>]) -> Vec<u8> {
    let (from, count) = tile.range();
    let mut bytes = Vec::new();
    for entry in entries.iter().skip(from as usize).take(count as usize) {
        tiles::append_entry(&mut bytes, entry);
    }
    bytes
}

/// Whether a folder is nothing but a log, so that it may be replaced by
/// another.
fn is_log(path: &Path) -> bool {
    let parts = [CHECKPOINT, MANIFEST, "tile"];
    let is_part = |entry: fs::DirEntry| parts.iter().any(|part| entry.file_name() == *part);
    fs::read_dir(path).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(is_part)))
}

/// Reads a folder.
///
/// # Errors
/// Only what keeps it from being read: a folder that is not a log at all, or
/// whose files cannot be opened. What is wrong inside is for the verdict.
pub fn read(path: &Path) -> Result<Folder> {
    if !path.join("tile").is_dir() && !path.join(CHECKPOINT).is_file() {
        return Err(HelioError::input(
            "log",
            path.display(),
            "not a log: it has neither a checkpoint nor tiles",
            "give the folder that `helio log import` or `helio run` wrote",
        ));
    }
    let found = Listing::of(path)?;
    let source = Source { path, found: &found.files };
    let checkpoint = source.text(CHECKPOINT)?;
    let size = checkpoint.as_deref().and_then(size);

    let mut folder = Folder { manifest: source.text(MANIFEST)?, ..Folder::default() };
    folder.unlisted = found.unlisted(size);
    for (tile, bundle) in source.bundles(size)? {
        let before = folder.entries.len();
        take_apart(&bundle, &mut folder.entries);
        let count = (folder.entries.len() - before) as u64;
        if size.is_some() && count != tile.width && folder.miscounted.is_none() {
            folder.miscounted = Some(tile.path().into());
        }
    }
    if let Some(size) = size {
        folder.tiles = source.tiles(size)?;
        folder.leaves = leaves(&folder.tiles, size);
        // As many as there are files, and one more, are enough to see that
        // one is missing: the size may be any number.
        let mut listed = tiles::layout(size).take(found.files.len() + 1);
        let is_missing = |tile: &Tile| !found.files.contains(Path::new(&tile.path()));
        folder.missing = listed.find(is_missing).map(|tile| tile.path().into());
    }
    folder.checkpoint = checkpoint;
    Ok(folder)
}

/// The hashes of all records, from the tiles of level 0, if these are there
/// and whole.
fn leaves(tiles: &[(Tile, Vec<u8>)], size: u64) -> Option<Vec<Hash>> {
    let mut level: Vec<_> =
        tiles.iter().filter(|(tile, _)| tile.level == Level::Hashes(0)).collect();
    level.sort_by_key(|(tile, _)| tile.index);
    let mut leaves = Vec::new();
    for (tile, bytes) in level {
        let hashes = tiles::split_hashes(bytes)?;
        if hashes.len() as u64 != tile.width || tile.range().0 != leaves.len() as u64 {
            return None;
        }
        leaves.extend(hashes);
    }
    (leaves.len() as u64 == size).then_some(leaves)
}

/// The size that a checkpoint claims.
fn size(note: &str) -> Option<u64> {
    Checkpoint::parse(note::parse(note).ok()?.text).map(|checkpoint| checkpoint.size)
}

struct Source<'a> {
    path: &'a Path,
    found: &'a BTreeSet<PathBuf>,
}

impl Source<'_> {
    fn bytes(&self, name: &Path) -> Result<Option<Vec<u8>>> {
        if !self.found.contains(name) {
            return Ok(None);
        }
        file::read(&self.path.join(name)).map(Some)
    }

    /// A text. Bytes that are none become the empty one, which is no note;
    /// put in the place of single characters, a replacement could be what a
    /// signature covers.
    fn text(&self, name: &str) -> Result<Option<String>> {
        let bytes = self.bytes(Path::new(name))?;
        Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap_or_default()))
    }

    /// The bundles, in order, up to the first that is missing or is not of
    /// full width, also beyond what the checkpoint says. Of several files of
    /// one, that which a log of this size has comes first.
    fn bundles(&self, size: Option<u64>) -> Result<Vec<(Tile, Vec<u8>)>> {
        let mut bundles = Vec::new();
        for index in 0.. {
            let named = |width| Tile { level: Level::Entries, index, width };
            let listed =
                size.and_then(|size| size.checked_sub(index * WIDTH)).map(|it| it.min(WIDTH));
            let mut widths = listed.into_iter().chain((1..=WIDTH).rev()).map(named);
            let Some(tile) = widths.find(|tile| self.found.contains(Path::new(&tile.path())))
            else {
                break;
            };
            bundles.push((tile, self.bytes(Path::new(&tile.path()))?.unwrap_or_default()));
            if tile.width < WIDTH {
                break;
            }
        }
        Ok(bundles)
    }

    /// The tiles of hashes that a log of this size has and that are there.
    fn tiles(&self, size: u64) -> Result<Vec<(Tile, Vec<u8>)>> {
        let mut found = Vec::new();
        for path in self.found {
            let listed = path.to_str().and_then(|path| tiles::listed(path, size));
            if let Some(tile) = listed.filter(|tile| tile.level != Level::Entries) {
                found.push((tile, self.bytes(path)?.unwrap_or_default()));
            }
        }
        Ok(found)
    }
}

/// The entries of a bundle. A rest that is none is taken for one, so that the
/// verifier sees a bad record there.
fn take_apart(mut bundle: &[u8], entries: &mut Vec<Vec<u8>>) {
    while let Some((length, rest)) = bundle.split_first_chunk() {
        let Some((entry, rest)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else {
            break;
        };
        entries.push(entry.to_vec());
        bundle = rest;
    }
    if !bundle.is_empty() {
        entries.push(bundle.to_vec());
    }
}
