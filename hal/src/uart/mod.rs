//! UARTs that can be the console.
//!
//! What the drivers have in common is [`Uart`]; what they do with registers is
//! tested against a model of them. Waiting, the ring of what was received and
//! the one console are the port's.

pub mod baud;
pub mod bcm_mini;
pub mod pl011;

#[cfg(test)]
mod tests;

/// A UART whose clock and pins are set up.
pub trait Uart {
    /// Raises no interrupt from here on, and sends and receives. Speed and
    /// format stay as firmware set them where it has the UART in use.
    fn start(&self);
    /// Whether a byte can be sent now.
    fn can_send(&self) -> bool;
    /// Sends a byte, if it can be sent now; else it is lost.
    fn send(&self, byte: u8);
    /// Takes a byte that was received.
    fn receive(&self) -> Option<u8>;
    /// Forgets that an interrupt was raised. What is received after this
    /// raises another one.
    fn acknowledge(&self);
    /// Lets received bytes raise the interrupt.
    fn enable_receive_interrupt(&self);
}
