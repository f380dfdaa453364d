//! `tasks`: who is there, what they do, what they have used up.

use alloc::format;
use alloc::string::{String, ToString};

use ::witness::json::{Object, Value};
use nucleus::{Gone, Nucleus, Outcome, State, Task};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{ROWS, counted, number, optional};
use crate::table::{Align, Table};
use crate::units::{Bytes, Count, Seconds};

pub(crate) const COMMAND: Command = Command {
    name: "tasks",
    arguments: "",
    help: "the tasks and what they have used up",
    details: "One row a task, in order of spawn: its number in the log, name, priority,\n\
              deadline, fuel spent and allowed, memory used and allowed, the records it\n\
              has left, and what it does. Numbers are rounded down; -j has them exact.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let nucleus = request.view.nucleus();
    let memory = |task: &Task| request.view.memory(task.subject);
    if request.json {
        let gone = recent(nucleus).iter().map(|it| ended(&it.name, it.subject.0, it.state));
        let tasks = nucleus.tasks().map(|(_, task)| json(nucleus, task, memory(task)));
        return Ok(Answer::json(&gone.chain(tasks).collect()));
    }
    if nucleus.tasks().next().is_none() && nucleus.gone().is_empty() {
        return Ok(Answer::text(match nucleus.partitions().next() {
            Some(_) => "There are no tasks: the package started none.\n".into(),
            None => "There are no tasks: no package is mounted.\n".into(),
        }));
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
    for it in recent(nucleus) {
        let (name, state) = (it.name.clone(), in_words(it.state));
        let [none, nothing] = [(); 2].map(|()| String::from("-"));
        let unknown = core::iter::repeat_n(nothing, 6);
        let row = [it.subject.0.to_string(), name, none].into_iter().chain(unknown);
        table.row(row.chain([state]));
    }
    for (subject, task) in nucleus.tasks() {
        let deadline = Some(task.deadline).filter(|ns| *ns != u64::MAX);
        table.row([
            subject.0.to_string(),
            task.name.clone(),
            task.priority.to_string(),
            deadline.map_or("-".into(), |ns| Seconds(ns).to_string()),
            Count(task.spent).to_string(),
            Count(task.fuel).to_string(),
            Bytes(memory(task)).to_string(),
            Bytes(task.memory.into()).to_string(),
            records(nucleus, task).to_string(),
            in_words(task.state()),
        ]);
    }
    let earlier = nucleus.gone().len() - recent(nucleus).len();
    let before = match earlier {
        0 => String::new(),
        _ => format!("{} ended before these\n", counted(earlier as u64, "task")),
    };
    Ok(Answer::text(table.render() + &before))
}

/// The last of the tasks that ended and left the table.
fn recent(nucleus: &Nucleus) -> &[Gone] {
    let gone = nucleus.gone();
    gone.get(gone.len().saturating_sub(ROWS)..).unwrap_or_default()
}

/// Records that a task's partition has left for it; an ended one has none.
fn records(nucleus: &Nucleus, task: &Task) -> u64 {
    // The place of an ended task's partition may be another's by now.
    let partition = task.partition.filter(|_| task.state().is_alive());
    let partition = partition.and_then(|id| nucleus.partition(id));
    partition.map_or(0, |partition| partition.records.left())
}

/// What a task does, or how it ended with the meaning of the code.
fn in_words(state: State) -> String {
    match state {
        State::Kernel | State::Ready | State::Running => "ready".into(),
        State::Waiting(u64::MAX) => "waiting".into(),
        State::Parked => "parked".into(),
        State::Waiting(until) => format!("waiting until {}", Seconds(until)),
        State::Ended(Outcome::Exit(code)) => format!("exit {code}"),
        State::Ended(Outcome::Trap(code)) => format!("trap: {}", code.name()),
        State::Ended(Outcome::OutOfFuel) => "out of fuel".into(),
        State::Ended(Outcome::RecordsSpent) => "out of records".into(),
        State::Ended(Outcome::Killed) => "killed".into(),
    }
}

fn json(nucleus: &Nucleus, task: &Task, memory: u64) -> Value {
    let deadline = Some(task.deadline).filter(|ns| *ns != u64::MAX);
    state_fields(task.state())
        .with("deadline_ns", optional(deadline.map(Value::decimal)))
        .with("fuel_budget", Value::decimal(task.fuel))
        .with("fuel_spent", Value::decimal(task.spent))
        .with("memory", number(memory))
        .with("memory_limit", task.memory)
        .with("name", task.name.as_str())
        .with("priority", task.priority)
        .with("records", number(records(nucleus, task)))
        .with("task", task.subject.0)
        .into()
}

/// What is known of a task that ended and left the table.
fn ended(name: &str, subject: u32, state: State) -> Value {
    state_fields(state).with("name", name).with("task", subject).into()
}

fn state_fields(state: State) -> Object {
    use ::witness::manifest::Outcome as Word;
    let (name, until, code) = match state {
        State::Kernel | State::Ready | State::Running => ("ready", None, None),
        State::Waiting(until) => ("waiting", Some(until).filter(|ns| *ns != u64::MAX), None),
        State::Parked => ("parked", None, None),
        State::Ended(Outcome::Exit(code)) => (Word::Exit.name(), None, Some(code)),
        State::Ended(Outcome::Trap(code)) => (Word::Trap.name(), None, Some(code.number().into())),
        State::Ended(Outcome::OutOfFuel) => (Word::OutOfFuel.name(), None, Some(0)),
        State::Ended(Outcome::RecordsSpent) => (Word::Budget.name(), None, Some(0)),
        State::Ended(Outcome::Killed) => (Word::Killed.name(), None, Some(0)),
    };
    Object::new()
        .with("code", optional(code))
        .with("state", name)
        .with("until_ns", optional(until.map(Value::decimal)))
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;

    #[test]
    fn the_table_is_aligned_and_explains_codes() {
        assert_eq!(
            Sample::new().said("tasks"),
            "\
task  name    priority    deadline    fuel       of    memory        of  records  state
   1  worker         7  0.005000 s  5.00 M  50.00 G  64.0 KiB  16.0 MiB       96  ready
   2  clerk          0           -    1000  50.00 G  64.0 KiB  16.0 MiB       96  waiting until 2.000000 s
   3  broken         0           -       0  50.00 G       0 B  16.0 MiB        0  trap: memory out of bounds
"
        );
    }

    #[test]
    fn without_tasks_it_says_why() {
        let text = Sample::empty().said("tasks");
        assert_eq!(text, "There are no tasks: no package is mounted.\n");
    }
}
