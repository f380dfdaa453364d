//! From a clock and a speed to what a UART's divisors must hold.

/// Most by which a line's speed may be wrong, in thousandths: half of what two
/// ends can bear together.
const TOLERANCE: u64 = 25;

/// Divisor of a PL011 (Arm DDI 0183, 3.3.6): the clock over 16 times the
/// speed, as a whole number and 64ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pl011Divisor {
    /// UARTIBRD, 1 to 65535.
    pub whole: u16,
    /// UARTFBRD, 0 to 63; 0 where `whole` is 65535.
    pub fraction: u8,
}

/// The divisor of a PL011 for a speed in baud. `None` where the clock cannot
/// give it to within 2.5 %.
pub fn pl011(clock_hz: u32, baud: u32) -> Option<Pl011Divisor> {
    let (clock, baud) = (u64::from(clock_hz), u64::from(baud));
    // In 64ths, rounded: clock / (16 * baud) * 64.
    let sixty_fourths = (8 * clock / baud.max(1)).div_ceil(2);
    let divisor = Pl011Divisor {
        whole: u16::try_from(sixty_fourths / 64).ok().filter(|&whole| whole > 0)?,
        fraction: (sixty_fourths % 64) as u8,
    };
    let is_possible = divisor.whole < u16::MAX || divisor.fraction == 0;
    (is_possible && is_close(4 * clock / sixty_fourths, baud)).then_some(divisor)
}

/// Divisor of the BCM2711's mini-UART (BCM2711 ARM Peripherals, 2.2.1): the
/// clock over 8 times the speed, less one. `None` as above.
pub fn bcm_mini(clock_hz: u32, baud: u32) -> Option<u16> {
    let (clock, baud) = (u64::from(clock_hz), u64::from(baud));
    let steps = (clock / baud.checked_mul(4).filter(|&four| four > 0)?).div_ceil(2);
    let divisor = u16::try_from(steps.checked_sub(1)?).ok()?;
    is_close(clock / (8 * steps), baud).then_some(divisor)
}

fn is_close(speed: u64, wanted: u64) -> bool {
    speed.abs_diff(wanted) * 1000 <= wanted * TOLERANCE
}
