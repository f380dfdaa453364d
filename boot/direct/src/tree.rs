//! What the loader needs of the device tree (Devicetree Specification, release
//! 0.4): memory, what of it is taken, `/chosen`, the console, and how to
//! switch off.
//!
//! The blob is outside data. `dtoolkit` checks its structure as a whole before
//! anything is read, and what it says is read with bounds.

use boot_contract::PAGE;
use boot_contract::memory::{Kind, Map, MemoryError};
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property};

/// Largest tree that is believed, in bytes.
const LENGTH_MAX: u32 = 16 << 20;

/// Nesting that is followed.
const DEPTH_MAX: usize = 12;

/// Bytes of entropy that are handed on.
const SEED: usize = 32;

/// How PSCI is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// `hvc`.
    Hypervisor,
    /// `smc`.
    Secure,
}

/// A device tree whose structure has been checked.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    tree: Fdt<'a>,
}

/// The length of a tree by the first eight bytes of its header.
pub fn length(header: &[u8]) -> Option<usize> {
    const MAGIC: [u8; 4] = [0xd0, 0x0d, 0xfe, 0xed];
    let length = header.get(4..)?.first_chunk().map(|word| u32::from_be_bytes(*word))?;
    (header.starts_with(&MAGIC) && length <= LENGTH_MAX).then_some(length as usize)
}

impl<'a> Tree<'a> {
    /// Checks a blob.
    pub fn read(blob: &'a [u8]) -> Option<Self> {
        Some(Self { tree: Fdt::new(blob).ok()? })
    }

    /// The words that whoever started the machine gave for the kernel.
    pub fn words(&self) -> &'a [u8] {
        self.chosen("bootargs").unwrap_or_default()
    }

    /// Where the initial RAM disk lies: first byte, and first byte after it.
    pub fn initrd(&self) -> Option<(u64, u64)> {
        let start = number(self.chosen("linux,initrd-start")?)?;
        let end = number(self.chosen("linux,initrd-end")?)?;
        (start < end).then_some((start, end))
    }

    /// Random bytes from whoever started the machine.
    pub fn entropy(&self) -> Option<&'a [u8]> {
        self.chosen("rng-seed")?.get(..SEED)
    }

    /// How to call PSCI, if it is there.
    pub fn conduit(&self) -> Option<Conduit> {
        const NAMES: [&str; 3] = ["arm,psci-1.0", "arm,psci-0.2", "arm,psci"];
        let root = self.tree.root();
        let is_psci = |node: &FdtNode<'a>| NAMES.iter().any(|name| node.is_compatible(name));
        let node = root.children().find(is_psci)?;
        match property(&node, "method")? {
            b"hvc\0" => Some(Conduit::Hypervisor),
            b"smc\0" => Some(Conduit::Secure),
            _ => None,
        }
    }

    /// Physical address of the PL011 that is the console: the one `/chosen`
    /// names, else the first there is.
    pub fn console(&self) -> Option<u64> {
        let named = self.stdout();
        let root = Bus { node: self.tree.root(), outer: None };
        let is_named = |node: &FdtNode<'a>| {
            // Nodes have no identity of their own; the name's place is one.
            named.is_some_and(|named| core::ptr::eq(named.name().as_ptr(), node.name().as_ptr()))
        };
        root.find(DEPTH_MAX, &is_named).or_else(|| root.find(DEPTH_MAX, &|_| true))
    }

    /// Enters all memory into a map, and what is not to be used of it.
    pub fn describe(&self, map: &mut Map<'_>) -> Result<(), MemoryError> {
        let root = self.tree.root();
        let is_memory = |node: &FdtNode<'a>| property(node, "device_type") == Some(b"memory\0");
        for node in root.children().filter(is_memory) {
            each_range(&node, &mut |base, size| map.claim(base, size, Kind::Usable))?;
        }
        let mut reserve = |base, size| claim_pages(map, base, size, Kind::Reserved);
        for node in self.tree.find_node("/reserved-memory").iter().flat_map(|node| node.children())
        {
            each_range(&node, &mut reserve)?;
        }
        for range in self.tree.memory_reservations() {
            reserve(range.address(), range.size())?;
        }
        Ok(())
    }

    fn chosen(&self, name: &str) -> Option<&'a [u8]> {
        property(&self.tree.find_node("/chosen")?, name)
    }

    fn stdout(&self) -> Option<FdtNode<'a>> {
        let named = self.chosen("stdout-path")?;
        let named = core::str::from_utf8(named).ok()?.trim_end_matches('\0').split(':').next()?;
        if named.starts_with('/') {
            return self.tree.find_node(named);
        }
        let path = property(&self.tree.find_node("/aliases")?, named)?;
        self.tree.find_node(core::str::from_utf8(path).ok()?.trim_end_matches('\0'))
    }
}

/// Claims the pages that a range touches.
pub fn claim_pages(map: &mut Map<'_>, base: u64, size: u64, kind: Kind) -> Result<(), MemoryError> {
    let first = base - base % PAGE;
    let end = base
        .checked_add(size)
        .and_then(|end| end.checked_next_multiple_of(PAGE))
        .ok_or(MemoryError::BadRange)?;
    map.claim(first, end - first, kind)
}

fn property<'a>(node: &FdtNode<'a>, name: &str) -> Option<&'a [u8]> {
    let property = node.properties().find(|property| property.name() == name)?;
    property.value_as().ok()
}

/// A number of one or two cells.
fn number(bytes: &[u8]) -> Option<u64> {
    match *bytes {
        [a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// Calls `visit` with each range of a node's `reg`. An empty one is no range.
fn each_range(
    node: &FdtNode<'_>,
    visit: &mut impl FnMut(u64, u64) -> Result<(), MemoryError>,
) -> Result<(), MemoryError> {
    let Ok(Some(ranges)) = node.reg() else { return Ok(()) };
    for range in ranges {
        if let (Ok(base), Ok(size)) = (range.address(), range.size::<u64>())
            && size > 0
        {
            visit(base, size)?;
        }
    }
    Ok(())
}

/// A node with children, and the one it is a child of.
struct Bus<'a, 'b> {
    node: FdtNode<'a>,
    outer: Option<&'b Bus<'a, 'b>>,
}

impl<'a> Bus<'a, '_> {
    /// The first PL011 that is wanted: its physical address.
    fn find(&self, depth: usize, is_wanted: &dyn Fn(&FdtNode<'a>) -> bool) -> Option<u64> {
        let depth = depth.checked_sub(1)?;
        self.node.children().find_map(|node| {
            if node.is_compatible("arm,pl011") && is_wanted(&node) {
                return self.translate(node.reg().ok()??.next()?.address().ok()?);
            }
            Bus { node, outer: Some(self) }.find(depth, is_wanted)
        })
    }

    /// An address on this bus as a physical address (section 2.3.8).
    fn translate(&self, address: u64) -> Option<u64> {
        let Some(outer) = self.outer else { return Some(address) };
        if property(&self.node, "ranges")?.is_empty() {
            return outer.translate(address);
        }
        let mut ranges = self.node.ranges().ok()??;
        let address = ranges.find_map(|range| {
            let offset = address.checked_sub(range.child_bus_address().ok()?)?;
            let inside = offset < range.length().ok()?;
            range.parent_bus_address::<u64>().ok()?.checked_add(offset).filter(|_| inside)
        })?;
        outer.translate(address)
    }
}

#[cfg(test)]
mod tests;
