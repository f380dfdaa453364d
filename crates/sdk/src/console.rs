//! Text to the console, a block at a time.
//!
//! Each message to a queue is a call and a record, so text is gathered and
//! sent when the buffer is full, at [`Console::flush`], and when the console
//! is dropped. Messages end at a line where they can: another task's text
//! then comes between lines, not inside one.

use core::fmt::{self, Write};

use abi::{Error, profile::MESSAGE_BYTES};

use crate::{Queue, Text, Timer};

/// The type of a message that is text for a person.
const TEXT: u32 = 0;

/// How long to wait when the queue is full, in ns of logical time. Any wait
/// ends the slice, which is when a console queue is emptied; the length only
/// says how often to look again when something else holds it up.
const FULL_WAIT_NS: u64 = 1_000_000;

/// How often to look again before giving up: a second of logical time.
const FULL_RETRIES: u32 = 1_000;

/// A buffered writer over a queue that takes text.
#[derive(Debug)]
pub struct Console {
    queue: Queue,
    timer: Option<Timer>,
    buffer: Text<MESSAGE_BYTES>,
}

impl Console {
    /// Writes to `queue`. When it is full, waits on `timer`; without one, a
    /// full queue is an error.
    pub const fn new(queue: Queue, timer: Option<Timer>) -> Self {
        Self { queue, timer, buffer: Text::new() }
    }

    /// Sends what is buffered.
    ///
    /// # Errors
    /// The kernel's, with the text that was not sent dropped: a console that
    /// is refused once would be refused again, and must not stop the work.
    pub fn flush(&mut self) -> Result<(), Error> {
        let sent = self.send_first(self.buffer.as_bytes().len());
        self.buffer.clear();
        sent
    }

    /// Sends the complete lines, or everything where there is none, and keeps
    /// the rest.
    fn flush_lines(&mut self) -> Result<(), Error> {
        let bytes = self.buffer.as_bytes();
        let length = bytes.iter().rposition(|&b| b == b'\n').map_or(bytes.len(), |at| at + 1);
        let sent = self.send_first(length);
        self.buffer.remove_first(length);
        sent
    }

    fn send_first(&self, length: usize) -> Result<(), Error> {
        let Some(message) = self.buffer.as_bytes().get(..length).filter(|m| !m.is_empty()) else {
            return Ok(());
        };
        let wait = self.timer.map(|timer| move || timer.wait(FULL_WAIT_NS).map(drop));
        patiently(|| self.queue.send(TEXT, 0, message), wait)
    }
}

/// Sends again, after a wait, for as long as the queue is full.
fn patiently(
    mut send: impl FnMut() -> Result<(), Error>,
    wait: Option<impl FnMut() -> Result<(), Error>>,
) -> Result<(), Error> {
    let Some(mut wait) = wait else { return send() };
    for _ in 0..FULL_RETRIES {
        match send() {
            Err(Error::QueueFull) => wait()?,
            result => return result,
        }
    }
    Err(Error::QueueFull)
}

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        loop {
            rest = self.buffer.push_some(rest);
            if rest.is_empty() {
                return Ok(());
            }
            self.flush_lines().map_err(|_| fmt::Error)?;
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; `flush` tells those who ask.
        let _ = self.flush();
    }
}

/// Formats into a [`Console`]. A refusal is not reported here: call
/// [`Console::flush`] to learn of it.
#[macro_export]
macro_rules! print {
    ($console:expr, $($text:tt)*) => {{
        let _ = ::core::fmt::Write::write_fmt(&mut $console, ::core::format_args!($($text)*));
    }};
}

/// [`print!`] with a line end.
#[macro_export]
macro_rules! println {
    ($console:expr) => { $crate::print!($console, "\n") };
    ($console:expr, $($text:tt)*) => {{
        $crate::print!($console, $($text)*);
        $crate::print!($console, "\n");
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_is_waited_for_but_not_for_ever() {
        use core::cell::Cell;
        let (sends, waits) = (Cell::new(0), Cell::new(0));
        let full_until = |free_at: u32| {
            let (sends, waits) = (&sends, &waits);
            sends.set(0);
            waits.set(0);
            let send = move || {
                sends.set(sends.get() + 1);
                if sends.get() > free_at { Ok(()) } else { Err(Error::QueueFull) }
            };
            let wait = move || {
                waits.set(waits.get() + 1);
                Ok(())
            };
            (send, wait)
        };
        let (send, wait) = full_until(3);
        assert_eq!(patiently(send, Some(wait)), Ok(()));
        assert_eq!((sends.get(), waits.get()), (4, 3));
        let (send, wait) = full_until(u32::MAX);
        assert_eq!(patiently(send, Some(wait)), Err(Error::QueueFull));
        assert_eq!(waits.get(), FULL_RETRIES);
        let (send, _) = full_until(1);
        assert_eq!(patiently(send, None::<fn() -> Result<(), Error>>), Err(Error::QueueFull));
        let refused = || Err(Error::Revoked);
        assert_eq!(patiently(refused, Some(|| Ok(()))), Err(Error::Revoked));
    }

    #[test]
    fn text_without_a_kernel_is_refused_once_and_does_not_pile_up() {
        let mut console = Console::new(Queue::initial(0), None);
        print!(console, "{}", 1);
        println!(console, "{}", 2);
        assert_eq!(console.buffer.as_str(), "12\n");
        assert_eq!(console.flush(), Err(Error::Unsupported));
        assert_eq!(console.flush(), Ok(()));
        for _ in 0..3 * MESSAGE_BYTES {
            print!(console, "x");
        }
        assert!(console.buffer.as_bytes().len() <= MESSAGE_BYTES);
    }
}
