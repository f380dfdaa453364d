//! Who runs next: integers only, a pure function of recorded state.
//!
//! Between partitions: by share. Each has a *pass*, the fuel its tasks spent
//! divided by its share; the least goes first. A partition is reached through
//! the one that it was mounted from, so mounting more packages takes fuel
//! from who mounts and from nobody else. One that had nothing to do does not
//! save up: its pass is at least where its neighbours are.
//!
//! Inside a partition: who is due first. When a task begins to wait for its
//! turn it is stamped with the time by which that has come: its deadline if
//! it has one ahead, at most [`PATIENCE_NS`] from then; earlier by its
//! priority and by the novelty of the message it waits for, later by the
//! structural risk of the change it is about to make. All of it together is
//! never before the moment of the stamp, so once a task's stamp has passed,
//! whoever is stamped after that comes after it: it waits at most until then,
//! and one slice of each other task. So nobody starves.

use crate::{
    object::{Body, ObjectId, Objects},
    partition::{PARTITIONS, PartitionId, Partitions},
    task::{State, Task},
};
use abi::profile::{FUEL_PER_NS, SLICE_FUEL};
use core::cmp::Reverse;
use witness::Subject;

/// Logical time in ns of a full slice.
const SLICE_NS: u64 = SLICE_FUEL / FUEL_PER_NS;

/// Longest that a stamp is ahead, but for risk.
const PATIENCE_NS: u64 = 80 * SLICE_NS;

/// How much earlier each step of priority makes it: 64 slices in all.
const PRIORITY_NS: u64 = 64 * SLICE_NS / 256;

/// The same for each of the 64 bits of novelty: 16 slices in all.
const NOVELTY_NS: u64 = SLICE_NS / 4;

/// Most that novelty makes it earlier.
const NOVELTY_SPAN_NS: u64 = 64 * NOVELTY_NS;

/// How much later each of the 255 steps of risk makes it: 16 slices in all.
const RISK_NS: u64 = 16 * SLICE_NS / 256;

/// Furthest that a stamp is ahead.
#[cfg(test)]
const FURTHEST_NS: u64 = PATIENCE_NS + 255 * RISK_NS;

/// The stamp of a task that begins to wait for its turn now. `risk` is 0 to
/// 255.
pub(crate) fn stamp(now_ns: u64, deadline: u64, priority: u8, risk: u8) -> u64 {
    let patient = now_ns.saturating_add(PATIENCE_NS);
    let base = if deadline > now_ns { deadline.min(patient) } else { patient };
    let earlier = u64::from(priority).saturating_mul(PRIORITY_NS);
    let later = u64::from(risk).saturating_mul(RISK_NS);
    let soonest = now_ns.saturating_add(NOVELTY_SPAN_NS);
    base.saturating_sub(earlier).max(soonest).saturating_add(later)
}

/// What decides between two tasks of a partition: the least goes first.
type Key = (u64, Reverse<u8>, u64, Subject);

/// The task that gets the next slice.
pub(crate) fn choose(
    tasks: &[Task],
    objects: &Objects,
    partitions: &Partitions,
    now_ns: u64,
) -> Option<Subject> {
    let mut best: [Option<Key>; PARTITIONS] = [None; PARTITIONS];
    let mut reached = [false; PARTITIONS];
    for task in tasks {
        let Some(key) = key(task, objects, now_ns) else { continue };
        let Some(partition) = task.partition else { continue };
        let Some(place) = best.get_mut(partition.0) else { continue };
        if place.is_none_or(|other| key < other) {
            *place = Some(key);
        }
        for above in partitions.chain(Some(partition)) {
            if let Some(reached) = reached.get_mut(above.0) {
                *reached = true;
            }
        }
    }
    let mut level: Option<PartitionId> = None;
    loop {
        let below = partitions.iter().filter(|(id, partition)| {
            partition.parent == level && reached.get(id.0).copied().unwrap_or(false)
        });
        let below = below.map(|(id, _)| (partitions.pass(id), id)).min();
        let own = level.and_then(|id| {
            let (_, _, _, subject) = best.get(id.0).copied().flatten()?;
            Some((partitions.own_pass(id), subject))
        });
        match (own, below) {
            (Some((own, subject)), Some((pass, _))) if own <= pass => return Some(subject),
            (_, Some((_, id))) => level = Some(id),
            (Some((_, subject)), None) => return Some(subject),
            (None, None) => return None,
        }
    }
}

fn key(task: &Task, objects: &Objects, now_ns: u64) -> Option<Key> {
    let novelty = match task.state() {
        State::Ready => 0,
        State::Waiting(until) => {
            let queue = match objects.get(task.waits_on?).map(|object| &object.body) {
                Some(Body::Queue(queue)) => Some(queue),
                _ => None,
            };
            let has_message = queue.is_some_and(|queue| queue.messages() > 0);
            // A queue that went is an answer too.
            if !has_message && until > now_ns && queue.is_some() {
                return None;
            }
            queue.map_or(0, crate::queue::Queue::novelty)
        }
        _ => return None,
    };
    let earlier = u64::from(novelty).saturating_mul(NOVELTY_NS);
    let due = task.due.saturating_sub(earlier);
    Some((due, Reverse(task.priority), task.last_slice, task.subject))
}

/// How much hangs on what a task is about to change: the greatest risk of the
/// proofs it holds.
pub(crate) fn risk(task: &Task, objects: &Objects) -> u8 {
    let proofs = task.space.iter().filter_map(|(_, capability)| proof(objects, capability.object));
    proofs.max().unwrap_or(0)
}

fn proof(objects: &Objects, id: ObjectId) -> Option<u8> {
    match objects.get(id)?.body {
        Body::Proof(minted) if !minted.used => Some(minted.risk),
        _ => None,
    }
}

/// The earliest logical time in ns at which a waiting task goes on.
pub(crate) fn earliest(tasks: &[Task]) -> Option<u64> {
    let until = |task: &Task| match task.state() {
        State::Waiting(until) if until < u64::MAX => Some(until),
        _ => None,
    };
    tasks.iter().filter_map(until).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What the argument in the module's text rests on.
        #[test]
        fn a_stamp_is_neither_past_nor_far(now in 0..u64::MAX / 2, deadline: u64, priority: u8, risk: u8) {
            let due = stamp(now, deadline, priority, risk);
            prop_assert!(due - NOVELTY_SPAN_NS >= now);
            prop_assert!(due <= now + FURTHEST_NS);
        }

        #[test]
        fn what_is_more_urgent_is_not_later(now in 0u64..1 << 40, a in 0u64..1 << 41, b in 0u64..1 << 41, priority: u8, risk: u8) {
            let (sooner, later) = (a.min(b), a.max(b));
            if sooner > now {
                prop_assert!(stamp(now, sooner, priority, risk) <= stamp(now, later, priority, risk));
            }
            prop_assert!(stamp(now, a, 255, risk) <= stamp(now, a, priority, risk));
            prop_assert!(stamp(now, a, priority, 0) <= stamp(now, a, priority, risk));
        }
    }
}
