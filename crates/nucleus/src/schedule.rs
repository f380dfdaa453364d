//! Who runs next: a pure function of the task table.
//!
//! Earliest deadline first, then highest priority, then whoever has waited
//! longest for a slice, then the lowest number.

use crate::task::{State, Task};
use core::cmp::Reverse;
use witness::Subject;

/// The task that gets the next slice.
pub(crate) fn choose(tasks: &[Task]) -> Option<Subject> {
    (0u32..)
        .zip(tasks)
        .filter(|(_, task)| task.state() == State::Ready)
        .min_by_key(|(number, task)| {
            (task.deadline, Reverse(task.priority), task.last_slice, *number)
        })
        .map(|(number, _)| Subject(number))
}

/// The earliest logical time in ns at which a waiting task goes on.
pub(crate) fn earliest(tasks: &[Task]) -> Option<u64> {
    let until = |task: &Task| match task.state() {
        State::Waiting(until) => Some(until),
        _ => None,
    };
    tasks.iter().filter_map(until).min()
}
