//! The log at rest, read by a foreign implementation.

use crate::common::HASHER;
use std::collections::BTreeMap;
use tlog_tiles::{HashReader, TileHashReader, TileReader};
use witness::{
    Hash,
    tiles::{Level, Tile, has_files_below, layout, listed, split_bundle, split_hashes},
    tree,
};

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| HASHER.leaf(&i.to_le_bytes())).collect()
}

/// All hash tiles of a log, by path.
struct Folder(BTreeMap<String, Vec<u8>>);

impl Folder {
    fn of(leaves: &[Hash]) -> Self {
        let tiles = layout(leaves.len() as u64);
        let hashes = tiles.filter_map(|tile| Some((tile.path(), tile.hashes(HASHER, leaves)?)));
        Self(hashes.collect())
    }
}

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Theirs are named "tile/8/...", after the height; C2SP leaves that out.
        let path = |tile: &tlog_tiles::Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles.iter().map(|tile| self.0[&path(tile)].clone()).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn a_foreign_reader_finds_and_accepts_our_tiles() {
    for size in [1, 2, 255, 256, 257, 511, 512, 700, 66_000] {
        let all = leaves(size);
        let folder = Folder::of(&all);
        let root = tlog_tiles::Hash(tree::root(HASHER, &all));
        let reader = TileHashReader::new(size as u64, root, &folder);
        for index in [0, size / 3, size / 2, size - 1] {
            let at = tlog_tiles::stored_hash_index(0, index as u64);
            let read = reader.read_hashes(&[at]).unwrap();
            assert_eq!(read[0].0, all[index], "leaf {index} of {size}");
            let proof = tlog_tiles::prove_record(size as u64, index as u64, &reader).unwrap();
            let ours = tree::inclusion_proof(HASHER, &all, index as u64).unwrap();
            assert_eq!(proof.iter().map(|hash| hash.0).collect::<Vec<_>>(), ours);
        }
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    let path = |level, index, width| Tile { level, index, width }.path();
    assert_eq!(path(Level::Hashes(0), 0, 256), "tile/0/000");
    assert_eq!(path(Level::Hashes(3), 1_234_067, 256), "tile/3/x001/x234/067");
    assert_eq!(path(Level::Entries, 1000, 17), "tile/entries/x001/000.p/17");
    // The specification's own example.
    let mut widths = BTreeMap::new();
    for tile in layout(70_000) {
        let Level::Hashes(level) = tile.level else { continue };
        *widths.entry((level, tile.width)).or_insert(0) += 1;
    }
    assert_eq!(
        widths,
        BTreeMap::from([((0, 256), 273), ((0, 112), 1), ((1, 256), 1), ((1, 17), 1), ((2, 1), 1)])
    );
    let of_256: Vec<_> = layout(256).map(|tile| tile.path()).collect();
    assert_eq!(of_256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(layout(0).count(), 0);
}

#[test]
fn bundles_and_tiles_end_with_their_last_part() {
    let mut bundle = Vec::new();
    witness::tiles::append_entry(&mut bundle, b"one");
    witness::tiles::append_entry(&mut bundle, b"");
    assert_eq!(split_bundle(&bundle), Some(vec![b"one".as_slice(), b""]));
    assert_eq!(split_bundle(&[]), Some(Vec::new()));
    for cut in 1..bundle.len() {
        assert_eq!(split_bundle(&bundle[..cut]).is_some(), cut == 5, "{cut}");
    }
    assert_eq!(split_hashes(&[7; 64]), Some(vec![[7; 32]; 2]));
    assert_eq!(split_hashes(&[7; 63]), None);
}

#[test]
fn a_path_is_listed_exactly_where_the_layout_has_it() {
    for size in [0, 1, 2, 255, 256, 257, 600, 65_535, 65_536, 66_000, 257_000] {
        let layout: Vec<_> = layout(size).collect();
        let paths: Vec<_> = layout.iter().map(Tile::path).collect();
        let mut folders = std::collections::BTreeSet::new();
        for (tile, path) in layout.iter().zip(&paths) {
            assert_eq!(listed(path, size), Some(*tile), "{path} of {size}");
            let ends = path.match_indices('/').map(|(end, _)| &path[..end]);
            folders.extend(ends.map(String::from));
        }
        for folder in &folders {
            assert!(has_files_below(folder, size), "{folder} of {size}");
        }
        let others = ["tile", "tile/entries", "tile/0", "tile/1", "tile/2", "tile/3", "tile/8"];
        let more = ["tile/0/000", "tile/0/000.p", "tile/0/001.p", "tile/entries/x001", "foo", ""];
        for folder in others.into_iter().chain(more) {
            let has = folders.contains(folder);
            assert_eq!(has_files_below(folder, size), has, "{folder:?} of {size}");
        }
        for path in ["tile/0/000.p/256", "tile/0/0000", "tile/00/000", "tile/0/x000/000", "tile"] {
            assert_eq!(listed(path, size), None, "{path}");
        }
        for path in ["tile/0/000", "tile/0/000.p/1", "tile/1/000.p/2", "tile/entries/002.p/88"] {
            let has = paths.iter().any(|it| it == path);
            assert_eq!(listed(path, size).is_some(), has, "{path} of {size}");
        }
    }
    // Whatever a damaged checkpoint claims costs nothing.
    assert!(listed("tile/7/000.p/255", u64::MAX).is_some());
    assert!(has_files_below("tile/0/x072/x057/x594/x037/x927", u64::MAX));
    assert!(!has_files_below("tile/0/x999/x999/x999/x999/x999/x999/x999", u64::MAX));
}
