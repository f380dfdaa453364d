//! What the loader needs of the device tree (Devicetree Specification, release
//! 0.4): memory, what of it is taken, `/chosen`, the console, and how to
//! switch off.
//!
//! A node that is disabled is as good as none: it may be another processor's,
//! or of the secure side. The kernel reads the same trees by code of its own,
//! in which a tree says more; that both find the same is tested there
//! (`hal/src/aarch64/describe.rs`).
//!
//! The blob is outside data. [`flat_tree`] checks its structure as a whole before
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

/// Kinds of UARTs that the loader can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uart {
    /// A PL011.
    Pl011,
    /// The mini-UART of a BCM2711.
    Mini,
}

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Console {
    /// What it is.
    pub uart: Uart,
    /// Physical address of its registers.
    pub address: u64,
}

impl Uart {
    const ALL: [Self; 2] = [Self::Pl011, Self::Mini];

    /// What trees call it.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Pl011 => &["arm,pl011", "arm,sbsa-uart"],
            Self::Mini => &["brcm,bcm2835-aux-uart"],
        }
    }
}

/// Physical addresses of a BCM2711 that are not to be used, whatever is said of
/// memory: the first, and how many. On the first page firmware's stub holds
/// cores 1 to 3, and a tree that was taken from a running system says nothing
/// of it; at the others are devices.
const KEPT: [(u64, u64); 2] = [(0, PAGE), (0xfc00_0000, 0x0400_0000)];

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
        Some(Self { tree: flat_tree::open(blob).ok()? })
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
        // Version 0.1, `arm,psci`, has numbers of its own, and no call to switch
        // off.
        const NAMES: [&str; 2] = ["arm,psci-1.0", "arm,psci-0.2"];
        match self.first(&NAMES, |_, node| property(node, "method"))? {
            b"hvc\0" => Some(Conduit::Hypervisor),
            b"smc\0" => Some(Conduit::Secure),
            _ => None,
        }
    }

    /// The UART for messages: the one that the word `uart=` wants, else the one
    /// that `/chosen` names, else the first PL011 there is.
    pub fn console(&self) -> Option<Console> {
        let first = |uart: Uart| Some(Console { uart, address: self.device(uart.names(), 0)? });
        self.wanted().and_then(first).or_else(|| self.named()).or_else(|| first(Uart::Pl011))
    }

    /// Whether it is a board with a BCM2711.
    pub fn is_bcm2711(&self) -> bool {
        self.tree.root().is_compatible("brcm,bcm2711")
    }

    /// Physical address of a BCM2711's watchdog.
    pub fn watchdog(&self) -> Option<u64> {
        self.device(&["brcm,bcm2835-pm-wdt"], 0)
    }

    /// Physical addresses of a GICv2's distributor and CPU interface.
    pub fn interrupt_controller(&self) -> Option<(u64, u64)> {
        const NAMES: [&str; 4] =
            ["arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a7-gic", "arm,gic-v2"];
        Some((self.device(&NAMES, 0)?, self.device(&NAMES, 1)?))
    }

    /// The UART that the command line wants.
    fn wanted(&self) -> Option<Uart> {
        let mut words = self.words().split(|byte| byte.is_ascii_whitespace() || *byte == 0);
        let value = |word: &'a [u8]| match word.strip_prefix(b"uart")? {
            [] => Some(&[][..]),
            rest => rest.strip_prefix(b"="),
        };
        match words.find_map(value)? {
            b"pl011" => Some(Uart::Pl011),
            b"mini" => Some(Uart::Mini),
            _ => None,
        }
    }

    /// The UART that `/chosen` names.
    fn named(&self) -> Option<Console> {
        let named = self.stdout()?;
        let is_one = |uart: &Uart| is_any(&named, uart.names());
        let uart = Uart::ALL.into_iter().find(is_one)?;
        // Nodes have no identity of their own; the name's place is one.
        let is_named =
            |node: &FdtNode<'a>| core::ptr::eq(named.name().as_ptr(), node.name().as_ptr());
        let address = self.find(&is_named, &|bus, node| bus.part(node, 0))?;
        Some(Console { uart, address })
    }

    /// Physical address of part `index` of the registers of the first device of
    /// one of these names.
    fn device(&self, names: &[&str], index: usize) -> Option<u64> {
        self.first(names, |bus, node| bus.part(node, index))
    }

    /// What `look` finds in the first device of one of these names.
    fn first<T>(
        &self,
        names: &[&str],
        look: impl Fn(&Bus<'a, '_>, &FdtNode<'a>) -> Option<T>,
    ) -> Option<T> {
        self.find(&|node| is_any(node, names), &look)
    }

    fn find<T>(
        &self,
        is_wanted: &dyn Fn(&FdtNode<'a>) -> bool,
        look: &dyn Fn(&Bus<'a, '_>, &FdtNode<'a>) -> Option<T>,
    ) -> Option<T> {
        let root = Bus { node: self.tree.root(), outer: None };
        root.find(DEPTH_MAX, is_wanted, look).flatten()
    }

    /// Enters all memory into a map, and what is not to be used of it.
    pub fn describe(&self, map: &mut Map<'_>) -> Result<(), MemoryError> {
        let root = self.tree.root();
        let is_memory = |node: &FdtNode<'a>| {
            property(node, "device_type") == Some(b"memory\0") && is_usable(node)
        };
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
        if self.is_bcm2711() {
            KEPT.iter().try_for_each(|&(base, size)| reserve(base, size))?;
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

/// Whether `compatible` lists one of these names.
fn is_any(node: &FdtNode<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| node.is_compatible(name))
}

/// Whether a node is for this side of the machine (section 2.3.4).
fn is_usable(node: &FdtNode<'_>) -> bool {
    matches!(property(node, "status"), None | Some(b"okay\0" | b"ok\0"))
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
    /// What `look` finds in the first usable node that is wanted, if there is
    /// such a node.
    fn find<T>(
        &self,
        depth: usize,
        is_wanted: &dyn Fn(&FdtNode<'a>) -> bool,
        look: &dyn Fn(&Bus<'a, '_>, &FdtNode<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        let depth = depth.checked_sub(1)?;
        self.node.children().find_map(|node| {
            if is_wanted(&node) && is_usable(&node) {
                return Some(look(self, &node));
            }
            Bus { node, outer: Some(self) }.find(depth, is_wanted, look)
        })
    }

    /// Physical address of part `index` of the registers of a node on this bus.
    fn part(&self, node: &FdtNode<'a>, index: usize) -> Option<u64> {
        self.translate(node.reg().ok()??.nth(index)?.address().ok()?)
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
