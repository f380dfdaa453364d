//! A person at a machine's serial port.

use std::io::{IsTerminal, Read, Write};
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use rustix::stdio::stdin;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// The key that leaves the machine, Ctrl-].
pub const LEAVE: u8 = 0x1D;

/// Ctrl-C, where it comes as a byte.
const INTERRUPT: u8 = 0x03;

/// Whether a person is there to answer a prompt.
pub fn is_attended() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Asks the person at the terminal for a line; `None` where there is nobody,
/// or they end the input.
pub fn ask(prompt: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    // Stdout may be a file; what cannot be shown is not answered either.
    let _ = write!(std::io::stderr(), "{prompt}").and_then(|()| std::io::stderr().flush());
    let mut line = Vec::new();
    for byte in std::io::stdin().lock().bytes() {
        match byte.ok()? {
            b'\n' => return text(line),
            INTERRUPT => return None,
            byte => line.push(byte),
        }
    }
    text(line).filter(|line| !line.is_empty())
}

fn text(line: Vec<u8>) -> Option<String> {
    Some(String::from_utf8(line).ok()?.trim_end_matches('\r').to_owned())
}

/// The same for what is not to be seen while it is typed. Ctrl-C ends it, and
/// there is no answer: whom it killed would leave a terminal that shows nothing.
pub fn ask_hidden(prompt: &str) -> Option<String> {
    let before = tcgetattr(stdin()).ok()?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    hidden.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    tcsetattr(stdin(), OptionalActions::Flush, &hidden).ok()?;
    let restore = Raw { before: Some(before) };
    let line = ask(prompt);
    drop(restore);
    // The end of the line was not shown either.
    let _ = writeln!(std::io::stderr());
    line
}

/// The terminal in raw mode, for keys: each goes to the machine. What is
/// printed is treated as ever. As it was before once this is dropped.
pub struct Raw {
    before: Option<Termios>,
}

impl Raw {
    /// Switches to raw mode, if stdin is a terminal.
    pub fn enter() -> Self {
        let before = tcgetattr(stdin()).ok();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.make_raw();
            raw.output_modes = before.output_modes;
            // A terminal that refuses stays as it is: keys come line by line.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &raw);
        }
        Self { before }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Nothing can be done about a terminal that is gone.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// Sends what is typed to a machine, until [`LEAVE`] ends it. The flag that is
/// returned says whether it did.
pub fn forward(mut input: ChildStdin, process: u32) -> Arc<AtomicBool> {
    let left = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&left);
    thread::spawn(move || {
        let mut keys = [0; 256];
        while let Ok(count @ 1..) = std::io::stdin().read(&mut keys) {
            let typed = &keys[..count];
            let leave = typed.iter().position(|&key| key == LEAVE);
            let sent = input.write_all(&typed[..leave.unwrap_or(count)]);
            if leave.is_some() {
                flag.store(true, Ordering::SeqCst);
                let process = i32::try_from(process).ok().and_then(Pid::from_raw);
                // It may have ended by itself a moment ago. Asked politely,
                // QEMU would end with the status of a machine that is done.
                let _ = process.map(|pid| kill_process(pid, Signal::KILL));
            }
            if sent.and_then(|()| input.flush()).is_err() || leave.is_some() {
                break;
            }
        }
        // The end of what is typed (a script's, say) is not the machine's.
        thread::park();
    });
    left
}
