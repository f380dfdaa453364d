use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::baud::{self, Pl011Divisor};
use super::bcm_mini::BcmMini;
use super::pl011::Pl011;
use super::*;
use crate::registers::RegisterBlock;

#[test]
fn a_pl011_divides_its_clock_to_within_a_64th() {
    let divisor = |whole, fraction| Some(Pl011Divisor { whole, fraction });
    // 48 MHz, what a Raspberry Pi 4's firmware sets: 26.0417.
    assert_eq!(baud::pl011(48_000_000, 115_200), divisor(26, 3));
    assert_eq!(baud::pl011(24_000_000, 115_200), divisor(13, 1));
    assert_eq!(baud::pl011(4_000_000, 230_400), divisor(1, 5));
    assert_eq!(baud::pl011(48_000_000, 9_600), divisor(312, 32));
    assert_eq!(baud::pl011(16 * 65_535 * 300, 300), divisor(65_535, 0));
}

#[test]
fn the_mini_uart_divides_its_clock_to_the_nearest_step() {
    assert_eq!(baud::bcm_mini(500_000_000, 115_200), Some(542));
    assert_eq!(baud::bcm_mini(250_000_000, 115_200), Some(270));
    assert_eq!(baud::bcm_mini(200_000_000, 9_600), Some(2_603));
}

#[test]
fn a_speed_that_a_clock_cannot_give_is_none() {
    for (clock, speed) in [(1_000_000, 115_200), (0, 115_200), (48_000_000, 0), (u32::MAX, 1)] {
        assert_eq!(baud::pl011(clock, speed), None, "{clock} {speed}");
        assert_eq!(baud::bcm_mini(clock, speed), None, "{clock} {speed}");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Pl011,
    Mini,
}

/// The registers of either UART: what was written is read back, but for the
/// data and what tells of it.
struct Model {
    kind: Kind,
    registers: RefCell<BTreeMap<u64, u32>>,
    sent: RefCell<Vec<u8>>,
    received: RefCell<VecDeque<u8>>,
    is_full: bool,
}

impl Model {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            registers: RefCell::default(),
            sent: RefCell::default(),
            received: RefCell::default(),
            is_full: false,
        }
    }

    fn register(&self, offset: u64) -> u32 {
        self.registers.borrow().get(&offset).copied().unwrap_or(0)
    }
}

impl RegisterBlock for &Model {
    fn read(&self, offset: u64) -> u32 {
        let is_empty = u32::from(self.received.borrow().is_empty());
        let is_full = u32::from(self.is_full);
        match (self.kind, offset) {
            (_, 0) => self.received.borrow_mut().pop_front().map_or(0, u32::from),
            (Kind::Pl011, 0x18) => is_empty << 4 | is_full << 5,
            (Kind::Mini, 0x14) => (1 - is_empty) | ((1 - is_full) << 5),
            _ => self.register(offset),
        }
    }

    fn write(&self, offset: u64, value: u32) {
        match offset {
            0 => self.sent.borrow_mut().push(value as u8),
            _ => drop(self.registers.borrow_mut().insert(offset, value)),
        }
    }
}

fn converses(uart: impl Uart, model: &Model) {
    uart.start();
    assert!(uart.can_send());
    b"ok".iter().for_each(|&byte| uart.send(byte));
    assert_eq!(*model.sent.borrow(), b"ok");
    assert_eq!(uart.receive(), None);
    model.received.borrow_mut().extend(b"hi");
    uart.acknowledge();
    let heard = [uart.receive(), uart.receive(), uart.receive()];
    assert_eq!(heard, [Some(b'h'), Some(b'i'), None]);
}

#[test]
fn both_uarts_send_and_receive() {
    let model = Model::new(Kind::Pl011);
    converses(Pl011(&model), &model);
    let model = Model::new(Kind::Mini);
    converses(BcmMini(&model), &model);
}

#[test]
fn the_mini_uart_is_asked_for_interrupts_by_all_the_bits_it_takes() {
    let model = Model::new(Kind::Mini);
    BcmMini(&model).enable_receive_interrupt();
    assert_eq!(model.register(0x04), 0b101);
    BcmMini(&model).start();
    assert_eq!(model.register(0x04), 0);
}

#[test]
fn a_full_uart_says_so() {
    for kind in [Kind::Pl011, Kind::Mini] {
        let model = Model { is_full: true, ..Model::new(kind) };
        let can_send = match kind {
            Kind::Pl011 => Pl011(&model).can_send(),
            Kind::Mini => BcmMini(&model).can_send(),
        };
        assert!(!can_send);
    }
}

#[test]
fn a_uart_in_use_keeps_its_speed_and_format() {
    let model = Model::new(Kind::Pl011);
    for (offset, value) in [(0x24, 26), (0x28, 3), (0x2c, 0x60), (0x30, 0x301)] {
        (&model).write(offset, value);
    }
    Pl011(&model).start();
    assert_eq!([0x24, 0x28, 0x2c, 0x30].map(|at| model.register(at)), [26, 3, 0x60, 0x301]);
    assert_eq!(model.register(0x38), 0);
}

#[test]
fn the_speed_is_set_while_the_uart_is_off_and_then_it_is_on() {
    let model = Model::new(Kind::Pl011);
    Pl011(&model).set_speed(Pl011Divisor { whole: 26, fraction: 3 });
    assert_eq!([0x24, 0x28, 0x2c, 0x30].map(|at| model.register(at)), [26, 3, 0x70, 0x301]);
    let model = Model::new(Kind::Mini);
    assert!(!BcmMini(&model).has_speed());
    BcmMini(&model).set_speed(542);
    assert!(BcmMini(&model).has_speed());
    assert_eq!([0x28, 0x0c, 0x20].map(|at| model.register(at)), [542, 3, 3]);
}
