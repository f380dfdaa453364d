//! A Raspberry Pi 4 as it is known to be, for when nobody describes it: the one
//! exception to finding devices by description.
//!
//! It is put into words, as a device tree, so that nothing further on knows
//! the difference. Memory is what every board has and no VideoCore takes: the
//! first 512 MiB, without what firmware's stub and the cores that it holds lie
//! in. `helio run` gives QEMU, whose Raspberry Pi has no firmware, the same
//! tree.

/// Physical address of the PL011 behind pins 14 and 15.
pub const PL011: u64 = 0xfe20_1000;
/// Physical address of the watchdog.
pub const WATCHDOG: u64 = 0xfe10_0000;
/// Physical address of the pins' registers.
pub const GPIO: u64 = 0xfe20_0000;

/// MIDR_EL1 of a Cortex-A72, but for variant and revision; the processor of a
/// Raspberry Pi 4, and of few boards that are none.
const CORTEX_A72: u64 = 0x410f_d080;
const PART_FIELD: u64 = 0xff0f_fff0;

/// Whether a processor, by its MIDR_EL1, may be a Raspberry Pi 4's.
pub const fn is_likely(midr: u64) -> bool {
    midr & PART_FIELD == CORTEX_A72
}

/// The tree.
pub static TREE: Blob = Blob(blob());

/// A tree, where trees may begin.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct Blob(pub [u8; LENGTH]);

/// Memory that is described, in bytes, and how much of it is kept from use.
const MEMORY: u32 = 512 << 20;
const STUB: u64 = 512 << 10;

/// Everything in the tree.
const fn write() -> Writer {
    let mut tree = Writer::new();
    tree.open("");
    tree.strings("compatible", "raspberrypi,4-model-b\0brcm,bcm2711");
    tree.strings("model", "Raspberry Pi 4 Model B");
    tree.cells("#address-cells", &[2]);
    tree.cells("#size-cells", &[1]);
    tree.cells("interrupt-parent", &[GIC]);

    tree.open("chosen");
    tree.strings("stdout-path", "/soc/serial@7e201000:115200n8");
    tree.close();

    tree.open("memory@0");
    tree.strings("device_type", "memory");
    tree.cells("reg", &[0, 0, MEMORY]);
    tree.close();

    tree.open("timer");
    tree.strings("compatible", "arm,armv8-timer");
    let timers = &[1, 13, 0xf08, 1, 14, 0xf08, 1, 11, 0xf08, 1, 10, 0xf08];
    tree.cells("interrupts", timers);
    tree.close();

    tree.open("soc");
    tree.strings("compatible", "simple-bus");
    tree.cells("#address-cells", &[1]);
    tree.cells("#size-cells", &[1]);
    let peripherals = &[0x7e00_0000, 0, 0xfe00_0000, 0x0180_0000];
    let local = &[0x4000_0000, 0, 0xff80_0000, 0x0080_0000];
    tree.cells_of("ranges", &[peripherals, local]);

    tree.open("interrupt-controller@40041000");
    tree.strings("compatible", "arm,gic-400");
    tree.cells("interrupt-controller", &[]);
    tree.cells("#interrupt-cells", &[3]);
    tree.cells("reg", &[0x4004_1000, 0x1000, 0x4004_2000, 0x2000]);
    tree.cells("phandle", &[GIC]);
    tree.close();

    tree.device("mailbox@7e00b880", "brcm,bcm2835-mbox", &[0x7e00_b880, 0x40], 33);
    let watchdog = "brcm,bcm2711-pm\0brcm,bcm2835-pm-wdt";
    tree.device("watchdog@7e100000", watchdog, &[0x7e10_0000, 0x114], 0);
    tree.device("gpio@7e200000", "brcm,bcm2711-gpio", &[0x7e20_0000, 0xb4], 0);
    tree.device("serial@7e201000", "arm,pl011\0arm,primecell", &[0x7e20_1000, 0x200], 121);
    tree.device("serial@7e215040", "brcm,bcm2835-aux-uart", &[0x7e21_5040, 0x40], 93);
    tree.device("mmc@7e300000", "brcm,bcm2835-sdhci", &[0x7e30_0000, 0x100], 126);
    tree.device("mmc@7e340000", "brcm,bcm2711-emmc2", &[0x7e34_0000, 0x100], 126);
    tree.close();

    tree.close();
    tree
}

/// The interrupt controller's handle.
const GIC: u32 = 1;

/// Room for the two parts of the tree, in bytes.
const ROOM: usize = 2048;

/// Header, list of reservations with one and its end (Devicetree
/// Specification, 5.2 and 5.3).
const HEADER: usize = 40;
const RESERVATIONS: usize = 32;

const WRITTEN: Writer = write();
const LENGTH: usize = HEADER + RESERVATIONS + WRITTEN.structure.length + 4 + WRITTEN.names.length;

