//! The board: QEMU's `virt`, or any other that describes itself fully.
//!
//! Every device is where ACPI or the tree says; there is nothing to add.

/// Number of the board in the machine record.
pub const BOARD: u8 = 2;

/// Its name.
pub const NAME: &str = "virt";
