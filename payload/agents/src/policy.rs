//! What the prover allows.

use crate::{
    likeness::likeness,
    protocol::{Ask, Place, Vector, Wish, badge},
};

/// Years that there are measurements of.
const YEARS: core::ops::RangeInclusive<u64> = 1958..=2001;

/// What a monthly mean can differ from its year's, in ppm.
const SWING: f32 = 6.0;

/// How far the sum of a year's differences may be from zero.
const BALANCE: f32 = 0.01;

/// How far a claim's weight may be from what the vectors say.
const ACCURACY: f32 = 0.001;

/// Proofs that a client may ask for which are not the feed's or the keeper's.
pub const STRANGER_PROOFS: u32 = 24;

/// What the prover knows when it is asked.
pub trait Knowledge {
    /// The vector of a year, as the store has it.
    fn year(&self, key: u64) -> Option<Vector>;
}

/// Whether a proof may be made for whoever sends with this badge, who got so
/// many before.
///
/// The feed may store years that look like years. The keeper of claims may
/// claim what the prover finds true. Strangers may do as they like where
/// nobody relies on it, and store one year that is theirs, the year 0.
pub fn allows(badge: u64, ask: &Ask, before: u32, knowledge: &impl Knowledge) -> bool {
    match (badge, ask.place, ask.wish) {
        (badge::FEED, Place::Years, Wish::Vector { key, vector }) => {
            YEARS.contains(&key) && is_year(&vector)
        }
        (badge::CLAIMS, Place::Graph, Wish::Node(key)) => knowledge.year(key).is_some(),
        (badge::CLAIMS, Place::Graph, Wish::Edge { from, to, weight }) => {
            match (knowledge.year(from), knowledge.year(to)) {
                (Some(a), Some(b)) => from != to && (likeness(&a, &b) - weight).abs() <= ACCURACY,
                _ => false,
            }
        }
        (badge::HOSTILE, Place::Sandbox, Wish::Vector { .. }) => before < STRANGER_PROOFS,
        (badge::HOSTILE, Place::Years, Wish::Vector { key: 0, .. }) => before < STRANGER_PROOFS,
        _ => false,
    }
}

/// Differences from a mean: bounded, and together nothing. Not true of a
/// number that is none.
fn is_year(vector: &Vector) -> bool {
    let sum: f32 = vector.iter().sum();
    vector.iter().all(|number| number.abs() <= SWING) && sum.abs() <= BALANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Knowledge for Known {
        fn year(&self, key: u64) -> Option<Vector> {
            let place = key.checked_sub(1958)?;
            let mut vector = [0.0; 12];
            vector[0] = 1.0;
            *vector.get_mut(usize::try_from(place).ok()?)? += 1.0;
            Some(vector)
        }
    }

    fn asks(badge: u64, place: Place, wish: Wish, before: u32) -> bool {
        allows(badge, &Ask { place, expiry: 0, wish }, before, &Known)
    }

    #[test]
    fn the_feed_stores_years_and_nothing_else() {
        let mut vector = [0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let year = |key, vector| asks(badge::FEED, Place::Years, Wish::Vector { key, vector }, 99);
        assert!(year(1960, vector));
        assert!(!year(1957, vector) && !year(2002, vector));
        for bad in [f32::NAN, f32::INFINITY, 0.6, 100.0] {
            vector[0] = bad;
            assert!(!year(1960, vector), "{bad}");
        }
        let wish = Wish::Vector { key: 1960, vector: [0.0; 12] };
        assert!(!asks(badge::FEED, Place::Sandbox, wish, 0));
        assert!(!asks(badge::CLAIMS, Place::Years, wish, 0));
        assert!(!asks(badge::HOSTILE, Place::Years, wish, 0));
        assert!(!asks(badge::PLANNER, Place::Years, wish, 0));
    }

    #[test]
    fn claims_have_to_be_true() {
        let edge = |from, to, weight| {
            asks(badge::CLAIMS, Place::Graph, Wish::Edge { from, to, weight }, 0)
        };
        // (1, 1, 0…) and (1, 0, 1, 0…).
        assert!(edge(1959, 1960, 0.5));
        assert!(!edge(1959, 1960, 0.6) && !edge(1959, 1960, f32::NAN));
        assert!(!edge(1959, 1959, 1.0), "an edge to itself says nothing");
        assert!(!edge(1959, 1990, 0.5), "nothing is known of 1990");
        assert!(asks(badge::CLAIMS, Place::Graph, Wish::Node(1959), 0));
        assert!(!asks(badge::CLAIMS, Place::Graph, Wish::Node(1990), 0));
        assert!(!asks(badge::HOSTILE, Place::Graph, Wish::Node(1959), 0));
    }

    #[test]
    fn strangers_have_a_sandbox_and_an_allowance() {
        let wish = |key| Wish::Vector { key, vector: [f32::NAN; 12] };
        assert!(asks(badge::HOSTILE, Place::Sandbox, wish(5), STRANGER_PROOFS - 1));
        assert!(!asks(badge::HOSTILE, Place::Sandbox, wish(5), STRANGER_PROOFS));
        assert!(asks(badge::HOSTILE, Place::Years, wish(0), 0));
        assert!(!asks(badge::HOSTILE, Place::Years, wish(1), 0));
    }
}
