//! FADT: power, reset and the PM timer (ACPI 6.5, 5.2.9).

use super::{Register, Space, u8_at, u16_at, u32_at, u64_at};

/// What the kernel uses of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fadt {
    /// Physical address of the DSDT.
    pub dsdt: u64,
    /// Port to write [`Fadt::acpi_enable`] to where ACPI is not on yet.
    pub smi_command: Option<u16>,
    /// The value for it.
    pub acpi_enable: u8,
    /// PM1a control register.
    pub pm1a_control: Option<Register>,
    /// PM1b control register.
    pub pm1b_control: Option<Register>,
    /// The PM timer, which counts at 3.579545 MHz.
    pub pm_timer: Option<Register>,
    /// Whether that timer has 32 bits rather than 24.
    pub pm_timer_is_wide: bool,
    /// Where to write [`Fadt::reset_value`] to restart.
    pub reset: Option<Register>,
    /// The value for it.
    pub reset_value: u8,
    /// PSCI is there (AArch64).
    pub has_psci: bool,
    /// PSCI is called by `hvc` rather than `smc`.
    pub psci_uses_hvc: bool,
}

/// Flag "RESET_REG_SUP".
const RESET_SUPPORTED: u32 = 1 << 10;
/// Flag "TMR_VAL_EXT".
const TIMER_IS_WIDE: u32 = 1 << 8;

impl Fadt {
    /// Reads the table; fields beyond its end are as if they were zero.
    pub fn parse(table: &[u8]) -> Self {
        let flags = u32_at(table, 112).unwrap_or(0);
        let arm = u16_at(table, 129).unwrap_or(0);
        Self {
            dsdt: u64_at(table, 140)
                .filter(|&address| address != 0)
                .or(u32_at(table, 40).map(u64::from))
                .unwrap_or(0),
            smi_command: port(u32_at(table, 48)),
            acpi_enable: u8_at(table, 52).unwrap_or(0),
            pm1a_control: register(table, 172, 64),
            pm1b_control: register(table, 184, 68),
            pm_timer: register(table, 208, 76),
            pm_timer_is_wide: flags & TIMER_IS_WIDE != 0,
            reset: Register::at(table, 116).filter(|_| flags & RESET_SUPPORTED != 0),
            reset_value: u8_at(table, 128).unwrap_or(0),
            has_psci: arm & 1 != 0,
            psci_uses_hvc: arm & 2 != 0,
        }
    }
}

/// A register by its extended field or, where that is absent, its old one.
fn register(table: &[u8], extended: usize, old: usize) -> Option<Register> {
    Register::at(table, extended).or_else(|| {
        let address = u64::from(u32_at(table, old)?);
        (address != 0).then_some(Register { space: Space::Port, address })
    })
}

fn port(value: Option<u32>) -> Option<u16> {
    value.and_then(|value| u16::try_from(value).ok()).filter(|&port| port != 0)
}

/// The sleep types for switching off ("_S5"), for PM1a and PM1b.
///
/// `_S5` is a package of small constants; firmware that computes it does not
/// exist in practice, and it is looked for by its encoding (ACPI 6.5, 20.2:
/// NameOp `_S5_` PackageOp length count element…), not run.
pub fn soft_off(dsdt: &[u8]) -> Option<(u8, u8)> {
    let name = dsdt.windows(5).position(|window| window == b"_S5_\x12")?;
    let mut rest = dsdt.get(name + 5..)?;
    let length_bytes = 1 + usize::from(*rest.first()? >> 6);
    rest = rest.get(length_bytes + 1..)?;
    let first = small_constant(&mut rest)?;
    let second = small_constant(&mut rest).unwrap_or(first);
    Some((first, second))
}

/// ZeroOp, OneOp, or BytePrefix and a byte; a sleep type has three bits.
fn small_constant(code: &mut &[u8]) -> Option<u8> {
    let (value, length) = match *code.first()? {
        value @ (0 | 1) => (value, 1),
        0x0a => (*code.get(1)?, 2),
        _ => return None,
    };
    *code = code.get(length..)?;
    (value < 8).then_some(value)
}
