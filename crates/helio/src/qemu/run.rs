//! A running machine: its process, its console and its time limit.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{HelioError, Result};

use super::description::Description;
use super::status::End;

/// How long QEMU may take to go away once its console is closed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A machine that was started. Dropping it ends QEMU.
pub struct Run {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    errors: Receiver<Vec<u8>>,
    console: Vec<u8>,
    /// Up to where [`Run::expect`] has looked.
    seen: usize,
    deadline: Option<Instant>,
    program: String,
}

/// What is left of a machine.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// Every byte of its serial port.
    pub console: Vec<u8>,
    /// What QEMU itself had to say.
    pub errors: String,
}

impl Run {
    pub(super) fn spawn(
        mut command: Command,
        description: &Description,
        limit: Option<Duration>,
    ) -> Result<Self> {
        let spawned =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => HelioError::Missing {
                what: description.program.clone(),
                advice: format!(
                    "install the package {0} (Debian: apt-get install {0})",
                    description.install
                ),
            },
            _ => HelioError::Failed {
                what: description.program.clone(),
                reason: error.to_string(),
                advice: "check that the program can be started by hand".into(),
            },
        })?;
        let input = child.stdin.take();
        let output = pump(child.stdout.take());
        let errors = pump(child.stderr.take());
        Ok(Self {
            child,
            input,
            output,
            errors,
            console: Vec::new(),
            seen: 0,
            deadline: limit.map(|limit| Instant::now() + limit),
            program: description.program.clone(),
        })
    }

    /// Sends bytes to the machine's serial port. A machine that is gone takes
    /// them without a word.
    pub fn send(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.input {
            // The pipe breaks when QEMU ends; `wait` then says how it did.
            let _ = input.write_all(bytes).and_then(|()| input.flush());
        }
    }

    /// The write end of the serial port, for a thread that forwards keys.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// QEMU's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The next bytes from the serial port; `None` once there are no more, or
    /// the machine has reached its time limit.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        self.next_bytes(self.deadline).ok()
    }

    /// Waits until `text` has come after what was last expected, and returns
    /// everything before it.
    ///
    /// # Errors
    /// It has not come within `patience` or the machine's time limit, or the
    /// machine ended first.
    pub fn expect(&mut self, text: &str, patience: Duration) -> Result<String> {
        let until = Instant::now() + patience;
        let until = self.deadline.map_or(until, |deadline| deadline.min(until));
        // What was looked at is not looked at again: a log may come in between.
        let mut from = self.seen;
        loop {
            if let Some(at) = find(&self.console[from..], text.as_bytes()) {
                let before = String::from_utf8_lossy(&self.console[self.seen..from + at]);
                let before = before.into_owned();
                self.seen = from + at + text.len();
                return Ok(before);
            }
            // The text may have begun at the end.
            from = from.max((self.console.len() + 1).saturating_sub(text.len()));
            match self.next_bytes(Some(until)) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.out_of_time(&format!("{text:?} on its console")));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.failed(format!("ended before it said {text:?}")));
                }
            }
        }
    }

    /// Everything the serial port has said so far.
    pub fn console(&self) -> &[u8] {
        &self.console
    }

    /// Ends the machine now.
    pub fn kill(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
    }

    /// Reads to the end and waits for QEMU. A machine that reaches its time
    /// limit is ended.
    pub fn wait(mut self) -> Result<Ended> {
        let timed_out = loop {
            match self.next_bytes(self.deadline) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break false,
                Err(RecvTimeoutError::Timeout) => break true,
            }
        };
        if timed_out || !self.is_gone_within(LAST_WORDS) {
            self.kill();
        }
        let status = self.child.wait().map_err(|error| self.failed(error.to_string()))?;
        let end = if timed_out { End::TimedOut } else { End::of(status) };
        let errors: Vec<u8> = self.errors.iter().flatten().collect();
        let errors = String::from_utf8_lossy(&errors).trim().to_owned();
        Ok(Ended { end, console: std::mem::take(&mut self.console), errors })
    }

    fn is_gone_within(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn next_bytes(&mut self, until: Option<Instant>) -> Result<Vec<u8>, RecvTimeoutError> {
        let bytes = match until {
            Some(until) => {
                self.output.recv_timeout(until.saturating_duration_since(Instant::now()))?
            }
            None => self.output.recv().map_err(|_| RecvTimeoutError::Disconnected)?,
        };
        self.console.extend_from_slice(&bytes);
        Ok(bytes)
    }

    fn out_of_time(&self, what: &str) -> HelioError {
        self.failed(format!("no time left while waiting for {what}"))
    }

    fn failed(&self, reason: String) -> HelioError {
        HelioError::Failed {
            what: self.program.clone(),
            reason,
            advice: "look at the end of the console output, or give it more time".into(),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
        // Reaps the process; it was told to end, so this does not block.
        let _ = self.child.wait();
    }
}

/// A thread that reads everything, so that QEMU never waits for us.
fn pump(source: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut source) = source {
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len().max(1)).position(|window| window == needle)
}
