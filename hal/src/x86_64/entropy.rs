//! RDSEED and RDRAND.

use core::arch::x86_64::{_rdrand64_step, _rdseed64_step};

use super::cpu::cpuid;
use crate::traits;

/// Tries before a generator counts as broken (Intel's guide for software
/// developers, 5.2.1, recommends ten for RDRAND; RDSEED runs dry sooner).
const TRIES: usize = 256;

/// The processor's generator.
pub struct Entropy {
    source: Option<Source>,
}

#[derive(Clone, Copy)]
enum Source {
    Rdseed,
    Rdrand,
}

impl Entropy {
    /// Looks for the instructions.
    pub fn start() -> Self {
        let source = if cpuid(7, 0).ebx & 1 << 18 != 0 {
            Some(Source::Rdseed)
        } else if cpuid(1, 0).ecx & 1 << 30 != 0 {
            Some(Source::Rdrand)
        } else {
            None
        };
        Self { source }
    }

    /// The generator's name.
    pub fn name(&self) -> &'static str {
        match self.source {
            Some(Source::Rdseed) => "RDSEED",
            Some(Source::Rdrand) => "RDRAND",
            None => "no entropy",
        }
    }
}

impl traits::Entropy for Entropy {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        let Some(source) = self.source else { return false };
        // Some processors gave the same word for ever after waking up.
        let mut last = 0;
        for chunk in bytes.chunks_mut(8) {
            let Some(word) = next(source).filter(|&word| word != last) else { return false };
            last = word;
            chunk.copy_from_slice(&word.to_ne_bytes()[..chunk.len()]);
        }
        true
    }
}

fn next(source: Source) -> Option<u64> {
    (0..TRIES).find_map(|_| {
        let mut word = 0;
        // SAFETY: `Entropy::start` found the instruction by CPUID before it
        // made this source.
        let ready = unsafe {
            match source {
                Source::Rdseed => rdseed(&mut word),
                Source::Rdrand => rdrand(&mut word),
            }
        };
        ready.then_some(word)
    })
}

#[target_feature(enable = "rdseed")]
fn rdseed(word: &mut u64) -> bool {
    _rdseed64_step(word) == 1
}

#[target_feature(enable = "rdrand")]
fn rdrand(word: &mut u64) -> bool {
    _rdrand64_step(word) == 1
}
