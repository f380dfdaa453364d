//! The shell: any bytes on the console, through the editor and into the
//! commands, over a machine that ran.

use crate::{
    run::{Run, boot},
    world,
};
use machine::Cell;
use nucleus::Nucleus;
use package::{Manifest, Package};
use rvsh::{Action, Answer, Editor, Input, View, view::Machine};
use std::sync::LazyLock;
use witness::{Hash, Subject};

/// A machine that has run: built once, then only looked at.
struct Look {
    cell: Cell,
    package: Option<Manifest>,
    digest: Hash,
}

thread_local! {
    static LOOK: LazyLock<Look> = const {
        LazyLock::new(|| {
            let file = super::syscall::example();
            let cell = Run::of(boot(&file, 1 << 30), &[], 1).cell;
            let opened = Package::open(&file, &world::trust(), world::HASHER).ok();
            let package = opened.and_then(|package| package.manifest().cloned());
            Look { cell, package, digest: world::HASHER.hash(&file) }
        })
    };
}

pub(crate) fn fuzz(input: &[u8]) {
    let mut editor = Editor::new("rvsh> ");
    let mut row = Row::default();
    editor.show(&mut |text| row.print(text));
    for &byte in input {
        let mut length = 0;
        let input = editor.feed(byte, &mut |text| {
            length += text.len();
            row.print(text);
        });
        // A prompt and cursor movement come on top.
        assert!(length <= Editor::ECHO_MAX, "{length} bytes of echo");
        match input {
            None => {}
            Some(Input::Line(line)) => {
                assert!(line.len() <= Editor::LINE_MAX && !line.contains(char::is_control));
                LOOK.with(|look| check(&line, &rvsh::execute(&line, &**look)));
                editor.show(&mut |text| row.print(text));
            }
            Some(Input::Interrupt) => editor.show(&mut |text| row.print(text)),
            Some(Input::Complete(before)) => {
                let completion = LOOK.with(|look| rvsh::complete(&before, &**look));
                assert!(completion.choices.len() != 1 || completion.rest.ends_with(' '));
                editor.offer(&completion, &mut |text| row.print(text));
            }
        }
    }
    // Without the editor, as a script or a test would.
    if let Ok(line) = str::from_utf8(input) {
        LOOK.with(|look| check(line, &rvsh::execute(line, &**look)));
    }
}

fn check(line: &str, answer: &Answer) {
    let Answer { text, action } = answer;
    assert!(text.is_empty() || text.ends_with('\n'));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    let is_json = line.split_whitespace().any(|word| word == "-j");
    if is_json && text.starts_with(['{', '[']) {
        serde_json::from_str::<serde_json::Value>(text).expect("-j answers in JSON");
    }
    if let Some(Action::Type(typed)) = action {
        // The same words, with one blank between two.
        assert!(line.split_whitespace().skip(1).eq(typed.split_whitespace()));
    }
}

/// A row of a terminal that knows what the editor may send, and where the
/// cursor is at least.
#[derive(Default)]
struct Row {
    cursor: usize,
    length: usize,
}

impl Row {
    fn print(&mut self, text: &str) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\x07' => {}
                '\r' => self.cursor = 0,
                '\n' => *self = Self::default(),
                '\x08' => self.cursor = self.cursor.checked_sub(1).unwrap(),
                '\x1b' => self.command(&mut characters),
                _ => {
                    assert!(!character.is_control(), "{text:?}");
                    self.cursor += 1;
                    self.length = self.length.max(self.cursor);
                }
            }
        }
    }

    fn command(&mut self, characters: &mut std::str::Chars<'_>) {
        assert_eq!(characters.next(), Some('['));
        let mut count = 0;
        let last = loop {
            match characters.next().unwrap() {
                digit @ '0'..='9' => count = count * 10 + digit.to_digit(10).unwrap() as usize,
                last => break last,
            }
        };
        match last {
            'K' => self.length = self.cursor,
            'C' => self.cursor += count,
            'D' => self.cursor = self.cursor.checked_sub(count).unwrap(),
            other => panic!("not a command the editor may send: {other}"),
        }
        assert!(self.cursor <= self.length);
    }
}

impl View for Look {
    fn nucleus(&self) -> &Nucleus {
        self.cell.view()
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            version: "0",
            device_name: "fuzz",
            facts: world::facts(),
            package: self.package.as_ref(),
            package_digest: self.digest,
            heap: None,
        }
    }

    fn memory(&self, task: Subject) -> u64 {
        self.cell.memory_bytes(task)
    }

    fn checkpoint(&self) -> u64 {
        self.cell.log().size()
    }
}
