//! Devices in a flattened device tree (Devicetree Specification, release 0.4).
//!
//! The blob comes from firmware or from whoever started the emulator, so it
//! is outside data: [`flat_tree`] checks its structure as a whole before
//! anything is read, and what it says is read with bounds, never trusted to
//! be sensible. A damaged tree gives an error or fewer devices, not a panic.
//!
//! Nothing here allocates, so that a console can be found before there is a
//! heap.

use core::ops::ControlFlow;

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property};

/// Nesting that is followed: real trees have at most 6 levels, and walking
/// costs stack.
const MAX_DEPTH: usize = 12;

/// Register ranges and interrupts kept of one device.
const MAX_PARTS: usize = 8;

/// Bytes of the header's `magic` and `totalsize` (section 5.2).
const SIZE_FIELD: core::ops::Range<usize> = 4..8;

/// The blob is not a device tree, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// A range of device registers, in physical addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub base: u64,
    /// Length in bytes, as the tree says; may be 0.
    pub size: u64,
}

/// An interrupt specifier of three cells, as Arm's interrupt controllers take
/// (Linux binding `arm,gic`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Specifier {
    /// 0 shared (SPI), 1 private to a processor (PPI).
    pub kind: u32,
    /// Number within its kind.
    pub number: u32,
    /// Trigger: 1 or 2 edge, 4 or 8 level, in the low four bits.
    pub flags: u32,
}

impl Specifier {
    /// The number the controller itself uses: private ones begin at 16,
    /// shared ones at 32. `None` for other kinds and beyond 1019.
    pub fn line(&self) -> Option<u32> {
        let first = match self.kind {
            0 => 32,
            1 => 16,
            _ => return None,
        };
        self.number.checked_add(first).filter(|line| *line < 1020)
    }
}

/// What the tree says of one device.
#[derive(Clone, Copy)]
pub struct Device<'a> {
    node: FdtNode<'a>,
    regions: [Region; MAX_PARTS],
    region_count: usize,
    interrupt_parent: Option<u32>,
}

impl<'a> Device<'a> {
    /// Its node's name with the unit address.
    pub fn name(&self) -> &'a str {
        self.node.name()
    }

    /// Its registers in the order of `reg`, translated through the buses
    /// above it. Ends before the first one that the processor cannot reach.
    pub fn regions(&self) -> &[Region] {
        self.regions.get(..self.region_count).unwrap_or_default()
    }

    /// Interrupt `index` of its `interrupts`, if that has three cells each.
    pub fn interrupt(&self, index: usize) -> Option<Specifier> {
        let property = self.node.property("interrupts")?;
        let start = index.checked_mul(12)?;
        let cells = property.value().get(start..start.checked_add(12)?)?;
        Some(Specifier { kind: cell(cells, 0)?, number: cell(cells, 1)?, flags: cell(cells, 2)? })
    }

    /// Handle of the controller its interrupts go to.
    pub fn interrupt_parent(&self) -> Option<u32> {
        self.interrupt_parent
    }

    /// Its own handle.
    pub fn handle(&self) -> Option<u32> {
        self.node.phandle().ok().flatten()
    }

    /// A property that is one string.
    pub fn text(&self, property: &str) -> Option<&'a str> {
        text(&self.node, property)
    }

    /// A property that is one cell.
    pub fn number(&self, property: &str) -> Option<u32> {
        number(&self.node, property)
    }

    /// Whether `compatible` lists a name.
    pub fn is_compatible(&self, name: &str) -> bool {
        self.node.is_compatible(name)
    }

    fn is_usable(&self) -> bool {
        matches!(self.text("status"), None | Some("okay" | "ok"))
    }
}

/// A device tree whose structure has been checked.
#[derive(Clone, Copy)]
pub struct DeviceTree<'a> {
    fdt: Fdt<'a>,
}

impl<'a> DeviceTree<'a> {
    /// Checks a blob. Bytes after the tree's own length are ignored.
    pub fn new(blob: &'a [u8]) -> Result<Self, Damaged> {
        let size = blob.get(SIZE_FIELD).and_then(|field| cell(field, 0)).ok_or(Damaged)?;
        let blob = blob.get(..size as usize).ok_or(Damaged)?;
        let fdt = flat_tree::open(blob).map_err(|_| Damaged)?;
        Ok(Self { fdt })
    }

    /// Whether the root's `compatible` lists a name: which board this is.
    pub fn is_board(&self, name: &str) -> bool {
        self.fdt.root().is_compatible(name)
    }

