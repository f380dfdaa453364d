use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn finish(claims: &[(u64, u64, Kind)]) -> Vec<(u64, u64, Kind)> {
    let mut room = vec![Entry::NONE; 64];
    let mut map = Map::new(&mut room);
    for &(base, length, kind) in claims {
        map.claim(base, length, kind).unwrap();
    }
    map.finish().iter().map(|entry| (entry.base, entry.end(), entry.kind)).collect()
}

#[test]
fn a_claim_is_cut_out_of_what_was_there() {
    let map = finish(&[(0, 0x10000, Kind::Usable), (0x4000, 0x1000, Kind::KernelAndModules)]);
    let wanted = [
        (0, 0x4000, Kind::Usable),
        (0x4000, 0x5000, Kind::KernelAndModules),
        (0x5000, 0x10000, Kind::Usable),
    ];
    assert_eq!(map, wanted);
}

#[test]
fn neighbours_of_one_kind_are_joined() {
    let map = finish(&[
        (0x3000, 0x1000, Kind::Usable),
        (0x1000, 0x800, Kind::Usable),
        (0x1800, 0x1800, Kind::Usable),
    ]);
    assert_eq!(map, [(0x1000, 0x4000, Kind::Usable)]);
}

#[test]
fn usable_ranges_are_whole_pages_and_others_stay_as_they_are() {
    let map = finish(&[(0x10, 0x5000, Kind::Usable), (0x2010, 8, Kind::Reserved)]);
    let wanted = [
        (0x1000, 0x2000, Kind::Usable),
        (0x2010, 0x2018, Kind::Reserved),
        (0x3000, 0x5000, Kind::Usable),
    ];
    assert_eq!(map, wanted);
}

#[test]
fn what_is_mapped_already_is_kept_as_it_is() {
    let mut room = [Entry::NONE; 16];
    let mut map = Map::new(&mut room);
    map.claim(0x1000, 0x1000, Kind::AcpiReclaimable).unwrap();
    map.claim(0x2000, 0x1000, Kind::Reserved).unwrap();
    map.keep_mapped(0x1800, 0x10).unwrap();
    map.keep_mapped(0x1ff0, 0x20).unwrap();
    map.keep_mapped(0x9000, 0x10).unwrap();
    let kinds: Vec<_> = map.finish().iter().map(|entry| (entry.base, entry.kind)).collect();
    let wanted = [
        (0x1000, Kind::AcpiReclaimable),
        (0x1ff0, Kind::ReservedMapped),
        (0x2010, Kind::Reserved),
        (0x9000, Kind::ReservedMapped),
    ];
    assert_eq!(kinds, wanted);
}

#[test]
fn memory_is_taken_from_the_lowest_range_that_is_long_enough() {
    let mut room = [Entry::NONE; 16];
    let mut map = Map::new(&mut room);
    map.claim(0x20000, 0x10000, Kind::Usable).unwrap();
    map.claim(0x800, 0x3000, Kind::Usable).unwrap();
    map.claim(0x10000, 0x10000, Kind::LoaderReclaimable).unwrap();
    assert_eq!(map.take(0x2801, Kind::KernelAndModules), Ok(Some(0x20000)));
    assert_eq!(map.take(0x2000, Kind::KernelAndModules), Ok(Some(0x1000)));
    assert_eq!(map.take(0x1000, Kind::KernelAndModules), Ok(Some(0x23000)));
    assert_eq!(map.take(0x10000, Kind::KernelAndModules), Ok(None));
    assert_eq!(map.take(u64::MAX, Kind::KernelAndModules), Ok(None));
}

#[test]
fn a_range_is_known_by_both_its_ends() {
    let mut room = [Entry::NONE; 16];
    let mut map = Map::new(&mut room);
    map.claim(0x1000, 0x1000, Kind::Usable).unwrap();
    map.claim(0x2000, 0x1000, Kind::Reserved).unwrap();
    assert!(map.knows(0x1000, 0x2000) && map.knows(0x2fff, 1));
    assert!(!map.knows(0xfff, 0x10) && !map.knows(0x1000, 0x2001) && !map.knows(0x1000, 0));
    assert!(!map.knows(u64::MAX, 2));
}

#[test]
fn too_many_ranges_and_ranges_without_an_end_are_errors() {
    let mut room = [Entry::NONE; 2];
    let mut map = Map::new(&mut room);
    map.claim(0, 0x3000, Kind::Usable).unwrap();
    assert_eq!(map.claim(0x1000, 0x1000, Kind::Reserved), Err(MemoryError::TooMany));
    assert_eq!(map.claim(u64::MAX, 2, Kind::Usable), Err(MemoryError::BadRange));
    assert_eq!(map.keep_mapped(u64::MAX, 2), Err(MemoryError::BadRange));
}

const KINDS: [Kind; 4] =
    [Kind::Usable, Kind::Reserved, Kind::KernelAndModules, Kind::LoaderReclaimable];

proptest! {
    #[test]
    fn each_byte_has_the_use_of_its_last_claim(
        claims in proptest::collection::vec((0u64..64, 1u64..32, 0usize..4), 1..12),
    ) {
        // In pages, so that trimming takes nothing.
        let claims: Vec<_> =
            claims.iter().map(|&(base, length, kind)| (base, length, KINDS[kind])).collect();
        let scaled: Vec<_> =
            claims.iter().map(|&(base, length, kind)| (base * PAGE, length * PAGE, kind)).collect();
        let map = finish(&scaled);
        for page in 0..96 {
            let wanted = claims
                .iter()
                .rev()
                .find(|(base, length, _)| (*base..base + length).contains(&page))
                .map(|claim| claim.2);
            let found: Vec<_> = map
                .iter()
                .filter(|(start, end, _)| (*start..*end).contains(&(page * PAGE)))
                .map(|entry| entry.2)
                .collect();
            prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
        }
        prop_assert!(map.is_sorted_by(|a, b| a.1 <= b.0));
    }
}
