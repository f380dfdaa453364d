//! `log`: what the kernel said, for whoever came to the console later.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::json::{Object, Value};

use crate::answer::{Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::commands::{ROWS, number, optional};
use crate::table::{Align, Table};
use crate::units::Seconds;
use crate::view::Message;

pub(crate) const COMMAND: Command = Command {
    name: "log",
    arguments: "[warnings] [N]",
    help: "what the kernel said on the console",
    details: "The kernel's own lines, the last one at the end: how many it had said before,\n\
              the machine's clock, which is no logical time, and whether somebody should\n\
              look into it. `log warnings` shows only those, `log N` the last N. A machine\n\
              keeps the last 128 in memory. They are no evidence, and a replayed machine\n\
              has none: what is signed is shown by `witness`.",
    json: true,
    completes: &[Argument::Word(&["warnings"])],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let count = |text: &str| text.parse::<usize>().map_err(|_| request.usage());
    let (warnings, rows) = match request.arguments[..] {
        [] => (false, ROWS),
        ["warnings"] => (true, ROWS),
        ["warnings", rows] => (true, count(rows)?),
        [rows] => (false, count(rows)?),
        _ => return Err(request.usage()),
    };
    let messages = request.view.messages().ok_or_else(|| {
        Refusal(
            "A replayed machine says nothing: its log holds records, `witness` has them.".into(),
        )
    })?;
    let mut asked: Vec<&Message> =
        messages.iter().filter(|it| it.is_warning || !warnings).collect();
    let shown = asked.split_off(asked.len().saturating_sub(rows.min(ROWS)));
    if request.json {
        return Ok(Answer::json(&shown.into_iter().map(json).collect()));
    }
    if shown.is_empty() {
        return Ok(Answer::text("There are no such lines.\n".into()));
    }
    let mut table = Table::new(&[
        ("line", Align::Right),
        ("time", Align::Right),
        ("level", Align::Left),
        ("text", Align::Left),
    ]);
    for it in shown {
        let time = it.time_ns.map_or(String::from("-"), |ns| Seconds(ns).to_string());
        table.row([it.number.to_string(), time, level(it).into(), it.text.clone()]);
    }
    Ok(Answer::text(table.render()))
}

fn level(message: &Message) -> &'static str {
    if message.is_warning { "warning" } else { "note" }
}

fn json(message: &Message) -> Value {
    Object::new()
        .with("level", level(message))
        .with("line", number(message.number))
        .with("text", message.text.as_str())
        .with("time_ns", optional(message.time_ns.map(Value::decimal)))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;

    #[test]
    fn each_line_has_its_time_and_level() {
        let said = |line| Sample::quiet().said(line);
        let head = "line        time  level    text\n";
        let warning =
            "  18  1.204000 s  warning  no hardware entropy: the boot is named by the clock\n";
        let last = "  19  1.205000 s  note     init: entropy done\n";
        let first = "  17           -  note     init: devices done\n";
        assert_eq!(said("log"), [head, first, warning, last].concat());
        assert_eq!(said("log 2"), [head, warning, last].concat());
        assert_eq!(said("log warnings"), [head, warning].concat());
        assert_eq!(said("log warnings 7"), said("log warnings"));
        assert_eq!(said("log 0"), "There are no such lines.\n");
        assert_eq!(
            said("log 2 -j"),
            concat!(
                r#"[{"level":"warning","line":18,"text":"no hardware entropy: the boot is named by "#,
                r#"the clock","time_ns":"1204000000"},"#,
                r#"{"level":"note","line":19,"text":"init: entropy done","time_ns":"1205000500"}]"#,
                "\n"
            )
        );
        for bad in ["log -1", "log 1 2", "log notes", "log warnings x", "log warnings 1 2"] {
            assert_eq!(said(bad), "usage: log [warnings] [N] [-j]\n", "{bad}");
        }
    }

    #[test]
    fn a_replayed_machine_says_that_it_has_none() {
        let said = Sample::quiet().replayed().said("log");
        assert!(said.starts_with("A replayed machine says nothing: "), "{said}");
    }
}
