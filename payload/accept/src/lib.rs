#![no_std]
#![forbid(unsafe_code)]
//! One measurement to one proved write, then a thousand more.
//!
//! `root` starts the others with what each needs. `writer` gets a sensor's
//! reading and wants to store it; `prover` waits until somebody outside the
//! machine has approved that, and passes the signed proof on. After that the
//! prover itself approves [`PUTS`] writes, one by one, and one whose time is
//! over before it is used. `reader` says what the stores hold in the end.

/// Numbers in a reading, and in a vector.
pub const DIMENSION: usize = 4;

/// A vector.
pub type Vector = [f32; DIMENSION];

/// Bytes of a reading.
pub const READING: usize = 4 * DIMENSION;

/// Key of the reading.
pub const KEY: u64 = 1;

/// Writes that the prover approves itself.
pub const PUTS: u32 = 1_000;

/// Keys of these writes: 1 to this, over and over.
pub const KEYS: u32 = 100;

/// How long a proof holds that is used too late, in ns.
pub const SOON_NS: u64 = 1_000_000;

/// Types of messages.
pub mod kind {
    /// Everything is granted: begin.
    pub const GO: u32 = 1;
    /// Wait for a signed proof of this mutation.
    pub const OUTSIDE: u32 = 2;
    /// Approve this mutation: expiry u64, mutation.
    pub const APPROVE: u32 = 3;
    /// The answer to both: a signed proof, or the u32 of a handle.
    pub const PROOF: u32 = 4;
    /// There is no more to come.
    pub const END: u32 = 5;
}

/// The numbers of a reading; `None` for one of another length.
pub fn reading(bytes: &[u8]) -> Option<Vector> {
    let bytes: &[u8; READING] = bytes.try_into().ok()?;
    let mut vector = [0.0; DIMENSION];
    for (number, bytes) in vector.iter_mut().zip(bytes.as_chunks().0) {
        *number = f32::from_le_bytes(*bytes);
    }
    Some(vector)
}

/// The vector of one of the thousand writes.
pub fn sample(number: u32) -> Vector {
    // Below 2^24, so exact.
    let number = number as f32;
    [1.0, number, number * 0.5, 1_000.0 - number]
}

/// Its key.
pub fn key(number: u32) -> u64 {
    u64::from(number % KEYS) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_four_numbers() {
        let mut bytes = [0; READING];
        bytes[4..8].copy_from_slice(&1.5f32.to_le_bytes());
        assert_eq!(reading(&bytes), Some([0.0, 1.5, 0.0, 0.0]));
        assert_eq!(reading(&bytes[1..]), None);
    }

    #[test]
    fn every_key_is_written_ten_times() {
        for wanted in 1..=u64::from(KEYS) {
            let times = (0..PUTS).filter(|&number| key(number) == wanted).count();
            assert_eq!(times, 10);
        }
    }
}
