//! Which paths belong to a log of a given size.
//!
//! Answered by arithmetic, path by path: the size comes from a checkpoint
//! that nobody has verified yet, and may be any number.

use super::{Level, Tile, WIDTH, count};
use alloc::string::String;

/// Levels of hashes that a log of at most 2^64 - 1 records can have.
const LEVELS: u8 = 8;

impl Tile {
    /// The tile of this level and number in a log of `size` records, if that
    /// log has it.
    pub fn in_log(level: Level, index: u64, size: u64) -> Option<Self> {
        let rest = count(level, size).checked_sub(index.checked_mul(WIDTH)?)?;
        (rest > 0).then(|| Self { level, index, width: WIDTH.min(rest) })
    }

    /// The tile with this path; `None` for every path that is not exactly
    /// what [`Tile::path`] gives.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => Level::Entries,
            level => Level::Hashes(level.parse().ok().filter(|&level| level < LEVELS)?),
        };
        let (name, width) = match rest.split_once(".p/") {
            Some((name, width)) => (name, width.parse().ok()?),
            None => (rest, WIDTH),
        };
        let mut index = 0u64;
        for group in name.split('/') {
            let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(digits)?;
        }
        let tile = Self { level, index, width };
        (tile.path() == path).then_some(tile)
    }
}

/// The tile that a file of this path is in a log of `size` records; `None` if
/// that log has no such file.
pub fn listed(path: &str, size: u64) -> Option<Tile> {
    let tile = Tile::parse(path)?;
    (Tile::in_log(tile.level, tile.index, size) == Some(tile)).then_some(tile)
}

/// Whether a log of `size` records has files below this folder.
pub fn has_files_below(folder: &str, size: u64) -> bool {
    let below = String::from(folder) + "/";
    let is_below = |tile: Option<Tile>| tile.is_some_and(|tile| tile.path().starts_with(&below));
    let levels = (0..LEVELS).map(Level::Hashes);
    let mut firsts = core::iter::once(Level::Entries).chain(levels);
    // The first file of a level is below "tile" and "tile/<level>". The first
    // below a group of digits ends in 000, and the one below "<number>.p" has
    // that number.
    firsts.any(|level| is_below(Tile::in_log(level, 0, size)))
        || [folder.strip_suffix(".p").map(String::from), Some(below.clone() + "000")]
            .into_iter()
            .flatten()
            .filter_map(|path| Tile::parse(&path))
            .any(|tile| is_below(Tile::in_log(tile.level, tile.index, size)))
}
