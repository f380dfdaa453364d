#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! A device tree, checked as a whole before anything is read from it
//! (Devicetree Specification, release 0.4, chapter 5).
//!
//! `dtoolkit` does that, and reads nothing beyond what it has checked. But it
//! takes a name of more than 31 characters, or with others than the
//! specification lists, for damage, and boards are delivered with such: trees
//! of the Raspberry Pi 4 had `arm,cpu-registers-not-fw-configured` in them for
//! years. Where a name is all that is wrong, the rest is checked here.

#[cfg(test)]
extern crate std;

use core::ffi::CStr;

use dtoolkit::error::{FdtErrorKind, FdtParseError};
use dtoolkit::fdt::Fdt;

/// Fields of the header that say where things are, by their offsets.
const STRUCTURE: usize = 8;
const STRINGS: usize = 12;
const STRINGS_SIZE: usize = 32;

/// Tokens of the structure (5.4.1).
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOTHING: u32 = 4;
const END: u32 = 9;

/// Checks a blob, which has exactly the length that its header states.
///
/// # Errors
/// What is wrong first. Names are wrong only where something else is, too.
pub fn open(blob: &[u8]) -> Result<Fdt<'_>, FdtParseError> {
    let tree = Fdt::new(blob);
    match &tree {
        Err(error) if is_about_names(error) && is_whole(blob).is_some() => {
            Ok(Fdt::new_unchecked(blob))
        }
        _ => tree,
    }
}

/// Whether all that comes before the structure, and the structure up to a name,
/// is as it must be.
fn is_about_names(error: &FdtParseError) -> bool {
    matches!(error.kind, FdtErrorKind::InvalidNodeName | FdtErrorKind::InvalidPropertyName)
}

/// Whether the structure is in order, but for the characters of names.
fn is_whole(blob: &[u8]) -> Option<()> {
    let strings = word(blob, STRINGS)?;
    let strings = blob.get(strings..strings.checked_add(word(blob, STRINGS_SIZE)?)?)?;
    let mut at = word(blob, STRUCTURE)?;
    let mut depth = 0_usize;
    // Properties come before children.
    let mut may_have_properties = false;
    loop {
        let token = word(blob, at)?;
        at += 4;
        match token as u32 {
            BEGIN_NODE => {
                let name = text(blob, at)?;
                if name.is_empty() != (depth == 0) {
                    return None;
                }
                at = (at + name.len() + 1).next_multiple_of(4);
                depth += 1;
                may_have_properties = true;
            }
            PROPERTY if may_have_properties => {
                let length = word(blob, at)?;
                text(strings, word(blob, at + 4)?)?;
                let end = (at + 8).checked_add(length).filter(|&end| end <= blob.len())?;
                at = end.next_multiple_of(4);
            }
            END_NODE => {
                depth = depth.checked_sub(1)?;
                may_have_properties = false;
                if depth == 0 {
                    return (word(blob, at)? as u32 == END).then_some(());
                }
            }
            NOTHING => {}
            _ => return None,
        }
    }
}

/// The big-endian number at an offset.
fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))?;
    usize::try_from(number).ok()
}

/// The text at an offset, which ends with a zero byte.
fn text(bytes: &[u8], at: usize) -> Option<&str> {
    CStr::from_bytes_until_nul(bytes.get(at..)?).ok()?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
    use dtoolkit::standard::NodeStandard;
    use dtoolkit::{Node, Property};
    use proptest::prelude::*;

    use super::*;

    /// A tree with names that the specification does not allow.
    fn tree() -> Vec<u8> {
        let mut tree = DeviceTree::new();
        let long = "arm,cpu-registers-not-fw-configured";
        let mut timer = DeviceTreeNode::new("timer").unwrap();
        timer.add_property(DeviceTreeProperty::new("compatible", "arm,armv8-timer").unwrap());
        timer.add_property(DeviceTreeProperty::new_unchecked(long, [0_u8; 0].as_slice()));
        tree.root.add_child(timer);
        let mut other = DeviceTreeNode::new_unchecked("a-node-with-a-name-of-more-than-31@0");
        other.add_property(DeviceTreeProperty::new("reg", &[1_u32, 2][..]).unwrap());
        other.add_child(DeviceTreeNode::new_unchecked("gpio#1"));
        tree.root.add_child(other);
        tree.to_dtb()
    }

    /// Looks at everything.
    fn read(node: &dtoolkit::fdt::FdtNode<'_>) -> usize {
        let bytes: usize = node.properties().map(|it| it.name().len() + it.value().len()).sum();
        bytes + node.children().map(|child| child.name().len() + read(&child)).sum::<usize>()
    }

    #[test]
    fn a_tree_with_long_names_is_read() {
        let blob = tree();
        assert!(Fdt::new(&blob).is_err());
        let tree = open(&blob).unwrap();
        assert!(tree.find_node("/timer").unwrap().is_compatible("arm,armv8-timer"));
        assert_eq!(read(&tree.root()), 10 + 16 + 35 + 3 + 8 + 5 + 36 + 6);
    }

    #[test]
    fn a_tree_with_long_names_that_ends_early_is_refused_wherever_it_ends() {
        let whole = tree();
        let structure = word(&whole, STRUCTURE).unwrap();
        for end in 0..whole.len() {
            assert!(open(&whole[..end]).is_err(), "{end}");
            // With a header that was made to fit.
            let mut fitted = whole[..end].to_vec();
            if let Some(field) = fitted.get_mut(4..8) {
                field.copy_from_slice(&(end as u32).to_be_bytes());
            }
            assert!(open(&fitted).is_err(), "{end}");
        }
        // The end of the structure is not where it should be.
        let end = whole.windows(4).rposition(|it| it == END.to_be_bytes()).unwrap();
        assert!(end > structure);
        for token in [BEGIN_NODE, END_NODE, PROPERTY, NOTHING, 0, u32::MAX] {
            let mut blob = whole.clone();
            blob[end..end + 4].copy_from_slice(&token.to_be_bytes());
            assert!(open(&blob).is_err(), "{token}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_read_without_a_panic(
            changes in proptest::collection::vec((0..tree().len(), any::<u8>()), 1..8),
        ) {
            let mut blob = tree();
            for (at, byte) in changes {
                blob[at] = byte;
            }
            if let Ok(tree) = open(&blob) {
                read(&tree.root());
                tree.memory_reservations().count();
            }
        }
    }
}