/// The parts put together.
const fn blob() -> [u8; LENGTH] {
    let mut out = Bytes::<LENGTH>::new();
    let structure = HEADER + RESERVATIONS;
    let names = structure + WRITTEN.structure.length + 4;
    out.word(0xd00d_feed);
    out.word(LENGTH as u32);
    out.word(structure as u32);
    out.word(names as u32);
    out.word(HEADER as u32);
    // This version, the oldest that it can be read as, the first processor.
    out.word(17);
    out.word(16);
    out.word(0);
    out.word(WRITTEN.names.length as u32);
    out.word(WRITTEN.structure.length as u32 + 4);
    out.word(0);
    out.word(0);
    out.word((STUB >> 32) as u32);
    out.word(STUB as u32);
    out.align(HEADER + RESERVATIONS);
    out.all(&WRITTEN.structure.bytes, WRITTEN.structure.length);
    out.word(END);
    out.all(&WRITTEN.names.bytes, WRITTEN.names.length);
    out.bytes
}

/// Tokens of the structure (5.4.1).
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const END: u32 = 9;

/// A tree that is being written, while the loader is compiled.
struct Writer {
    structure: Bytes<ROOM>,
    names: Bytes<ROOM>,
}

impl Writer {
    const fn new() -> Self {
        Self { structure: Bytes::new(), names: Bytes::new() }
    }

    const fn open(&mut self, name: &str) {
        self.structure.word(BEGIN_NODE);
        self.structure.text(name);
    }

    const fn close(&mut self) {
        self.structure.word(END_NODE);
    }

    const fn property(&mut self, name: &str, length: usize) {
        self.structure.word(PROPERTY);
        self.structure.word(length as u32);
        self.structure.word(self.names.length as u32);
        self.names.all(name.as_bytes(), name.len());
        self.names.byte(0);
    }

    /// One or more strings, with a zero between two.
    const fn strings(&mut self, name: &str, value: &str) {
        self.property(name, value.len() + 1);
        self.structure.text(value);
    }

    const fn cells(&mut self, name: &str, cells: &[u32]) {
        self.cells_of(name, &[cells]);
    }

    const fn cells_of(&mut self, name: &str, parts: &[&[u32]]) {
        let mut count = 0;
        let mut part = 0;
        while part < parts.len() {
            count += parts[part].len();
            part += 1;
        }
        self.property(name, 4 * count);
        part = 0;
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                self.structure.word(parts[part][at]);
                at += 1;
            }
            part += 1;
        }
    }

    /// A device with its registers and, if it is not 0, its shared interrupt.
    const fn device(&mut self, name: &str, compatible: &str, reg: &[u32], interrupt: u32) {
        self.open(name);
        self.strings("compatible", compatible);
        self.cells("reg", reg);
        if interrupt != 0 {
            // Triggered by a high level.
            self.cells("interrupts", &[0, interrupt, 4]);
        }
        self.close();
    }
}

/// Bytes that become more.
struct Bytes<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Bytes<N> {
    const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    const fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    const fn all(&mut self, bytes: &[u8], length: usize) {
        let mut at = 0;
        while at < length {
            self.byte(bytes[at]);
            at += 1;
        }
    }

    const fn word(&mut self, word: u32) {
        self.all(&word.to_be_bytes(), 4);
    }

    /// Text with its end, filled up to whole words.
    const fn text(&mut self, text: &str) {
        self.all(text.as_bytes(), text.len());
        self.byte(0);
        self.align(self.length.next_multiple_of(4));
    }

    const fn align(&mut self, length: usize) {
        self.length = length;
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use boot_contract::memory::{Entry, Kind, Map};

    use super::*;
    use crate::tree::{Console, Tree, Uart, length};

    #[test]
    fn the_known_board_is_a_tree_like_any_other() {
        assert_eq!(length(&TREE.0), Some(TREE.0.len()));
        let tree = Tree::read(&TREE.0).unwrap();
        assert!(tree.is_bcm2711());
        assert_eq!(tree.console(), Some(Console { uart: Uart::Pl011, address: PL011 }));
        assert_eq!(tree.watchdog(), Some(WATCHDOG));
        assert_eq!(tree.interrupt_controller(), Some((0xff84_1000, 0xff84_2000)));
        assert_eq!((tree.words(), tree.initrd(), tree.entropy()), (&b""[..], None, None));
        let mut room = [Entry::NONE; 8];
        let mut map = Map::new(&mut room);
        tree.describe(&mut map).unwrap();
        let ranges = map.finish().iter().map(|it| (it.base, it.end(), it.kind));
        let expected = [
            (0, STUB, Kind::Reserved),
            (STUB, MEMORY.into(), Kind::Usable),
            (0xfc00_0000, 1 << 32, Kind::Reserved),
        ];
        assert_eq!(ranges.collect::<vec::Vec<_>>(), expected);
    }

    #[test]
    fn the_processor_tells_what_the_board_may_be() {
        assert!(is_likely(0x410f_d083));
        // A Cortex-A53, and QEMU's `max`.
        assert!(!is_likely(0x410f_d034) && !is_likely(0x000f_0510));
    }
}
