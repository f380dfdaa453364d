//! Arm Generic Interrupt Controller, version 2 (Arm IHI 0048B).
//!
//! Small and our own: `arm-gic` has a driver too, but in 0.10 it cannot route
//! a shared interrupt to a processor (ITARGETSR), clears the priorities of an
//! interrupt's three neighbours with its own, and acknowledges group 1 by
//! registers that the non-secure state cannot reach. Its GICv3 half is used
//! in [`super::gic3`].

use super::registers::Registers;

/// Distributor registers ("Distributor register map").
const CONTROL: u64 = 0x000;
const TYPE: u64 = 0x004;
const GROUP: u64 = 0x080;
const SET_ENABLE: u64 = 0x100;
const CLEAR_ENABLE: u64 = 0x180;
const CLEAR_PENDING: u64 = 0x280;
const PRIORITY: u64 = 0x400;
const TARGET: u64 = 0x800;
const CONFIGURATION: u64 = 0xc00;

/// CPU interface registers ("CPU interface register map").
const CPU_CONTROL: u64 = 0x00;
const CPU_PRIORITY_MASK: u64 = 0x04;
const CPU_ACKNOWLEDGE: u64 = 0x0c;
const CPU_END: u64 = 0x10;

/// In both control registers: group 1 in the non-secure view, group 0 where
/// there is one security state. Either way the interrupts used here, as IRQ.
const ENABLE: u32 = 1;
/// In the middle, below the mask in either view.
const ORDINARY_PRIORITY: u8 = 0x80;
/// Lets every priority but the lowest through.
const MASK_NOTHING: u32 = 0xff;
/// Interrupt numbers from here on are special: none pending.
const SPECIAL: u32 = 1020;
/// First interrupt that is not private to a processor.
const FIRST_SHARED: u32 = 32;

/// Distributor and CPU interface.
#[derive(Clone, Copy)]
pub struct Gic2 {
    distributor: Registers,
    interface: Registers,
}

impl Gic2 {
    /// Disables and forgets what the firmware left, and lets interrupts that
    /// are enabled later through to this processor.
    pub fn start(distributor: Registers, interface: Registers) -> Self {
        let gic = Self { distributor, interface };
        distributor.write(CONTROL, 0);
        // ITLinesNumber: 32 interrupts each, plus the private ones.
        let words = u64::from(distributor.read(TYPE) & 0x1f) + 1;
        for word in 0..words {
            distributor.write(CLEAR_ENABLE + 4 * word, u32::MAX);
            distributor.write(CLEAR_PENDING + 4 * word, u32::MAX);
        }
        interface.write(CPU_PRIORITY_MASK, MASK_NOTHING);
        interface.write(CPU_CONTROL, ENABLE);
        distributor.write(CONTROL, ENABLE);
        gic
    }

    /// Lets one interrupt through to this processor, triggered by its level.
    pub fn enable(&self, line: u32) {
        let (word, bit) = (4 * u64::from(line / 32), 1 << (line % 32));
        let group = self.distributor.read(GROUP + word);
        self.distributor.write(GROUP + word, group & !bit);
        self.distributor.write_byte(PRIORITY + u64::from(line), ORDINARY_PRIORITY);
        if line >= FIRST_SHARED {
            // The first of these registers names the processor that reads it;
            // with a single processor they read as zero and need no value.
            let this = self.distributor.read(TARGET) as u8;
            if this != 0 {
                self.distributor.write_byte(TARGET + u64::from(line), this);
            }
            let (word, edge) = (4 * u64::from(line / 16), 0b10 << (2 * (line % 16)));
            let configuration = self.distributor.read(CONFIGURATION + word);
            self.distributor.write(CONFIGURATION + word, configuration & !edge);
        }
        self.distributor.write(SET_ENABLE + word, bit);
    }

    /// Takes the pending interrupt of highest priority: a token for
    /// [`Gic2::end`], whose low ten bits are the interrupt.
    pub fn acknowledge(&self) -> Option<u32> {
        let token = self.interface.read(CPU_ACKNOWLEDGE);
        (token & 0x3ff < SPECIAL).then_some(token)
    }

    /// Has dealt with what [`Gic2::acknowledge`] gave.
    pub fn end(&self, token: u32) {
        self.interface.write(CPU_END, token);
    }
}
