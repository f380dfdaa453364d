//! The table of commands, and how a line finds its row.

use alloc::string::String;
use alloc::vec::Vec;

use crate::answer::{Answer, Refusal};
use crate::commands::{
    caps, challenge, cpu, graphs, help, info, input, irq, log, mem, mount, panic, perf, power,
    proofs, queues, regions, stop, tasks, trace, vectors, witness,
};
use crate::view::View;

/// A command: a row of the table.
pub struct Command {
    /// Its name: the first word of the line.
    pub name: &'static str,
    /// What follows the name, as help shows it.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub help: &'static str,
    /// More, for `help NAME`: whole sentences in lines of at most 79 columns.
    pub details: &'static str,
    /// Whether it takes `-j`.
    pub json: bool,
    /// What its arguments name, for completion: one for each.
    pub(crate) completes: &'static [Argument],
    /// Does it.
    pub(crate) run: fn(&Request<'_>) -> Result<Answer, Refusal>,
}

/// What an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A command.
    Command,
    /// A task.
    Task,
    /// A vector store.
    Vectors,
    /// A graph store.
    Graphs,
    /// A sensor.
    Sensor,
    /// A module that can be mounted.
    Module,
    /// What a trace can be filtered by.
    Traced,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// Every command, in the order help lists them.
pub const COMMANDS: &[Command] = &[
    help::COMMAND,
    info::COMMAND,
    tasks::COMMAND,
    caps::COMMAND,
    mem::COMMAND,
    queues::COMMAND,
    regions::COMMAND,
    vectors::COMMAND,
    graphs::COMMAND,
    proofs::COMMAND,
    witness::COMMAND,
    perf::COMMAND,
    irq::COMMAND,
    cpu::COMMAND,
    log::COMMAND,
    trace::COMMAND,
    panic::COMMAND,
    mount::COMMAND,
    challenge::COMMAND,
    input::TYPE,
    input::FEED,
    input::APPROVE,
    stop::STOP,
    stop::RESUME,
    stop::SNAPSHOT,
    power::REBOOT,
    power::POWEROFF,
];

/// A line taken apart, and what it is about.
pub(crate) struct Request<'a> {
    pub(crate) command: &'static Command,
    /// The words after the name, without `-j`.
    pub(crate) arguments: Vec<&'a str>,
    /// Whether the answer is to be one line of JSON.
    pub(crate) json: bool,
    pub(crate) view: &'a dyn View,
}

impl Request<'_> {
    /// A refusal that says how the command is used.
    pub(crate) fn usage(&self) -> Refusal {
        Refusal(alloc::format!("usage: {}", usage(self.command)))
    }

    /// Refuses arguments where the command takes none.
    pub(crate) fn no_arguments(&self) -> Result<(), Refusal> {
        if self.arguments.is_empty() { Ok(()) } else { Err(self.usage()) }
    }
}