    /// The board's name for people.
    pub fn model(&self) -> Option<&'a str> {
        text(&self.fdt.root(), "model")
    }

    /// Calls `visit` for each usable device that is compatible with one of
    /// `names`, in the order of the tree, until it breaks.
    pub fn each(&self, names: &[&str], mut visit: impl FnMut(&Device<'a>) -> ControlFlow<()>) {
        let _ = self.walk(&mut |device| {
            if names.iter().any(|name| device.is_compatible(name)) && device.is_usable() {
                visit(device)
            } else {
                ControlFlow::Continue(())
            }
        });
    }

    /// The first usable device that is compatible with one of `names`.
    pub fn first(&self, names: &[&str]) -> Option<Device<'a>> {
        let mut found = None;
        self.each(names, |device| {
            found = Some(*device);
            ControlFlow::Break(())
        });
        found
    }

    /// The device that `/chosen` names for console output: `stdout-path`, a
    /// path or an alias, with settings after a colon (section 3.6); if it is
    /// usable.
    pub fn stdout(&self) -> Option<Device<'a>> {
        let chosen = self.fdt.find_node("/chosen")?;
        let named = text(&chosen, "stdout-path").or_else(|| text(&chosen, "linux,stdout-path"))?;
        let named = named.split(':').next()?;
        let path = if named.starts_with('/') {
            named
        } else {
            text(&self.fdt.find_node("/aliases")?, named)?
        };
        let wanted = self.fdt.find_node(path)?;
        // Nodes have no identity of their own; the name's place in the blob
        // is one.
        let place = wanted.name().as_ptr();
        let mut found = None;
        let _ = self.walk(&mut |device| {
            if device.name().as_ptr() == place {
                found = Some(*device);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        found.filter(Device::is_usable)
    }

    fn walk(&self, visit: &mut dyn FnMut(&Device<'a>) -> ControlFlow<()>) -> ControlFlow<()> {
        let root = self.fdt.root();
        let parent = number(&root, "interrupt-parent");
        Bus { outer: None, node: root, interrupt_parent: parent }.walk(MAX_DEPTH, visit)
    }
}

/// A node with children, and the buses it hangs from.
struct Bus<'a, 'b> {
    outer: Option<&'b Bus<'a, 'b>>,
    node: FdtNode<'a>,
    interrupt_parent: Option<u32>,
}

impl<'a> Bus<'a, '_> {
    fn walk(
        &self,
        depth: usize,
        visit: &mut dyn FnMut(&Device<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(depth) = depth.checked_sub(1) else { return ControlFlow::Continue(()) };
        for node in self.node.children() {
            let interrupt_parent = number(&node, "interrupt-parent").or(self.interrupt_parent);
            let mut device =
                Device { node, regions: Default::default(), region_count: 0, interrupt_parent };
            self.read_regions(&mut device);
            visit(&device)?;
            Bus { outer: Some(self), node, interrupt_parent }.walk(depth, visit)?;
        }
        ControlFlow::Continue(())
    }

    fn read_regions(&self, device: &mut Device<'a>) {
        let Ok(Some(registers)) = device.node.reg() else { return };
        for (register, slot) in registers.zip(&mut device.regions) {
            let (Ok(address), Ok(size)) = (register.address(), register.size()) else { return };
            let Some(base) = self.translate(address) else { return };
            *slot = Region { base, size };
            device.region_count += 1;
        }
    }

    /// An address on this bus as a physical address (section 2.3.8): through
    /// the `ranges` of each bus up to the root. Without that property nothing
    /// below can be reached; an empty one means equal addresses.
    fn translate(&self, address: u64) -> Option<u64> {
        let mut bus = self;
        let mut address = address;
        while let Some(outer) = bus.outer {
            let empty = bus.node.property("ranges")?.value().is_empty();
            if !empty {
                let mut ranges = bus.node.ranges().ok()??;
                address = ranges.find_map(|range| {
                    let offset = address.checked_sub(range.child_bus_address().ok()?)?;
                    let length: u64 = range.length().ok()?;
                    if offset >= length {
                        return None;
                    }
                    range.parent_bus_address::<u64>().ok()?.checked_add(offset)
                })?;
            }
            bus = outer;
        }
        Some(address)
    }
}

fn text<'a>(node: &FdtNode<'a>, property: &str) -> Option<&'a str> {
    let property = node.properties().find(|candidate| candidate.name() == property)?;
    property.value_as::<&'a str>().ok()
}

fn number(node: &FdtNode<'_>, property: &str) -> Option<u32> {
    node.property(property)?.value_as().ok()
}

/// Big-endian cell `index` of some bytes.
fn cell(bytes: &[u8], index: usize) -> Option<u32> {
    let start = index.checked_mul(4)?;
    let bytes = bytes.get(start..start.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
