//! `irq`: the interrupts in use, and how often each came.

use alloc::string::ToString;

use ::witness::json::{Object, Value};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::number;
use crate::hardware::{Hardware, Line};
use crate::table::{Align, Table};

pub(crate) const COMMAND: Command = Command {
    name: "irq",
    arguments: "",
    help: "the interrupts in use and how often each came",
    details: "One row an interrupt: what it is for, the controller that delivers it, its\n\
              number there (for a local APIC's own timer the vector), and how often it came\n\
              since the start; then those that nobody asked for. Nothing that is recorded\n\
              depends on interrupts, so a replayed machine has none.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let hardware = request.view.hardware().ok_or_else(|| {
        Refusal("A replayed machine has no interrupts: nothing recorded depends on them.".into())
    })?;
    if request.json {
        return Ok(Answer::json(&json(&hardware)));
    }
    let mut table = Table::new(&[
        ("interrupt", Align::Left),
        ("controller", Align::Left),
        ("line", Align::Right),
        ("count", Align::Right),
    ]);
    for Line { device, controller, number, count } in &hardware.interrupts {
        table.row([(*device).into(), (*controller).into(), number.to_string(), count.to_string()]);
    }
    let spurious = hardware.spurious.to_string();
    table.row(["spurious".into(), "-".into(), "-".into(), spurious]);
    Ok(Answer::text(table.render()))
}

fn json(hardware: &Hardware) -> Value {
    let line = |it: &Line| {
        Object::new()
            .with("controller", it.controller)
            .with("count", number(it.count))
            .with("interrupt", it.device)
            .with("line", it.number)
            .into()
    };
    Object::new()
        .with("interrupts", hardware.interrupts.iter().map(line).collect::<Value>())
        .with("spurious", number(hardware.spurious))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;

    #[test]
    fn each_interrupt_is_counted() {
        assert_eq!(
            Sample::quiet().said("irq"),
            "\
interrupt  controller  line  count
timer      GICv3         27     12
console    GICv3         33    345
spurious   -              -      0
"
        );
        assert_eq!(
            Sample::quiet().said("irq -j"),
            concat!(
                r#"{"interrupts":[{"controller":"GICv3","count":12,"interrupt":"timer","line":27},"#,
                r#"{"controller":"GICv3","count":345,"interrupt":"console","line":33}],"#,
                r#""spurious":0}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_replayed_machine_says_that_it_has_none() {
        let said = Sample::quiet().replayed().said("irq");
        assert!(said.starts_with("A replayed machine has no interrupts"), "{said}");
    }
}
