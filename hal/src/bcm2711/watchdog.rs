//! Restart and power-off, by the watchdog of the power manager.
//!
//! Broadcom documents it nowhere; firmware, Linux (`bcm2835_wdt`) and QEMU
//! agree on this much. A board that is "off" so still has power: its
//! VideoCore halts.

use crate::registers::RegisterBlock;

/// Bytes of registers in use.
pub const LENGTH: u64 = 0x28;

/// Register offsets: how to restart, from which partition, and when.
const RESTART_CONTROL: u64 = 0x1c;
const RESTART_STATUS: u64 = 0x20;
const WATCHDOG: u64 = 0x24;

/// Each write must carry it.
const PASSWORD: u32 = 0x5a00_0000;
/// RESTART_CONTROL: what happens when the time is up, and a full restart.
const CONTROL_FIELD: u32 = 0x30;
const FULL_RESTART: u32 = 0x20;
/// RESTART_STATUS: the partition to start from, in every other bit; 63 says
/// not to start at all.
const PARTITION_FIELD: u32 = 0x555;
const HALT_PARTITION: u32 = 0x555;
/// Ticks of about 15 us: long enough to leave, too short to notice.
const SOON: u32 = 10;

/// The part of the power manager that is for restarts.
#[derive(Clone, Copy, Debug)]
pub struct Watchdog<R>(pub R);

impl<R: RegisterBlock> Watchdog<R> {
    /// Restarts the board. Returns before that.
    pub fn restart(&self) {
        self.choose(0);
        self.fire();
    }

    /// Has firmware halt the board. Returns before that.
    pub fn halt(&self) {
        self.choose(HALT_PARTITION);
        self.fire();
    }

    fn choose(&self, partition: u32) {
        let status = self.0.read(RESTART_STATUS) & !(0xff00_0000 | PARTITION_FIELD);
        self.0.write(RESTART_STATUS, PASSWORD | status | partition);
    }

    fn fire(&self) {
        self.0.write(WATCHDOG, PASSWORD | SOON);
        let control = self.0.read(RESTART_CONTROL) & !(0xff00_0000 | CONTROL_FIELD);
        self.0.write(RESTART_CONTROL, PASSWORD | control | FULL_RESTART);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Registers that only a write with the password reaches, and what reached
    /// them, in order.
    #[derive(Default)]
    struct Model {
        control: RefCell<u32>,
        status: RefCell<u32>,
        writes: RefCell<Vec<(u64, u32)>>,
    }

    impl RegisterBlock for &Model {
        fn read(&self, offset: u64) -> u32 {
            match offset {
                RESTART_CONTROL => *self.control.borrow(),
                RESTART_STATUS => *self.status.borrow(),
                _ => 0,
            }
        }

        fn write(&self, offset: u64, value: u32) {
            assert_eq!(value >> 24, 0x5a);
            self.writes.borrow_mut().push((offset, value & 0xff_ffff));
        }
    }

    #[test]
    fn a_restart_keeps_what_is_not_its_own() {
        let model = Model::default();
        *model.control.borrow_mut() = 0x5a00_0112;
        *model.status.borrow_mut() = 0x1555;
        Watchdog(&model).restart();
        let expected = [(RESTART_STATUS, 0x1000), (WATCHDOG, 10), (RESTART_CONTROL, 0x122)];
        assert_eq!(*model.writes.borrow(), expected);
    }

    #[test]
    fn to_halt_is_to_restart_from_partition_63() {
        let model = Model::default();
        Watchdog(&model).halt();
        let expected = [(RESTART_STATUS, 0x555), (WATCHDOG, 10), (RESTART_CONTROL, 0x20)];
        assert_eq!(*model.writes.borrow(), expected);
    }
}
