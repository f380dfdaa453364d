use std::vec::Vec;

use super::*;

/// An image: words, one behind the other.
fn image(parts: &[&[u64]]) -> Vec<u8> {
    parts.concat().iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn request(feature: Feature, extra: &[u64]) -> Vec<u64> {
    [COMMON.as_slice(), &feature.id(), extra].concat()
}

const TAG: [u64; 3] = [BASE_REVISION[0], BASE_REVISION[1], 6];

fn find(parts: &[&[u64]]) -> Result<Requests, RequestError> {
    Requests::find(&image(parts))
}

#[test]
fn requests_are_found_wherever_they_lie_on_a_boundary() {
    let requests = [request(Feature::Modules, &[0; 2]), request(Feature::DirectMap, &[0; 2])];
    let found = find(&[&[7], &requests[0], &[9, 9], &TAG, &requests[1]]).unwrap();
    assert_eq!(found.revision(), 6);
    assert!(found.has(Feature::Modules) && found.has(Feature::DirectMap));
    assert!(!found.has(Feature::MemoryMap));
}

#[test]
fn only_what_lies_between_the_markers_is_a_request() {
    let [inside, before, after] = [Feature::DirectMap, Feature::Rsdp, Feature::Modules]
        .map(|feature| request(feature, &[0; 2]));
    let parts: &[&[u64]] = &[&before, &START_MARKER, &TAG, &inside, &END_MARKER, &after];
    let found = find(parts).unwrap();
    assert!(found.has(Feature::DirectMap));
    assert!(!found.has(Feature::Rsdp) && !found.has(Feature::Modules));
    let early: &[&[u64]] = &[&START_MARKER, &before, &START_MARKER, &TAG, &END_MARKER];
    assert!(!find(early).unwrap().has(Feature::Rsdp), "the last start marker counts");
    assert_eq!(find(&[&END_MARKER, &START_MARKER, &TAG]).unwrap_err(), RequestError::Markers);
    assert_eq!(find(&[&TAG, &START_MARKER, &END_MARKER]).unwrap_err(), RequestError::NoRevision);
}

#[test]
fn revisions_outside_the_range_are_refused() {
    for revision in [0, 1, 2, 7, u64::MAX] {
        let tag = [BASE_REVISION[0], BASE_REVISION[1], revision];
        assert_eq!(find(&[&tag]).unwrap_err(), RequestError::Revision(revision));
    }
    for revision in REVISIONS {
        let tag = [BASE_REVISION[0], BASE_REVISION[1], revision];
        assert_eq!(find(&[&tag]).unwrap().revision(), revision);
    }
    assert_eq!(find(&[&[0; 9]]).unwrap_err(), RequestError::NoRevision);
    assert_eq!(find(&[&BASE_REVISION]).unwrap_err(), RequestError::NoRevision);
}

#[test]
fn the_same_request_twice_is_refused() {
    let twice = request(Feature::Rsdp, &[0; 2]);
    let error = find(&[&TAG, &twice, &twice]).unwrap_err();
    assert_eq!(error, RequestError::Twice(Feature::Rsdp));
}

#[test]
fn a_request_that_the_image_ends_within_is_refused() {
    for &feature in Feature::ALL {
        let words = feature.size() / 8 - 4;
        let cut = request(feature, &[0; 8][..words - 1]);
        assert_eq!(find(&[&TAG, &cut]).unwrap_err(), RequestError::CutOff(feature));
        let whole = request(feature, &[0; 8][..words]);
        assert!(find(&[&TAG, &whole]).unwrap().has(feature));
    }
}

#[test]
fn a_stack_has_whole_pages_and_at_least_what_the_protocol_says() {
    let size = |wanted| {
        find(&[&TAG, &request(Feature::StackSize, &[0, 0, wanted])]).map(|found| found.stack_size())
    };
    assert_eq!(find(&[&TAG]).unwrap().stack_size(), STACK_LEAST);
    assert_eq!(size(1), Ok(STACK_LEAST));
    assert_eq!(size(STACK_LEAST + 1), Ok(STACK_LEAST + PAGE));
    assert_eq!(size(STACK_MOST), Ok(STACK_MOST));
    assert_eq!(size(STACK_MOST + 1), Err(RequestError::Stack(STACK_MOST + 1)));
}

#[test]
fn a_kernel_that_needs_five_levels_is_refused() {
    let paging = |words: &[u64]| find(&[&TAG, &request(Feature::PagingMode, words)]).map(drop);
    assert_eq!(paging(&[0, 0, 1]), Ok(()), "revision 0 only prefers a mode");
    assert_eq!(paging(&[1, 0, 1, 1, 0]), Ok(()));
    assert_eq!(paging(&[1, 0, 1, 1, 1]), Err(RequestError::Paging));
}

#[test]
fn the_entry_point_is_taken_from_its_request() {
    let found = find(&[&TAG, &request(Feature::EntryPoint, &[0, 0, 77])]).unwrap();
    assert_eq!(found.entry(), Some(77));
    assert_eq!(find(&[&TAG]).unwrap().entry(), None);
}

#[test]
fn a_confirmed_tag_says_which_revision_was_used() {
    let mut image = image(&[&TAG]);
    Requests::find(&image).unwrap().confirm(&mut image).unwrap();
    assert_eq!(image, self::image(&[&[BASE_REVISION[0], 6, 0]]));
}
