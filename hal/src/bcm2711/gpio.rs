//! Pins: what they do, their pull, and their level (BCM2711 ARM Peripherals,
//! chapter 5).

use crate::registers::RegisterBlock;

/// Bytes of registers. Trees say less: they leave out the pulls.
pub const LENGTH: u64 = 0xf4;

/// Number of pins.
pub const PINS: u8 = 58;

/// Register offsets of the first of each kind.
const FUNCTION: u64 = 0x00;
const SET: u64 = 0x1c;
const CLEAR: u64 = 0x28;
const LEVEL: u64 = 0x34;
const PULL: u64 = 0xe4;

/// What a pin does, by its number in the registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table in 5.3 says what each is on which pin")]
pub enum Function {
    Input = 0,
    Output = 1,
    Alternate0 = 4,
    Alternate1 = 5,
    Alternate2 = 6,
    Alternate3 = 7,
    Alternate4 = 3,
    Alternate5 = 2,
}

/// A pin's resistor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the definitions")]
pub enum Pull {
    None = 0,
    Up = 1,
    Down = 2,
}

/// There is no such pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchPin(pub u8);

/// The pins.
#[derive(Clone, Copy, Debug)]
pub struct Gpio<R>(pub R);

impl<R: RegisterBlock> Gpio<R> {
    /// Gives a pin a function.
    pub fn set_function(&self, pin: u8, function: Function) -> Result<(), NoSuchPin> {
        self.set_field(FUNCTION, pin, 10, 3, function as u32)
    }

    /// Gives a pin a resistor, or takes it away.
    pub fn set_pull(&self, pin: u8, pull: Pull) -> Result<(), NoSuchPin> {
        self.set_field(PULL, pin, 16, 2, pull as u32)
    }

    /// Drives a pin that is an output.
    pub fn set_level(&self, pin: u8, is_high: bool) -> Result<(), NoSuchPin> {
        let pin = u64::from(checked(pin)?);
        let first = if is_high { SET } else { CLEAR };
        self.0.write(first + 4 * (pin / 32), 1 << (pin % 32));
        Ok(())
    }

    /// Whether a pin is high.
    pub fn is_high(&self, pin: u8) -> Result<bool, NoSuchPin> {
        let pin = u64::from(checked(pin)?);
        Ok(self.0.read(LEVEL + 4 * (pin / 32)) >> (pin % 32) & 1 != 0)
    }

    /// Changes a pin's field in registers of `per_register` fields of `bits`.
    fn set_field(
        &self,
        first: u64,
        pin: u8,
        per_register: u64,
        bits: u32,
        value: u32,
    ) -> Result<(), NoSuchPin> {
        let pin = u64::from(checked(pin)?);
        let offset = first + 4 * (pin / per_register);
        let shift = (pin % per_register) as u32 * bits;
        let mask = ((1 << bits) - 1) << shift;
        self.0.write(offset, self.0.read(offset) & !mask | value << shift);
        Ok(())
    }
}

fn checked(pin: u8) -> Result<u8, NoSuchPin> {
    if pin < PINS { Ok(pin) } else { Err(NoSuchPin(pin)) }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Model(RefCell<[u32; 64]>);

    impl RegisterBlock for &Model {
        fn read(&self, offset: u64) -> u32 {
            self.0.borrow()[offset as usize / 4]
        }

        fn write(&self, offset: u64, value: u32) {
            self.0.borrow_mut()[offset as usize / 4] = value;
        }
    }

    #[test]
    fn a_pins_field_changes_and_no_other() {
        let model = Model(RefCell::new([u32::MAX; 64]));
        let gpio = Gpio(&model);
        // The console's pins: 14 sends, 15 receives.
        gpio.set_function(14, Function::Alternate0).unwrap();
        gpio.set_function(15, Function::Alternate5).unwrap();
        gpio.set_pull(15, Pull::Up).unwrap();
        let registers = model.0.borrow();
        assert_eq!(registers[1], !(7 << 12 | 7 << 15) | 4 << 12 | 2 << 15);
        assert_eq!(registers[0xe4 / 4], !(3 << 30) | 1 << 30);
        assert_eq!(registers.iter().filter(|&&it| it != u32::MAX).count(), 2);
    }

    #[test]
    fn levels_are_set_and_cleared_by_registers_of_their_own() {
        let model = Model(RefCell::new([0; 64]));
        let gpio = Gpio(&model);
        gpio.set_level(42, true).unwrap();
        gpio.set_level(3, false).unwrap();
        assert_eq!(model.0.borrow()[0x20 / 4], 1 << 10);
        assert_eq!(model.0.borrow()[0x28 / 4], 1 << 3);
        model.0.borrow_mut()[0x38 / 4] = 1 << 10;
        assert_eq!((gpio.is_high(42), gpio.is_high(41)), (Ok(true), Ok(false)));
    }

    #[test]
    fn there_are_58_pins() {
        let model = Model(RefCell::new([0; 64]));
        assert_eq!(Gpio(&model).set_function(57, Function::Output), Ok(()));
        assert_eq!(Gpio(&model).set_function(58, Function::Output), Err(NoSuchPin(58)));
        assert_eq!(Gpio(&model).is_high(255), Err(NoSuchPin(255)));
    }
}
