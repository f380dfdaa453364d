//! `tasks`: who is there, what they do, what they have used up.

use alloc::format;
use alloc::string::{String, ToString};

use ::witness::json::{Object, Value};
use ::witness::manifest::Outcome;
use ::witness::record::TrapCode;
use abi::Error;

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{number, optional};
use crate::table::{Align, Table};
use crate::units::{Bytes, Count, Seconds};
use crate::view::{State, Task};

pub(crate) const COMMAND: Command = Command {
    name: "tasks",
    arguments: "",
    help: "the tasks and what they have used up",
    details: "One row a task, in order of spawn: its number in the log, name, priority,\n\
              deadline, fuel spent and allowed, memory used and allowed, the records it\n\
              has left, and what it does. Numbers are rounded down; -j has them exact.",
    json: true,
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let tasks = || (0..).map_while(|place| request.view.task(place));
    if request.json {
        return Ok(Answer::json(&tasks().map(|task| json(&task)).collect()));
    }
    if request.view.task(0).is_none() {
        return Ok(Answer::text("There are no tasks: no package is mounted.\n".into()));
    }
    let mut table = Table::new(&[
        ("task", Align::Right),
        ("name", Align::Left),
        ("priority", Align::Right),
        ("deadline", Align::Right),
        ("fuel", Align::Right),
        ("of", Align::Right),
        ("memory", Align::Right),
        ("of", Align::Right),
        ("records", Align::Right),
        ("state", Align::Left),
    ]);
    for task in tasks() {
        table.row([
            task.subject.map_or("-".into(), |subject| subject.to_string()),
            task.name.into(),
            task.priority.to_string(),
            task.deadline_ns.map_or("-".into(), |ns| Seconds(ns).to_string()),
            Count(task.fuel_spent).to_string(),
            Count(task.fuel_budget).to_string(),
            Bytes(task.memory).to_string(),
            Bytes(task.memory_limit).to_string(),
            task.records.to_string(),
            state(task.state),
        ]);
    }
    Ok(Answer::text(table.render()))
}

fn state(state: State) -> String {
    match state {
        State::Ready => "ready".into(),
        State::Waiting(None) => "waiting".into(),
        State::Parked => "parked".into(),
        State::Waiting(Some(until)) => format!("waiting until {}", Seconds(until)),
        State::Ended(outcome, code) => ending(outcome, code),
    }
}

/// How a task ended, with the meaning of the code where it has one.
fn ending(outcome: Outcome, code: i32) -> String {
    let as_number = u16::try_from(code).ok();
    match outcome {
        Outcome::Exit => format!("exit {code}"),
        Outcome::Trap => {
            let name = as_number.and_then(TrapCode::from_number).map_or("other", TrapCode::name);
            format!("trap: {name}")
        }
        Outcome::Refused => match as_number.and_then(Error::from_number) {
            Some(error) => format!("refused: {error}"),
            None => "refused".into(),
        },
        Outcome::OutOfFuel => "out of fuel".into(),
        Outcome::Budget => "out of records".into(),
        other => other.name().into(),
    }
}

fn json(task: &Task<'_>) -> Value {
    let (name, until, code) = match task.state {
        State::Ready => ("ready", None, None),
        State::Waiting(until) => ("waiting", until, None),
        State::Parked => ("parked", None, None),
        State::Ended(outcome, code) => (outcome.name(), None, Some(code)),
    };
    Object::new()
        .with("code", optional(code))
        .with("deadline_ns", optional(task.deadline_ns.map(Value::decimal)))
        .with("fuel_budget", Value::decimal(task.fuel_budget))
        .with("fuel_spent", Value::decimal(task.fuel_spent))
        .with("memory", number(task.memory))
        .with("memory_limit", number(task.memory_limit))
        .with("name", task.name)
        .with("priority", task.priority)
        .with("records", number(task.records))
        .with("state", name)
        .with("task", optional(task.subject))
        .with("until_ns", optional(until.map(Value::decimal)))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::{execute, sample::Sample};

    #[test]
    fn the_table_is_aligned_and_explains_codes() {
        assert_eq!(
            execute("tasks", &Sample::new()).text,
            "\
task  name    priority    deadline    fuel       of    memory        of  records  state
   1  worker         7  0.005000 s  1.93 M  50.00 G  64.0 KiB  16.0 MiB       12  waiting until 0.002000 s
   2  broken         0           -     500   1.00 M  64.0 KiB   1.0 MiB        3  trap: memory out of bounds
   -  absent         0           -       0   1.00 M       0 B   1.0 MiB        0  refused: the component is not a Wasm module this machine runs
"
        );
    }

    #[test]
    fn without_tasks_it_says_why() {
        let text = execute("tasks", &Sample { tasks: 0, ..Sample::new() }).text;
        assert_eq!(text, "There are no tasks: no package is mounted.\n");
    }
}
