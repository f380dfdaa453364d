//! SHA-256 by the instructions of FEAT_SHA256 (Arm ARM, SHA256H, SHA256H2,
//! SHA256SU0, SHA256SU1).
//!
//! The instructions take the state as two registers of four words, `abcd` and
//! `efgh`, do four rounds at a time, and four words of the message schedule
//! in two steps.

use core::arch::aarch64::{
    uint32x4_t, vaddq_u32, vld1q_u8, vld1q_u32, vreinterpretq_u32_u8, vrev32q_u8, vsha256h2q_u32,
    vsha256hq_u32, vsha256su0q_u32, vsha256su1q_u32, vst1q_u32,
};

use aarch64_cpu::registers::{ID_AA64ISAR0_EL1, Readable};

use super::cpu::field;
use crate::traits::Sha256Compress;

/// The compression function, where the processor has the instructions: a
/// Raspberry Pi 4 has not.
pub fn detect() -> Option<(Sha256Compress, &'static str)> {
    // ID_AA64ISAR0_EL1.SHA2, bits 15:12.
    (field(ID_AA64ISAR0_EL1.get(), 12) != 0).then_some((compress, "Armv8 SHA2"))
}

/// Private, so that only [`detect`] can hand it out.
fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    // SAFETY: `detect` found the instructions, without which nobody has this
    // function. They use the vector registers, which compiled code uses too.
    unsafe { compress_blocks(state, blocks) }
}

/// Round constants (FIPS 180-4, 4.2.2).
const K: [[u32; 4]; 16] = [
    [0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5],
    [0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5],
    [0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3],
    [0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174],
    [0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc],
    [0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da],
    [0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7],
    [0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967],
    [0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13],
    [0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85],
    [0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3],
    [0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070],
    [0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5],
    [0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3],
    [0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208],
    [0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2],
];

#[target_feature(enable = "sha2")]
fn compress_blocks(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    let (halves, _) = state.as_chunks_mut::<4>();
    let [low, high] = halves else { return };
    let (mut abcd, mut efgh) = (load(low), load(high));
    for block in blocks {
        let (abcd_before, efgh_before) = (abcd, efgh);
        let mut w = schedule(block);
        for (quarter, constants) in K.as_chunks::<4>().0.iter().enumerate() {
            // Indices that are constants once this is unrolled, so that the
            // schedule stays in registers.
            for lane in 0..4 {
                let now = w[lane];
                let wk = vaddq_u32(now, load(&constants[lane]));
                let abcd_now = abcd;
                abcd = vsha256hq_u32(abcd, efgh, wk);
                efgh = vsha256h2q_u32(efgh, abcd_now, wk);
                if quarter < 3 {
                    let partial = vsha256su0q_u32(now, w[(lane + 1) % 4]);
                    w[lane] = vsha256su1q_u32(partial, w[(lane + 2) % 4], w[(lane + 3) % 4]);
                }
            }
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    // SAFETY: each store writes the 16 bytes of the four words it is given.
    unsafe {
        vst1q_u32(low.as_mut_ptr(), abcd);
        vst1q_u32(high.as_mut_ptr(), efgh);
    }
}

#[target_feature(enable = "neon")]
fn load(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: the load reads the 16 bytes of the four words.
    unsafe { vld1q_u32(words.as_ptr()) }
}

/// A block as sixteen big-endian words, four a vector.
#[target_feature(enable = "neon")]
fn schedule(block: &[u8; 64]) -> [uint32x4_t; 4] {
    [0, 16, 32, 48].map(|at| {
        // SAFETY: 16 bytes from each of these offsets are in the block.
        let bytes = unsafe { vld1q_u8(block.as_ptr().add(at)) };
        vreinterpretq_u32_u8(vrev32q_u8(bytes))
    })
}
