//! Unpredictable bytes: by the processor's generator, FEAT_RNG (Arm ARM, RNDR),
//! or by one of the board's.

use aarch64_cpu::registers::{ID_AA64ISAR0_EL1, Readable};

use super::cpu::field;
use super::registers::Registers;
use crate::bcm2711::rng200::Rng200;
use crate::traits;

/// Tries before the generator counts as broken. It says by a flag that it had
/// nothing within a reasonable time; how often it may say so is open.
const TRIES: usize = 256;

/// A generator.
pub enum Entropy {
    /// There is none.
    None,
    /// The processor's.
    Rndr,
    /// A BCM2711's.
    Rng200(Rng200<Registers>),
}

impl Entropy {
    /// The processor's, if it has one.
    pub fn start() -> Self {
        // ID_AA64ISAR0_EL1.RNDR, bits 63:60.
        if field(ID_AA64ISAR0_EL1.get(), 60) != 0 { Self::Rndr } else { Self::None }
    }

    /// The generator's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "no entropy",
            Self::Rndr => "RNDR",
            Self::Rng200(_) => "RNG200",
        }
    }
}

impl traits::Entropy for Entropy {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        match self {
            Self::None => false,
            Self::Rndr => fill(bytes),
            Self::Rng200(generator) => generator.fill(bytes),
        }
    }
}

/// By the processor's generator, which is there.
fn fill(bytes: &mut [u8]) -> bool {
    // A generator that repeats itself is stuck.
    let mut last = 0;
    let mut filled = [0; 64];
    for part in bytes.chunks_mut(filled.len()) {
        for chunk in filled.chunks_mut(8) {
            let Some(word) = next().filter(|&word| word != last) else { return false };
            last = word;
            chunk.copy_from_slice(&word.to_ne_bytes());
        }
        part.copy_from_slice(&filled[..part.len()]);
    }
    true
}

fn next() -> Option<u64> {
    (0..TRIES).find_map(|_| {
        let word: u64;
        let ready: u64;
        // SAFETY: `Entropy::start` found the register (RNDR is S3_3_C2_C4_0)
        // before this is called. Reading it changes only the flags, which is
        // declared by leaving out `preserves_flags`: NZCV is 0 for a number,
        // 0b0100 for none.
        unsafe {
            core::arch::asm!(
                "mrs {word}, s3_3_c2_c4_0",
                "cset {ready}, ne",
                word = out(reg) word,
                ready = out(reg) ready,
                options(nomem, nostack),
            );
        }
        (ready == 1).then_some(word)
    })
}
