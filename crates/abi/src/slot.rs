//! Where a new key goes in a store.

/// The slot that a new key is suggested for: splitmix64 of the key, modulo
/// the number of slots. Where it is taken, the next empty one is suggested.
/// 0 if there are no slots.
pub const fn first_slot(key: u64, slots: u32) -> u32 {
    match mix(key).checked_rem(slots as u64) {
        Some(slot) => slot as u32,
        None => 0,
    }
}

/// The step of splitmix64: every bit of the input moves every bit of the
/// output.
pub const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_generator_as_its_author_gives_it() {
        // First outputs for the seeds 0 and 1234567, from Vigna's splitmix64.c.
        for (key, output) in
            [(0, 0xe220_a839_7b1d_cdaf_u64), (1_234_567, 6_457_827_717_110_365_317)]
        {
            for slots in [1, 2, 7, 1 << 17, u32::MAX] {
                assert_eq!(u64::from(first_slot(key, slots)), output % u64::from(slots));
            }
        }
        assert_eq!(first_slot(5, 0), 0);
    }
}
