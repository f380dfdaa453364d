//! The log at rest: a folder with `checkpoint`, `manifest` and tiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use witness::checkpoint::Checkpoint;
use witness::frame::Collected;
use witness::tiles::{self, CHECKPOINT, Level, MANIFEST, Tile, WIDTH};
use witness::{Hash, Hasher, note};

use crate::error::{HelioError, Result};
use crate::file;

/// Everything a folder holds. Nothing in it has been verified.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The records, as far as the bundles can be taken apart.
    pub entries: Vec<Vec<u8>>,
    /// The signed checkpoint.
    pub checkpoint: Option<String>,
    /// The signed manifest.
    pub manifest: Option<String>,
    /// The hashes of the tiles of level 0, if all are there and whole.
    pub leaves: Option<Vec<Hash>>,
    /// The higher tiles that are there.
    pub upper: Vec<(Tile, Vec<u8>)>,
    /// Files that a log of the checkpoint's size does not have.
    pub unlisted: Vec<PathBuf>,
    /// Files that it has, but this folder does not.
    pub missing: Vec<PathBuf>,
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

/// Whether a folder is a log, so that it may be replaced by another.
fn is_log(path: &Path) -> bool {
    path.join("tile").is_dir() || path.join(CHECKPOINT).is_file()
}

/// Reads a folder.
///
/// # Errors
/// Only what keeps it from being read: a folder that is not a log at all, or
/// whose files cannot be opened. What is wrong inside is for the verdict.
pub fn read(path: &Path) -> Result<Folder> {
    if !path.is_dir() || !is_log(path) {
        return Err(HelioError::input(
            "log",
            path.display(),
            "not a log: it has neither a checkpoint nor tiles",
            "give the folder that `helio log import` or `helio run` wrote",
        ));
    }
    let found: BTreeSet<PathBuf> = file::files_below(path)?.into_iter().collect();
    let source = Source { path, found: &found };
    let checkpoint = source.text(CHECKPOINT)?;
    let entries = source.entries()?;
    let size = checkpoint.as_deref().and_then(size).unwrap_or(entries.len() as u64);

    let mut folder = Folder { checkpoint, manifest: source.text(MANIFEST)?, ..Folder::default() };
    let mut listed: BTreeSet<PathBuf> = BTreeSet::new();
    let mut leaves = Some(Vec::new());
    // A size that no folder can have comes from a damaged checkpoint: one
    // file more than there are is enough to see that something is missing.
    for tile in tiles::layout(size).take(found.len() + 1) {
        let name = PathBuf::from(tile.path());
        let bytes = source.bytes(&name)?;
        if bytes.is_none() {
            folder.missing.push(name.clone());
        }
        listed.insert(name);
        match (tile.level, bytes) {
            (Level::Entries, _) => {}
            (Level::Hashes(0), bytes) => {
                let hashes = bytes.as_deref().and_then(tiles::split_hashes);
                let whole = hashes.filter(|hashes| hashes.len() as u64 == tile.width);
                leaves = leaves.zip(whole).map(|(mut all, more)| {
                    all.extend(more);
                    all
                });
            }
            (Level::Hashes(_), Some(bytes)) => folder.upper.push((tile, bytes)),
            (Level::Hashes(_), None) => {}
        }
    }
    listed.extend([CHECKPOINT, MANIFEST].map(PathBuf::from));
    folder.unlisted = found.difference(&listed).cloned().collect();
    folder.leaves = leaves;
    folder.entries = entries;
    Ok(folder)
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

    /// A text; bytes that are none become characters that no signature
    /// covers.
    fn text(&self, name: &str) -> Result<Option<String>> {
        let bytes = self.bytes(Path::new(name))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The records of all bundles, in order, whatever the checkpoint says.
    fn entries(&self) -> Result<Vec<Vec<u8>>> {
        let mut entries = Vec::new();
        for index in 0.. {
            let whole = Tile { level: Level::Entries, index, width: WIDTH };
            let widths = (1..WIDTH).rev().map(|width| Tile { width, ..whole });
            let tile = std::iter::once(whole).chain(widths).map(|tile| tile.path().into());
            let Some(name) = tile.into_iter().find(|name: &PathBuf| self.found.contains(name))
            else {
                break;
            };
            take_apart(&self.bytes(&name)?.unwrap_or_default(), &mut entries);
        }
        Ok(entries)
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
