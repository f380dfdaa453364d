//! Snapshots at rest: a folder in which any number of them share pages.
//!
//! `N.snapshot` is a text file: a line that says what it is, a line with the
//! number of records before it and its length in bytes, then a line for each
//! page, with its RFC 6962 leaf hash. The page of that hash is the file of
//! that name in `pages/`. The Merkle root over the lines is the one that the
//! log's record N commits to (`docs/SNAPSHOTS.md`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use machine::Cell;
use witness::tree::Tree;
use witness::{Hash, Hasher, hex};

use crate::error::{HelioError, Result};
use crate::file;

/// First line of a snapshot's file.
const TITLE: &str = "heliograph-snapshot@v1";

/// Bytes of a page.
const PAGE: usize = nucleus::snapshot::PAGE;

/// A snapshot that was read, all pages checked against their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Number of records before it.
    pub record: u64,
    /// Merkle root over its pages.
    pub root: Hash,
    /// The pages, one after the other.
    pub bytes: Vec<u8>,
}

/// Writes the snapshot of a cell that keeps journals, and gives its path.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &Path, cell: &Cell) -> Result<PathBuf> {
    let hasher = Hasher::SOFTWARE;
    let pages = folder.join("pages");
    file::make_folder(&pages)?;
    let mut written = BTreeSet::new();
    let (mut lines, mut length) = (String::new(), 0);
    let mut failed = None;
    let saved = cell.save(&mut |page| {
        let hash = hasher.leaf(page);
        length += page.len();
        // A string takes any number of lines.
        let _ = writeln!(lines, "{}", hex::encode(&hash));
        if failed.is_none() && written.insert(hash) {
            let path = pages.join(hex::encode(&hash));
            if !path.is_file() {
                failed = file::write(&path, page).err();
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    saved.map_err(|error| HelioError::Failed {
        what: "the snapshot".into(),
        reason: error.to_string(),
        advice: "replay the run from its package".into(),
    })?;
    let record = cell.log().next().0;
    let path = folder.join(format!("{record}.snapshot"));
    file::write(&path, format!("{TITLE}\n{record} {length}\n{lines}").as_bytes())?;
    Ok(path)
}

/// Reads a snapshot with its pages.
///
/// # Errors
/// A file cannot be read, or is not what its name or place says.
pub fn read(path: &Path) -> Result<Snapshot> {
    let hasher = Hasher::SOFTWARE;
    let text = file::read_text("snapshot", path)?;
    let wrong = |line: usize, reason: &str| {
        let reason = format!("line {line}: {reason}");
        let advice = "write it again with `helio replay --snapshots`";
        HelioError::input("snapshot", path.display(), reason, advice)
    };
    let mut lines = text.lines().zip(1..);
    if lines.next().is_none_or(|(line, _)| line != TITLE) {
        return Err(wrong(1, &format!("it is not \"{TITLE}\"")));
    }
    let sizes = lines.next().and_then(|(line, _)| line.split_once(' '));
    let sizes = sizes.and_then(|(record, length)| {
        Some((record.parse::<u64>().ok()?, length.parse::<usize>().ok()?))
    });
    let (record, length) = sizes.ok_or_else(|| wrong(2, "it is not two numbers"))?;
    let pages = path.parent().unwrap_or(Path::new("")).join("pages");
    let (mut tree, mut bytes) = (Tree::new(hasher), Vec::new());
    for (line, number) in lines {
        let hash: Hash =
            hex::decode(line).ok_or_else(|| wrong(number, "it is not a hash in hexadecimal"))?;
        let page = file::read(&pages.join(line))?;
        if hasher.leaf(&page) != hash || page.len() > PAGE {
            return Err(wrong(number, "the page of this hash has another one"));
        }
        tree.push(hash);
        bytes.extend(page);
    }
    if bytes.len() != length {
        return Err(wrong(2, &format!("its pages have {} bytes", bytes.len())));
    }
    Ok(Snapshot { record, root: tree.root(), bytes })
}
