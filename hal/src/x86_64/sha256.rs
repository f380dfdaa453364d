//! SHA-256 by the SHA extensions (Intel SDM volume 2, SHA256RNDS2,
//! SHA256MSG1, SHA256MSG2).
//!
//! The instructions want the state as two registers, `abef` and `cdgh`, do
//! two rounds at a time, and take four words of the message schedule to the
//! next four in two steps.

use core::arch::x86_64::*;

use crate::traits::Sha256Compress;

/// The compression function, where CPUID has what it needs: SHA, SSSE3 and
/// SSE4.1.
pub fn detect() -> Option<(Sha256Compress, &'static str)> {
    let (highest, _) = __get_cpuid_max(0);
    let has_sha = highest >= 7 && __cpuid_count(7, 0).ebx & 1 << 29 != 0;
    let features = __cpuid(1).ecx;
    if has_sha && features & 1 << 9 != 0 && features & 1 << 19 != 0 {
        Some((compress, "SHA-NI"))
    } else {
        None
    }
}

/// Private, so that only [`detect`] can hand it out.
fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    // SAFETY: the features were found by `detect`, without which nobody has
    // this function; none of them needs more of the processor's state enabled
    // than SSE, which compiled code uses already.
    unsafe { compress_blocks(state, blocks) }
}

/// Round constants (FIPS 180-4, 4.2.2).
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress_blocks(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    let mut abef = _mm_set_epi32(a, b, e, f);
    let mut cdgh = _mm_set_epi32(c, d, g, h);

    for block in blocks {
        let (abef_before, cdgh_before) = (abef, cdgh);
        let mut w = schedule(block);
        for (group, k) in K.as_chunks::<4>().0.iter().enumerate() {
            let now = w[group % 4];
            let [k0, k1, k2, k3] = k.map(u32::cast_signed);
            let wk = _mm_add_epi32(now, _mm_set_epi32(k3, k2, k1, k0));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0b1110>(wk));
            if group < 12 {
                w[group % 4] =
                    next_words(now, w[(group + 1) % 4], w[(group + 2) % 4], w[(group + 3) % 4]);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    let word = |vector: __m128i, lane: usize| {
        let mut words = [0u32; 4];
        // SAFETY: the 16 bytes written are those of `words`; the store needs
        // no alignment.
        unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), vector) };
        words[lane]
    };
    *state = [
        word(abef, 3),
        word(abef, 2),
        word(cdgh, 3),
        word(cdgh, 2),
        word(abef, 1),
        word(abef, 0),
        word(cdgh, 1),
        word(cdgh, 0),
    ];
}

/// A block as sixteen big-endian words, four a vector.
#[target_feature(enable = "ssse3")]
fn schedule(block: &[u8; 64]) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let (quarters, _) = block.as_chunks::<16>();
    [0, 1, 2, 3].map(|at| {
        // SAFETY: a chunk is 16 bytes, and the load needs no alignment.
        let words = unsafe { _mm_loadu_si128(quarters[at].as_ptr().cast()) };
        _mm_shuffle_epi8(words, swap)
    })
}

/// Words 16 to 19 after the sixteen in `w0` to `w3`.
#[target_feature(enable = "sha,ssse3")]
fn next_words(w0: __m128i, w1: __m128i, w2: __m128i, w3: __m128i) -> __m128i {
    let partial = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
    _mm_sha256msg2_epu32(partial, w3)
}
