//! The commands, one file each.

pub(crate) mod caps;
pub(crate) mod challenge;
pub(crate) mod cpu;
pub(crate) mod graphs;
pub(crate) mod help;
pub(crate) mod info;
pub(crate) mod input;
pub(crate) mod irq;
pub(crate) mod log;
pub(crate) mod mem;
pub(crate) mod mount;
pub(crate) mod panic;
pub(crate) mod perf;
pub(crate) mod power;
pub(crate) mod proofs;
pub(crate) mod queues;
pub(crate) mod regions;
pub(crate) mod stop;
pub(crate) mod stores;
pub(crate) mod tasks;
pub(crate) mod trace;
pub(crate) mod vectors;
pub(crate) mod witness;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use ::witness::Subject;
use ::witness::hex::Hex;
use ::witness::json::{Integer, Value};
use nucleus::capability::NEVER;
use nucleus::{Nucleus, Task};

use crate::answer::Refusal;
use crate::command::shown;
use crate::units::Seconds;

/// The beginning of a digest, enough to tell two apart in a table.
pub(crate) struct Short<'a>(pub(crate) &'a [u8; 32]);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0[..6]).fmt(f)
    }
}

/// A number, as one where JSON readers hold it exactly, else as a string.
pub(crate) fn number(value: u64) -> Value {
    let small = i64::try_from(value).ok().and_then(Integer::new);
    small.map_or_else(|| Value::decimal(value), Value::Integer)
}

/// A value that may be missing.
pub(crate) fn optional(value: Option<impl Into<Value>>) -> Value {
    value.map_or(Value::Null, Into::into)
}

/// `1 record`, `2 records`, `2 entries`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => alloc::format!("1 {noun}"),
        (_, Some(stem)) => alloc::format!("{count} {stem}ies"),
        _ => alloc::format!("{count} {noun}s"),
    }
}

/// Most rows of a table, and most members of a list in JSON, so that no answer
/// takes the machine long.
pub(crate) const ROWS: usize = 256;

/// A line under a table that shows the first [`ROWS`] of so many.
pub(crate) fn more(count: usize, noun: &str) -> String {
    match count.checked_sub(ROWS) {
        Some(rest @ 1..) => {
            alloc::format!("and {}\n", counted(rest as u64, &alloc::format!("more {noun}")))
        }
        _ => String::new(),
    }
}

/// The logical time from which something is void.
pub(crate) fn expiry(ns: u64) -> String {
    if ns == NEVER { "never".into() } else { Seconds(ns).to_string() }
}

/// The task that a user means by its name or number; the kernel is one too.
pub(crate) fn find_task<'a>(nucleus: &'a Nucleus, text: &str) -> Result<&'a Task, Refusal> {
    let by_number = match text {
        "kernel" => Some(Subject::KERNEL),
        _ => text.parse().ok().map(Subject),
    };
    if let Some(subject) = by_number {
        return nucleus.task(subject).ok_or_else(|| {
            match nucleus.gone().iter().find(|it| it.subject == subject) {
                Some(gone) => left(&gone.name, subject),
                None => Refusal(alloc::format!(
                    "There is no task {}; `tasks` lists those there are.",
                    subject.0
                )),
            }
        });
    }
    let named: Vec<&Task> =
        nucleus.tasks().map(|(_, task)| task).filter(|task| task.name == text).collect();
    match named[..] {
        [task] => Ok(task),
        [] => Err(match nucleus.gone().iter().find(|gone| gone.name == text) {
            Some(gone) => left(&gone.name, gone.subject),
            None => Refusal(alloc::format!(
                "There is no task `{}`; `tasks` lists those there are.",
                shown(text)
            )),
        }),
        _ => {
            let numbers: Vec<String> =
                named.iter().map(|task| task.subject.0.to_string()).collect();
            let numbers = numbers.join(", ");
            Err(Refusal(alloc::format!("More than one task is called `{text}`: {numbers}.")))
        }
    }
}

fn left(name: &str, subject: Subject) -> Refusal {
    Refusal(alloc::format!("Task {}, {name}, has ended and left the table.", subject.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, WORKER};

    #[test]
    fn a_name_that_two_tasks_have_is_refused_with_their_numbers() {
        let mut sample = Sample::quiet();
        sample.slice(WORKER, |it| {
            it.spawn();
            it.spawn();
        });
        assert_eq!(sample.said("caps program"), "More than one task is called `program`: 4, 5.\n");
        assert!(sample.said("caps 5").contains("program/mailbox"));
    }

    #[test]
    fn only_what_is_not_shown_is_counted() {
        assert_eq!(more(0, "proof") + &more(ROWS, "proof"), "");
        assert_eq!(more(ROWS + 1, "entry"), "and 1 more entry\n");
        assert_eq!(more(ROWS + 2, "entry"), "and 2 more entries\n");
    }
}
