//! `make run` at a terminal: the verdict first, then the prompt, and another
//! verdict about what was added there.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use helio::log::folder;
use integration::work::Work;
use integration::{Log, artefacts};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use witness::manifest::End;
use witness::verify::Expected;

use crate::command::text;

const PROMPT: &str = "helio> ";

/// The command with a terminal of its own.
struct Terminal {
    screen: File,
    child: Child,
}

impl Terminal {
    fn run(arguments: &[&str]) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let path = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let end = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let end = || Stdio::from(end.try_clone().unwrap());
        let mut command = Command::new(artefacts::helio());
        command.args(arguments).current_dir(artefacts::root());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self { screen: screen.into(), child }
    }

    /// What is shown up to and with `text`, or to the end.
    fn until(&mut self, text: &str) -> String {
        let (mut shown, mut byte) = (Vec::new(), [0]);
        // Reading fails when nobody has the other end open any more.
        while !shown.ends_with(text.as_bytes()) && self.screen.read_exact(&mut byte).is_ok() {
            shown.extend(byte);
        }
        String::from_utf8(shown).unwrap().replace('\r', "")
    }
}

/// The log as it lies in a run's folder.
fn log(out: &Path) -> Log {
    let device_key = artefacts::keys().public(helio::keys::Role::Device).unwrap();
    Log::of(folder::read(&out.join("log")).unwrap(), device_key)
}

fn verdict_before_the_prompt(more: &[&str]) {
    let work = Work::new("terminal");
    let out = work.path().join("out");
    let package = artefacts::build().join("packages/regress.rvf");
    let quick = ["run", "--arch", "aarch64", "--boot", "direct", "--timeout", "120"];
    let files = ["--package", text(&package), "--out", text(&out)];
    let mut terminal = Terminal::run(&[&quick[..], &files, more].concat());

    let shown = terminal.until(PROMPT);
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(at("signed checkpoint:") < at("\nverified\n"), "{shown}");
    assert!(at("\nverified\n") < at(PROMPT), "{shown}");
    let facts = log(&out).verified(Expected::default());
    assert_eq!(facts.manifest.unwrap().end, End::Finished);

    terminal.screen.write_all(b"poweroff\r").unwrap();
    let shown = terminal.until("no such text");
    assert!(shown.contains("\nverified\n"), "{shown}");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(0), "{shown}");
    let again = log(&out).verified(Expected::default());
    assert_eq!(again.records, facts.records + 1);
    assert_eq!(again.manifest.unwrap().end, End::PowerOff);
}

#[test]
fn at_a_terminal_the_verdict_comes_before_the_prompt() {
    verdict_before_the_prompt(&[]);
}

#[test]
fn at_a_terminal_the_verdict_on_a_log_over_the_serial_port_comes_before_the_prompt() {
    verdict_before_the_prompt(&["--no-disk"]);
}
