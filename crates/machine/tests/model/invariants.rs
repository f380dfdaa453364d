//! What must hold whatever is done.

use crate::plain::{Model, space::Cap};
use abi::Rights;
use std::collections::BTreeMap;

/// What was seen of capabilities so far, by name.
#[derive(Default)]
pub struct Watch {
    /// Rights and expiry.
    first: BTreeMap<u64, (Rights, u64)>,
    /// Counted uses of each with all that descends from it.
    uses: BTreeMap<u64, u64>,
}

impl Watch {
    pub fn look(&mut self, model: &Model) {
        let mut uses: BTreeMap<u64, u64> = BTreeMap::new();
        for cap in model.capabilities() {
            self.is_less(cap);
            if cap.uses != u32::MAX {
                for name in cap.line.iter().map(|it| it.0).chain([cap.name]) {
                    *uses.entry(name).or_default() += u64::from(cap.uses);
                }
            }
            self.first.entry(cap.name).or_insert((cap.rights, cap.expiry));
            // Only of one that is counted itself has the sum a bound.
            if cap.uses != u32::MAX {
                self.uses.entry(cap.name).or_insert(u64::MAX);
            }
        }
        for (name, most) in &mut self.uses {
            let now = uses.get(name).copied().unwrap_or(0);
            assert!(now <= *most, "the uses of capability {name} grew from {most} to {now}");
            *most = now;
        }
        for partition in &model.partitions {
            let is_within = |meter: crate::plain::Meter| meter.used <= meter.limit;
            assert!(is_within(partition.memory) && is_within(partition.records));
            for (terms, claims, bytes) in &partition.approvals {
                assert!(*claims <= terms.max_claims && *bytes <= terms.max_bytes);
            }
        }
        for (who, task) in model.tasks.iter().skip(1) {
            assert!(task.given <= task.fuel, "task {who} gave more than it had");
        }
    }

    /// Whether it has no more than what it was derived from.
    fn is_less(&self, cap: &Cap) {
        let Some((above, _)) = cap.line.last() else { return };
        assert!(cap.depth() <= 8);
        let Some((mut rights, expiry)) = self.first.get(above).copied() else { return };
        if rights.contains(Rights::GRANT) {
            rights = rights | Rights::GRANT_ONCE;
        } else {
            rights = rights.without(Rights::GRANT_ONCE);
        }
        assert!(rights.contains(cap.rights), "{cap:?} has more than {rights:?}");
        assert!(cap.expiry <= expiry);
    }
}
