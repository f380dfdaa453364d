//! The editor against a small model of a terminal: after any bytes, what the
//! screen shows is prompt and line.

use super::*;
use alloc::string::ToString;
use alloc::vec::Vec;
use proptest::prelude::*;

const PROMPT: &str = "> ";

/// One row of a terminal, with the few commands the editor sends.
#[derive(Default)]
struct Row {
    cells: Vec<char>,
    cursor: usize,
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
                '\x1b' => {
                    assert_eq!(characters.next(), Some('['));
                    let mut count = 0;
                    let last = loop {
                        match characters.next().unwrap() {
                            digit @ '0'..='9' => count = count * 10 + digit as usize - '0' as usize,
                            last => break last,
                        }
                    };
                    match last {
                        'K' => self.cells.truncate(self.cursor),
                        'C' => self.cursor += count,
                        'D' => self.cursor = self.cursor.checked_sub(count).unwrap(),
                        other => panic!("not a command the editor may send: {other}"),
                    }
                    assert!(self.cursor <= self.cells.len());
                }
                _ => {
                    self.cells.truncate(self.cells.len().max(self.cursor));
                    match self.cells.get_mut(self.cursor) {
                        Some(cell) => *cell = character,
                        None => self.cells.push(character),
                    }
                    self.cursor += 1;
                }
            }
        }
    }
}

fn type_in(editor: &mut Editor, bytes: &[u8]) -> (Vec<Input>, String) {
    let mut echo = String::new();
    let inputs =
        bytes.iter().filter_map(|byte| editor.feed(*byte, &mut |text| echo.push_str(text)));
    (inputs.collect(), echo.clone())
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let mut editor = Editor::new(PROMPT);
    let mut lines = Vec::new();
    for byte in bytes {
        if let Some(Input::Line(line)) = editor.feed(*byte, &mut |_| {}) {
            lines.push(line);
        }
    }
    lines
}

/// Bytes that are often keys.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![
        4 => "[a-z ]{1,5}".prop_map(String::into_bytes),
        1 => "\\PC".prop_map(String::into_bytes),
        2 => (0u8..0x20).prop_map(|byte| [byte].into()),
        2 => "\x1b(\\[|O)[0-9;]{0,3}[A-Z~]".prop_map(String::into_bytes),
        1 => any::<Vec<u8>>(),
    ];
    prop::collection::vec(key, 0..60).prop_map(|keys| keys.concat())
}

proptest! {
    #[test]
    fn after_any_bytes_the_screen_shows_the_line(bytes in keys()) {
        let mut editor = Editor::new(PROMPT);
        let mut row = Row::default();
        editor.show(&mut |text| row.print(text));
        for byte in bytes {
            let mut echoed = 0;
            let input = editor.feed(byte, &mut |text| {
                echoed += text.len();
                row.print(text);
            });
            prop_assert!(echoed <= Editor::ECHO_MAX);
            if let Some(Input::Line(line)) = input {
                prop_assert!(line.len() <= Editor::LINE_MAX && !line.contains(char::is_control));
                editor.show(&mut |text| row.print(text));
            }
            if !editor.is_overlong {
                let shown: String = row.cells.iter().collect();
                prop_assert_eq!(shown, [PROMPT, editor.line.text()].concat());
                let column = PROMPT.len() + editor.line.before().chars().count();
                prop_assert_eq!(row.cursor, column);
            }
        }
    }

    #[test]
    fn what_is_typed_is_what_comes_out(text in "\\PC{0,60}") {
        let typed = [text.as_bytes(), b"\r"].concat();
        if text.chars().any(char::is_control) { return Ok(()) }
        prop_assert_eq!(lines(&typed), [text]);
    }
}

/// Types with tabs, each completed from these words.
fn completing(editor: &mut Editor, row: &mut Row, bytes: &[u8], words: &[&str]) {
    for byte in bytes {
        let input = editor.feed(*byte, &mut |text| row.print(text));
        let Some(Input::Complete(before)) = input else { continue };
        let fits = |word: &&str| word.starts_with(&before);
        let choices: Vec<String> =
            words.iter().copied().filter(fits).map(ToString::to_string).collect();
        let rest = match choices.as_slice() {
            [only] => [&only[before.len()..], " "].concat(),
            _ => String::new(),
        };
        editor.offer(&Completion { rest, choices }, &mut |text| row.print(text));
        let shown: String = row.cells.iter().collect();
        assert_eq!(shown, [PROMPT, editor.line.text()].concat());
        assert_eq!(row.cursor, PROMPT.len() + editor.line.before().chars().count());
    }
}

#[test]
fn a_tab_puts_in_what_is_certain_and_else_shows_the_choices() {
    let mut editor = Editor::new(PROMPT);
    let mut row = Row::default();
    editor.show(&mut |text| row.print(text));
    let words = ["reboot", "regions", "tasks"];
    completing(&mut editor, &mut row, b"ta\t", &words);
    assert_eq!(editor.line.text(), "tasks ");
    // In the middle of a line, what is right of the cursor stays there.
    completing(&mut editor, &mut row, b"\x15-j\x01ta\t", &words);
    assert_eq!((editor.line.text(), editor.line.rest()), ("tasks -j", "-j"));
    completing(&mut editor, &mut row, b"\x15re\t", &words);
    assert_eq!(editor.line.text(), "re");
    completing(&mut editor, &mut row, b"x\t", &words);
    assert_eq!(editor.line.text(), "rex");

    let mut said = String::new();
    let choices = words.map(String::from).to_vec();
    editor.offer(&Completion { rest: String::new(), choices }, &mut |text| said.push_str(text));
    assert_eq!(said, ["\r\nreboot  regions  tasks\r\n\r", ERASE_REST, "> rex"].concat());
    let choices = (0..100).map(|number| number.to_string()).collect();
    editor.offer(&Completion { rest: String::new(), choices }, &mut |text| said.push_str(text));
    assert!(said.contains("  63\r\nand 36 more\r\n"), "{said}");
}

