//! `panic`: what broke, or breaking the kernel on purpose.

use alloc::string::String;

use ::witness::Subject;
use ::witness::hex::Hex;
use ::witness::json::{Object, Value};
use ::witness::record::{Body, Record, Trap, TrapCode};
use nucleus::{Nucleus, Outcome, State};

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::commands::{ROWS, more, number, optional};
use crate::table::{Align, Table};
use crate::units::Seconds;
use crate::view::{self, View, subject_label, subject_name};

pub(crate) const COMMAND: Command = Command {
    name: "panic",
    arguments: "[now]",
    help: "the tasks that trapped; `now` breaks the kernel",
    details: "Alone, one row a task that trapped, the last one at the end: its trap, the\n\
              record and time of it, and the component. A fault of the kernel's own ends\n\
              the machine: its report, with registers and backtrace for `helio symbolize`,\n\
              is then the last on the console, and the log ends with `panic`. `panic now`\n\
              makes the kernel panic, to see that this is so: first an event in the log,\n\
              which is signed, then the report. The machine is off afterwards.",
    json: true,
    completes: &[Argument::Word(&["now"])],
    run,
};

/// A task that trapped.
struct Fallen {
    subject: Subject,
    code: TrapCode,
    /// Where the log says so, if that is at hand.
    record: Option<(u64, u64, Trap)>,
}

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    match request.arguments[..] {
        [] => {}
        ["now"] if !request.json => {
            let said = "The kernel panics, which becomes an event in the log first.";
            return Ok(Answer::act(said, Action::Panic));
        }
        _ => return Err(request.usage()),
    }
    let (view, nucleus) = (request.view, request.view.nucleus());
    let fallen = || fallen(nucleus).map(|(subject, code)| Fallen::find(view, subject, code));
    if request.json {
        let json = |it: Fallen| it.json(nucleus);
        return Ok(Answer::json(&fallen().take(ROWS).map(json).collect()));
    }
    let count = fallen().count();
    if count == 0 {
        return Ok(Answer::text("No task has trapped, and the kernel has not panicked.\n".into()));
    }
    let mut table = Table::new(&[
        ("record", Align::Right),
        ("time", Align::Right),
        ("task", Align::Left),
        ("trap", Align::Left),
        ("component", Align::Left),
    ]);
    for Fallen { subject, code, record } in fallen().take(ROWS) {
        let none = || String::from("-");
        let (index, time, component) = match &record {
            Some((index, time_ns, trap)) => (
                alloc::format!("{index}"),
                alloc::format!("{}", Seconds(*time_ns)),
                alloc::format!("{}", crate::commands::Short(&trap.component)),
            ),
            None => (none(), none(), none()),
        };
        table.row([index, time, subject_label(nucleus, subject), code.name().into(), component]);
    }
    Ok(Answer::text(table.render() + &more(count, "task")))
}

/// The tasks that trapped, in order of their numbers as far as they are in the
/// table.
fn fallen(nucleus: &Nucleus) -> impl Iterator<Item = (Subject, TrapCode)> {
    let gone = nucleus.gone().iter().map(|gone| (gone.subject, gone.state));
    let tasks = nucleus.tasks().map(|(subject, task)| (subject, task.state()));
    gone.chain(tasks).filter_map(|(subject, state)| match state {
        State::Ended(Outcome::Trap(code)) => Some((subject, code)),
        _ => None,
    })
}

impl Fallen {
    fn find(view: &dyn View, subject: Subject, code: TrapCode) -> Self {
        let is_its = |record: &Record<'_>| record.subject == subject;
        let end = view.nucleus().log().next().0;
        let record = (view::oldest(view)..end).rev().find_map(|index| {
            let record = view::entry(view, index)?.record.ok().filter(is_its)?;
            match record.body {
                Body::Trap(trap) => Some((index, record.point.time_ns, trap)),
                _ => None,
            }
        });
        Self { subject, code, record }
    }

    fn json(&self, nucleus: &Nucleus) -> Value {
        let record = self.record.as_ref();
        let component = record.map(|(.., trap)| alloc::format!("{}", Hex(&trap.component)));
        Object::new()
            .with("code", i32::from(self.code.number()))
            .with("component", optional(component))
            .with("name", subject_name(nucleus, self.subject))
            .with("record", optional(record.map(|(index, ..)| number(*index))))
            .with("task", self.subject.0)
            .with("time_ns", optional(record.map(|(_, time_ns, _)| Value::decimal(*time_ns))))
            .with("trap", self.code.name())
            .into()
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;
    use crate::{Action, execute};

    #[test]
    fn a_task_that_trapped_is_shown_with_its_record() {
        let said = Sample::new().said("panic");
        let (head, row) = said.split_once('\n').unwrap();
        assert_eq!(head, "record        time  task        trap                  component");
        assert!(row.starts_with("     6  0.000000 s  broken (3)  memory out of bounds  "), "{row}");
        let json = Sample::new().said("panic -j");
        assert!(json.starts_with("[{\"code\":2,\"component\":\""), "{json}");
        assert!(
            json.contains("\"name\":\"broken\",\"record\":6,\"task\":3,\"time_ns\":\""),
            "{json}"
        );
        assert!(json.ends_with("\"trap\":\"memory out of bounds\"}]\n"), "{json}");
    }

    #[test]
    fn where_nothing_broke_it_says_so() {
        let said = Sample::empty().said("panic");
        assert_eq!(said, "No task has trapped, and the kernel has not panicked.\n");
        assert_eq!(Sample::empty().said("panic -j"), "[]\n");
    }

    #[test]
    fn only_the_whole_word_breaks_the_kernel() {
        let action = |line| execute(line, &Sample::new()).action;
        assert_eq!(action("panic now"), Some(Action::Panic));
        for line in ["panic", "panic no", "panic now now", "panic now -j", "panic NOW"] {
            assert_eq!(action(line), None, "{line}");
        }
    }
}
