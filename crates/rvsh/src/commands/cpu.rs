//! `cpu`: the processor, and the state that the kernel keeps it in.

use alloc::string::String;

use ::witness::json::{Object, Value};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::optional;
use crate::table::Table;

pub(crate) const COMMAND: Command = Command {
    name: "cpu",
    arguments: "",
    help: "the processor and the state it is kept in",
    details: "The architecture, the processor's own name, how SHA-256 is computed, the\n\
              privilege that the kernel runs at, and the control registers with the names\n\
              of the bits that are set. The last is that of floating point: tasks compute\n\
              the same everywhere only if it rounds to nearest, traps nothing and keeps\n\
              small numbers. A replayed machine has only the architecture, from its log.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let arch = request.view.machine().facts.arch.name();
    let hardware = request.view.hardware();
    if request.json {
        let pair = |(name, value): (String, String)| {
            Object::new().with("name", name).with("value", value).into()
        };
        let state = hardware.map(|it| it.processor.into_iter().map(pair).collect::<Value>());
        let fields = Object::new().with("arch", arch).with("state", optional(state));
        return Ok(Answer::json(&fields.into()));
    }
    let mut table = Table::of_pairs();
    table.pair("architecture", arch);
    match hardware {
        Some(it) => it.processor.iter().for_each(|(name, value)| table.pair(name, value)),
        None => table.pair("processor", "not there: this machine is replayed from its log"),
    }
    Ok(Answer::text(table.render()))
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;

    #[test]
    fn what_the_processor_is_stands_beside_how_it_is_kept() {
        assert_eq!(
            Sample::quiet().said("cpu"),
            "\
architecture  x86_64
processor     Sample 9000
SHA-256       software
MXCSR         0x1f80: round to nearest
"
        );
        assert_eq!(
            Sample::quiet().said("cpu -j"),
            concat!(
                r#"{"arch":"x86_64","state":[{"name":"processor","value":"Sample 9000"},"#,
                r#"{"name":"SHA-256","value":"software"},"#,
                r#"{"name":"MXCSR","value":"0x1f80: round to nearest"}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_replayed_machine_has_only_what_its_log_says() {
        let replayed = Sample::quiet().replayed();
        assert_eq!(
            replayed.said("cpu"),
            "\
architecture  x86_64
processor     not there: this machine is replayed from its log
"
        );
        assert_eq!(replayed.said("cpu -j"), "{\"arch\":\"x86_64\",\"state\":null}\n");
    }
}
