//! docs/SHELL.md says what the shell does: its table of commands and its
//! examples are made here and compared. With `WRITE_FORMAT=1` they are put
//! into the page instead.
#![allow(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

#[path = "../../witness/tests/common/page.rs"]
#[allow(dead_code, reason = "this page has other tables")]
mod page;
#[path = "../src/sample.rs"]
#[allow(dead_code, reason = "the examples need a part of it")]
mod sample;
/// Where the sample looks for it.
mod view {
    pub(crate) use rvsh::view::*;
}

use nucleus::Arguments;
use rvsh::command::COMMANDS;
pub(crate) use rvsh::execute;
use sample::{JOBS, PLACES, ROADS, Sample, WORKER};

/// Both blocks in one test, because they write to one file.
#[test]
fn the_page_says_what_the_shell_does() {
    page::compare("SHELL.md", "commands", &commands());
    page::compare("SHELL.md", "examples", &examples());
}

fn commands() -> String {
    let mut table = String::from("| command | does | `-j` |\n| --- | --- | --- |\n");
    for command in COMMANDS {
        let words = [command.name, command.arguments].join(" ");
        // A bar would end the cell.
        let words = words.trim_end().replace('|', "\\|");
        let json = if command.json { "yes" } else { "" };
        table += &format!("| `{words}` | {} | {json} |\n", command.help);
    }
    table
}

/// A machine whose worker has filled its stores, sent a job that waits, and
/// approved a change that nobody made.
fn machine() -> Sample {
    let mut sample = Sample::new();
    sample.slice(WORKER, |it| {
        let bytes = b"a job for the clerk";
        let job = Arguments::Send { kind: 7, priority: 0, bytes };
        it.ask(WORKER, abi::Call::QueueSend, JOBS, 0, job).unwrap();
        it.put(40, 3, [1.0, 2.5]);
        it.put(41, 4, [1.0, 4.5]);
        for (slot, node) in [(0, 1), (1, 2)] {
            it.link(slot, node, None);
        }
        it.link(4, 1, Some((2, 0.5)));
        it.approve(PLACES, 5, b"a change", u64::MAX);
        it.approve(ROADS, 6, b"another", 8_000_000_000);
    });
    sample
}

fn examples() -> String {
    let machine = machine();
    let mut text = String::from("```\n");
    for line in [
        "tasks",
        "caps worker",
        "mem",
        "queues",
        "regions",
        "vectors",
        "vectors places 40",
        "graphs roads 1",
        "proofs",
        "queues -j",
        "witness tail 2",
        "perf",
        "irq",
        "log",
        "panic",
        "mount",
        "trace filter queue_send clerk",
        "taks",
    ] {
        text += &format!("helio> {line}\n{}", machine.said(line));
    }
    text + "```\n"
}
