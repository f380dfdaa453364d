//! A pseudo-random stream: xoshiro256** seeded by splitmix64, both as
//! published by D. Blackman and S. Vigna (2018, "Scrambled linear
//! pseudorandom number generators"). Good enough for statistics; not for
//! secrets.

/// The stream's state.
#[derive(Clone, Debug)]
pub struct Random([u64; 4]);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self([(); 4].map(|()| splitmix64(&mut state)))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let state = &mut self.0;
        let result = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// A number below `bound`, each with the same probability; 0 for a bound
    /// of 0. By D. Lemire's method (2019, "Fast random integer generation in
    /// an interval"): the high half of a product, and another draw where the
    /// low half falls into the part that would favour some numbers.
    pub fn below(&mut self, bound: u32) -> u32 {
        let mut draw = || u64::from((self.next_u64() >> 32) as u32) * u64::from(bound);
        let mut product = draw();
        let unfair = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        while (product as u32) < unfair {
            product = draw();
        }
        (product >> 32) as u32
    }
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// From the authors' C programs.
    #[test]
    fn the_streams_are_those_of_the_reference_programs() {
        let mut state = 1234567;
        for expected in [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
            16408922859458223821,
        ] {
            assert_eq!(splitmix64(&mut state), expected);
        }
        let mut random = Random([1, 2, 3, 4]);
        for expected in
            [11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600]
        {
            assert_eq!(random.next_u64(), expected);
        }
    }

    #[test]
    fn bounded_numbers_stay_below_and_are_even() {
        let mut random = Random::new(1);
        let mut counts = vec![0u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7) as usize] += 1;
        }
        // Six standard deviations of a binomial count.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 600), "{counts:?}");
        assert_eq!(random.below(1), 0);
        assert_eq!(random.below(0), 0);
    }
}