/// Name, arguments and `-j` in one line.
pub(crate) fn usage(command: &Command) -> String {
    let parts = [command.name, command.arguments, if command.json { "[-j]" } else { "" }];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// Longest word that is shown back, in characters.
const SHOWN: usize = 32;

/// Answers a line.
pub fn execute(line: &str, view: &dyn View) -> Answer {
    run(line, view).unwrap_or_else(|Refusal(sentence)| Answer::text(sentence + "\n"))
}

fn run(line: &str, view: &dyn View) -> Result<Answer, Refusal> {
    let mut words = line.split_whitespace();
    // As at other prompts, a line without words asks for nothing.
    let Some(name) = words.next() else { return Ok(Answer::text(String::new())) };
    let command = find(name).ok_or_else(|| unknown(name))?;
    let (options, arguments): (Vec<&str>, Vec<&str>) =
        words.partition(|word| word.starts_with('-'));
    let request = Request { command, arguments, json: !options.is_empty(), view };
    if options.iter().any(|option| *option != "-j" || !command.json) {
        return Err(request.usage());
    }
    (command.run)(&request)
}

pub(crate) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// A word as it can be shown back.
pub(crate) fn shown(word: &str) -> String {
    word.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

pub(crate) fn unknown(name: &str) -> Refusal {
    let shown = shown(name);
    let near = COMMANDS.iter().map(|c| c.name).find(|known| is_near(name, known));
    Refusal(match near {
        Some(near) => alloc::format!("There is no command `{shown}`; did you mean `{near}`?"),
        None => alloc::format!("There is no command `{shown}`; `help` lists those there are."),
    })
}

/// Whether what was typed is the beginning of a name, or one slip of a finger
/// away: a letter too many, too few, wrong, or two swapped.
fn is_near(typed: &str, name: &str) -> bool {
    let (typed, name) = (typed.as_bytes(), name.as_bytes());
    if typed.len().abs_diff(name.len()) > 1 {
        return name.starts_with(typed);
    }
    let same = typed.iter().zip(name).take_while(|(a, b)| a == b).count();
    let (a, b) = (&typed[same..], &name[same..]);
    let after = |text: &'_ [u8], count: usize| text.get(count..).map(<[u8]>::to_vec);
    let swapped = a.len() > 1 && b.len() > 1 && a[0] == b[1] && a[1] == b[0];
    name.starts_with(typed)
        || after(a, 1) == after(b, 1)
        || after(a, 1).as_deref() == Some(b)
        || after(b, 1).as_deref() == Some(a)
        || (swapped && after(a, 2) == after(b, 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{PLACES, Sample, WORKER};
    use crate::{Action, Editor};
    use proptest::prelude::*;

    /// The most an answer may be: a full tail of records of the largest size.
    const LONGEST_ANSWER: usize = 128 << 10;

    proptest! {
        #[test]
        fn no_line_makes_it_panic_or_talk_without_end(line in ".{0,300}") {
            prop_assert!(execute(&line, &Sample::new()).text.len() < LONGEST_ANSWER);
        }

        #[test]
        fn no_arguments_make_it_panic_and_every_answer_is_whole_lines(
            command in 0..COMMANDS.len(),
            words in prop::collection::vec("-j|tail|show|[0-9]{1,25}|[0-9a-f]{64}|\\PC{0,9}", 0..4),
        ) {
            let line = [COMMANDS[command].name, &words.join(" ")].join(" ");
            let answer = execute(&line, &Sample::new());
            prop_assert!(answer.text.ends_with('\n') && answer.text.len() < LONGEST_ANSWER);
            prop_assert!(answer.text.chars().all(|c| c == '\n' || !c.is_control()));
        }

        #[test]
        fn json_is_one_line_that_parses(name in "info|tasks|caps worker|caps kernel|mem|queues|regions|vectors|graphs|vectors places\
                |graphs roads|proofs|witness|witness tail 9|witness show 1|witness proof 1\
                |perf|irq|cpu|log|log warnings|log 1|trace|panic|mount") {
            let answer = execute(&[&name, " -j"].concat(), &Sample::new());
            let line = answer.text.strip_suffix('\n').unwrap();
            ::witness::json::parse_canonical(line).unwrap();
        }
    }

    #[test]
    fn an_unknown_command_gets_a_helpful_sentence_and_none_gets_nothing() {
        let said = |line| execute(line, &Sample::new()).text;
        assert_eq!(said(""), "");
        assert_eq!(said("  \t "), "");
        assert_eq!(said("frob"), "There is no command `frob`; `help` lists those there are.\n");
        for (typed, meant) in [
            ("taks", "tasks"),
            ("task", "tasks"),
            ("infos", "info"),
            ("wit", "witness"),
            ("rebopt", "reboot"),
            ("halp", "help"),
        ] {
            let sentence = alloc::format!("did you mean `{meant}`?\n");
            assert!(said(typed).ends_with(&sentence), "{}", said(typed));
        }
        assert_eq!(said("info -x"), "usage: info [-j]\n");
        assert_eq!(said("reboot -j"), "usage: reboot\n");
        assert!(said("\u{1b}[2J").contains("\\u{1b}[2J"));
    }

    #[test]
    fn only_commands_that_change_something_ask_for_an_action() {
        let action = |line| execute(line, &Sample::new()).action;
        let nonce = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        for line in ["", "help", "help reboot", "info", "tasks", "witness", "witness tail"] {
            assert_eq!(action(line), None);
        }
        for line in ["caps 1", "mem", "queues", "regions", "vectors", "graphs", "proofs"] {
            assert_eq!(action(line), None);
        }
        for line in ["perf", "irq", "cpu", "trace", "panic", "mount", "witness proof 0"] {
            assert_eq!(action(line), None);
        }
        let export = action("witness export").unwrap();
        assert!(export == Action::Export && !export.is_event());
        assert_eq!(action("reboot"), Some(Action::Reboot));
        assert_eq!(action("poweroff"), Some(Action::PowerOff));
        assert_eq!(action("stop"), Some(Action::Stop));
        assert_eq!(action("resume"), Some(Action::Resume));
        assert_eq!(action("snapshot"), Some(Action::Snapshot));
        let challenged = action(&alloc::format!("challenge {nonce}"));
        assert!(matches!(challenged, Some(Action::Challenge(bytes)) if bytes[1] == 0x11));
    }

    /// All that a snapshot holds, and where the log stands.
    fn state(sample: &Sample) -> (Vec<u8>, ::witness::Hash, u64, usize) {
        let mut state = Vec::new();
        let mut emit = |bytes: &[u8]| state.extend_from_slice(bytes);
        let mut writer = nucleus::snapshot::Writer::new(&mut emit);
        sample.nucleus.save(&mut writer);
        writer.finish();
        let log = sample.nucleus.log();
        (state, log.root(), log.size(), log.pending())
    }

    #[test]
    fn looking_changes_nothing() {
        let mut sample = Sample::new();
        sample.slice(WORKER, |it| {
            it.put(40, 3, [1.0, 2.5]);
            it.link(0, 1, None);
            it.approve(PLACES, 4, b"a change", u64::MAX);
        });
        let before = state(&sample);
        assert!(before.0.len() > 10_000);
        let arguments = ["", "worker", "kernel", "places", "places 40", "roads", "roads 1", "tail"];
        for command in COMMANDS {
            for argument in arguments {
                for line in [argument, &[argument, " -j"].concat()] {
                    execute(&[command.name, " ", line].concat(), &sample);
                }
                crate::complete(&[command.name, " ", argument].concat(), &sample);
            }
        }
        assert!(before == state(&sample));
    }

    #[test]
    fn every_row_of_the_table_fits_a_line_of_the_editor_and_a_terminal() {
        for command in COMMANDS {
            assert!(usage(command).len() < Editor::LINE_MAX);
            assert!(command.details.lines().all(|line| line.len() <= 79), "{}", command.name);
            assert!(command.help.len() <= 48 && !command.help.ends_with('.'));
        }
    }
}