#[test]
fn a_completion_that_does_not_fit_leaves_a_line_that_does() {
    let mut editor = Editor::new(PROMPT);
    type_in(&mut editor, &[b'a'; Editor::LINE_MAX - 2]);
    let completion = Completion { rest: "bcd ".into(), choices: ["abcd".into()].into() };
    editor.offer(&completion, &mut |_| {});
    assert_eq!(editor.line.text().len(), Editor::LINE_MAX);
    assert!(!editor.is_overlong);
}

#[test]
fn lines_end_with_cr_lf_or_both() {
    assert_eq!(lines(b"a\rb\nc\r\nd\n\re\r\n"), ["a", "b", "c", "d", "", "e"]);
}

#[test]
fn keys_edit_the_line() {
    for (typed, line) in [
        (&b"abd\x08c\r"[..], "abc"),
        (b"abd\x7fc\r", "abc"),
        (b"\x7f\x7fa\r", "a"),
        (b"abc\x15x\r", "x"),
        (b"abc\x03x\r", "x"),
        (b"ac\x1b[Db\r", "abc"),
        (b"bc\x01a\x05d\r", "abcd"),
        (b"abc\x1b[D\x1b[D\x1b[3~\r", "ac"),
        (b"abc\x1bOD\x0b\r", "ab"),
        (b"one two  \x17three\r", "one three"),
        (b"a\x1b[1;5Db\r", "ba"),
        (b"a\x1b[99999999mb\r", "ab"),
        (b"a\x1b\rb\r", "a"),
        ("é\x7fü\r".as_bytes(), "ü"),
        (b"a\x00\x16b\r", "ab"),
        (b"\xff\xc3(\xe2\x82\xed\xa0\x80x\r", "(x"),
        (b"\xc2\x9b2Jx\r", "2Jx"),
    ] {
        assert_eq!(lines(typed)[0], line, "{:?}", typed.escape_ascii().to_string());
    }
}

#[test]
fn history_goes_back_and_forth_and_keeps_the_draft() {
    let up = "\x1b[A";
    let down = "\x1b[B";
    let typed = ["one\rtwo\rtwo\r \r", "dra", up, up, up, down, down, "ft\r"].concat();
    assert_eq!(lines(typed.as_bytes()), ["one", "two", "two", " ", "draft"]);
    let typed = ["one\rtwo\rtwo\r", up, up, "!\r", up, "\r"].concat();
    assert_eq!(lines(typed.as_bytes())[3..], ["one!", "one!"]);

    let mut many = String::new();
    for number in 0..3 * HISTORY {
        many += &(number.to_string() + "\r");
    }
    many += &(up.repeat(5 * HISTORY) + "\r");
    let oldest = (3 * HISTORY - HISTORY).to_string();
    assert_eq!(lines(many.as_bytes()).last(), Some(&oldest));
}

#[test]
fn an_overlong_line_is_refused_whole_and_said_once() {
    let mut editor = Editor::new(PROMPT);
    let exactly = "x".repeat(Editor::LINE_MAX);
    let (inputs, _) = type_in(&mut editor, [exactly.as_bytes(), b"\r"].concat().as_slice());
    assert_eq!(inputs, [Input::Line(exactly.clone())]);
    let (inputs, echo) =
        type_in(&mut editor, [exactly.as_bytes(), b"yz\x7f\r"].concat().as_slice());
    assert_eq!(inputs, []);
    assert!(echo.contains("\r\nThe line is longer than 512 bytes and was not run.\r\n"));
    assert_eq!(echo.matches(BELL).count(), 1);
    let (inputs, _) = type_in(&mut editor, b"help\r");
    assert_eq!(inputs, [Input::Line("help".into())]);
    let (inputs, _) =
        type_in(&mut editor, [exactly.as_bytes(), b"yz\x15help\r"].concat().as_slice());
    assert_eq!(inputs, [Input::Line("help".into())]);
}

#[test]
fn a_megabyte_without_a_line_end_costs_nothing() {
    let mut editor = Editor::new(PROMPT);
    let (inputs, echo) = type_in(&mut editor, &[b'a'; 1 << 20]);
    assert_eq!(inputs, []);
    assert!(echo.len() <= Editor::LINE_MAX + BELL.len());
    let (inputs, _) = type_in(&mut editor, b"\x03");
    assert_eq!(inputs, [Input::Interrupt]);
    assert_eq!(editor.line.text(), "");
}

#[test]
fn hiding_leaves_an_empty_row_and_showing_restores_it() {
    let mut editor = Editor::new(PROMPT);
    let mut row = Row::default();
    editor.show(&mut |text| row.print(text));
    for byte in b"abc\x1b[D" {
        editor.feed(*byte, &mut |text| row.print(text));
    }
    editor.hide(&mut |text| row.print(text));
    assert!(row.cells.is_empty());
    editor.show(&mut |text| row.print(text));
    assert_eq!((row.cells.len(), row.cursor), (5, 4));
}
