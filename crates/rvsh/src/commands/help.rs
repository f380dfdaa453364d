//! `help`: the table of commands, or one of its rows.

use alloc::string::String;

use crate::answer::{Answer, Refusal};
use crate::command::{self, Argument, COMMANDS, Command, Request};
use crate::table::Table;

pub(crate) const COMMAND: Command = Command {
    name: "help",
    arguments: "[COMMAND]",
    help: "list the commands, or explain one",
    details: "Without an argument, lists every command with its arguments. Words in\n\
              brackets may be left out. -j asks for one line of JSON.",
    json: false,
    completes: &[Argument::Command],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    match request.arguments[..] {
        [] => Ok(Answer::text(list())),
        [name] => command::find(name).map(explain).ok_or_else(|| command::unknown(name)),
        _ => Err(request.usage()),
    }
}

fn list() -> String {
    let mut table = Table::of_pairs();
    for command in COMMANDS {
        table.pair(&command::usage(command), command.help);
    }
    table.render()
}

fn explain(command: &Command) -> Answer {
    let Command { help, details, .. } = command;
    Answer::text(alloc::format!("{}\n  {help}\n\n{details}\n", command::usage(command)))
}

#[cfg(test)]
mod tests {
    use crate::{execute, sample::Sample};

    #[test]
    fn help_lists_and_explains() {
        let list = execute("help", &Sample::new()).text;
        assert!(list.contains("\nwitness [tail [N] | show N | proof N | export] [-j]  "), "{list}");
        let one = execute("help witness", &Sample::new()).text;
        assert!(one.starts_with("witness [tail [N] | show N | proof N | export] [-j]\n"));
        let none = execute("help wintess", &Sample::new()).text;
        assert_eq!(none, "There is no command `wintess`; did you mean `witness`?\n");
        assert_eq!(execute("help a b", &Sample::new()).text, "usage: help [COMMAND]\n");
    }
}
