//! A machine that runs, and what is left of it.

use std::path::PathBuf;
use std::time::Duration;

use helio::console::{Escapes, Filter};
use helio::log::stream;
use helio::qemu::{End, MachineStatus};
use helio::qemu::{Ended, Run};

use crate::log::Log;
use crate::work::Work;

/// How long a machine may take to say what is expected next.
const PATIENCE: Duration = Duration::from_secs(120);

/// Begins each line of the kernel's own.
pub const KERNEL: &str = "[kernel] ";

/// A machine that runs.
pub struct Running {
    run: Run,
    disk: Option<PathBuf>,
    work: Work,
}

impl Running {
    pub(crate) fn new(run: Run, disk: Option<PathBuf>, work: Work) -> Self {
        Self { run, disk, work }
    }

    /// Waits until it has said `text`, and returns what it said before that.
    pub fn expect(&mut self, text: &str) -> String {
        let heard = self.run.expect(text, PATIENCE);
        let heard = heard.unwrap_or_else(|error| panic!("{error}\n{}", self.console()));
        legible(heard.as_bytes())
    }

    /// Types.
    pub fn send(&mut self, text: &str) {
        self.run.send(text.as_bytes());
    }

    /// Processor time that QEMU has used so far.
    pub fn processor_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.run.process());
        let stat = std::fs::read_to_string(path).unwrap();
        // proc(5): fields 14 and 15, counted from behind the name, which is
        // the second and in brackets; in ticks, of which Linux shows 100 a
        // second everywhere.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        let ticks: u64 = fields.map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Everything it has said so far.
    pub fn console(&self) -> String {
        legible(self.run.console())
    }

    /// Waits for its end.
    pub fn wait(self) -> Left {
        let Ended { end, console, errors } = self.run.wait().unwrap();
        assert_eq!(errors, "", "QEMU itself complains");
        let disk = self.disk.map(|path| std::fs::read(path).unwrap());
        Left { end, serial: console, disk, _work: self.work }
    }
}

/// What is left of a machine.
pub struct Left {
    /// How it ended.
    pub end: End,
    /// Every byte of its serial port.
    pub serial: Vec<u8>,
    /// Its log disk, if it had one.
    pub disk: Option<Vec<u8>>,
    /// Kept, if the test fails.
    _work: Work,
}

impl Left {
    /// What a person saw, with plain line ends.
    pub fn console(&self) -> String {
        legible(&self.serial)
    }

    /// The kernel's own lines, without what begins them.
    pub fn kernel_lines(&self) -> Vec<String> {
        let console = self.console();
        console.lines().filter_map(|line| line.strip_prefix(KERNEL)).map(str::to_owned).collect()
    }

    /// What follows `prefix` in those of the kernel's lines that begin so.
    pub fn said(&self, prefix: &str) -> Vec<String> {
        let lines = self.kernel_lines();
        lines.iter().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect()
    }

    /// Asserts how it ended.
    #[track_caller]
    pub fn ended(self, status: MachineStatus) -> Self {
        assert_eq!(self.end, End::Machine(status), "{}", self.console());
        self
    }

    /// Asserts that this is one of the kernel's lines.
    #[track_caller]
    pub fn assert_said(&self, line: &str) {
        assert!(self.kernel_lines().iter().any(|it| it == line), "{line}\n{}", self.console());
    }

    /// The log, from wherever it went, which must be without any damage.
    /// Nothing in it has been verified.
    #[track_caller]
    pub fn log(&self) -> Log {
        let bytes = self.disk.as_deref().unwrap_or(&self.serial);
        let imported = stream::from_bytes(bytes, None);
        let imported = imported.unwrap_or_else(|| panic!("there is no log\n{}", self.console()));
        assert_eq!(imported.remarks, [""; 0], "{}", self.console());
        Log::new(&imported.log)
    }
}

/// Serial bytes as a person sees them.
fn legible(bytes: &[u8]) -> String {
    let shown = Filter::new(Escapes::Drop).pass(bytes);
    String::from_utf8_lossy(&shown).replace("\r\n", "\n")
}
