//! Parts of Broadcom's BCM2711, the chip of the Raspberry Pi 4, that nobody
//! else has (BCM2711 ARM Peripherals, release of 2020-10-16, and the firmware's
//! documentation of its mailbox).
//!
//! Each driver does nothing but read and write registers, which tests give it
//! a model of. Where the registers are is the board's matter.

pub mod gpio;
pub mod mailbox;
pub mod rng200;
pub mod watchdog;
