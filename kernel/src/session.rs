//! Driving a cell: slices, the log, what tasks say, and waiting.
//!
//! The order is what the whole project is about: a slice runs, its records
//! are sealed, sent and covered by a signed checkpoint, and only then does a
//! byte that a task caused leave the machine. What the kernel says for itself
//! is not held back.

use alloc::string::ToString;
use alloc::vec::Vec;

use hal::traits::{BlockDevice, Cpu, ExitStatus, Platform};
use kernel::text::TaskText;
use machine::{Cell, Effect, Failure, Input, Step};
use package::{Manifest, Package};
use rvsh::{Action, Trace};
use witness::manifest::{End, Outcome, RunManifest};
use witness::record::{Arch, Board, EventKind, Flags, MachineFacts};
use witness::{Hash, checkpoint, key};

use crate::console::{say, warn};
use crate::idle::{self, Wake};
use crate::log::{self, LogDevice, LogDisk, LogFailure, Writer};
use crate::sensors::Sensors;
use crate::settings::Settings;
use crate::shell::Shell;
use crate::view::Look;
use crate::{Kernel, console};

/// Slices after which a checkpoint is made even if no task said anything: how
/// much work a crash can take back.
const SLICES_PER_CHECKPOINT: u32 = 64;

/// A machine at work.
pub struct Session {
    kernel: Kernel,
    settings: Settings,
    facts: MachineFacts,
    cell: Cell,
    package: Option<Manifest>,
    package_digest: Hash,
    screen: TaskText,
    shell: Shell,
    sensors: Sensors,
    /// The logical time that is waited for, and when it has come.
    pacing: Option<(u64, u64)>,
    trace: Trace,
    /// Number of records that the trace has come to.
    traced: u64,
    /// When the log was opened, by the machine's clock.
    opened_ns: u64,
    /// Whether somebody who typed was told that there is no shell.
    is_told: bool,
    slices_since_checkpoint: u32,
}

/// Whether this kernel has a shell: for release builds a choice of whoever
/// builds it, for it is a way in.
const SHELL: bool = cfg!(any(feature = "kernel-shell", debug_assertions));

impl Session {
    /// Opens the log and mounts the package.
    pub fn start(mut kernel: Kernel, settings: Settings) -> Result<Self, LogFailure> {
        let disk = kernel.log_disk.take();
        let facts = facts(&kernel, &settings, disk.as_ref());
        let boot = facts.boot_id;
        let device = match disk {
            Some(disk) => LogDevice::Disk(durable::disk::DiskLog::begin(LogDisk(disk), boot)?),
            None => LogDevice::Uart(witness::frame::uart::Writer::new()),
        };
        let origin = checkpoint::origin(&settings.device_name, &boot);
        say(format_args!(
            "log {origin}, {}",
            if facts.flags.contains(Flags::TO_DISK) {
                "to the disk"
            } else {
                "over the UART, which keeps nothing safe"
            }
        ));
        if settings.trust.development {
            warn(format_args!(
                "the keys are for development: what they sign proves nothing about who ran it"
            ));
        }
        if !SHELL {
            say(format_args!("there is no shell in this kernel"));
        }
        let boot_cell = machine::Boot {
            package: settings.package,
            trust: settings.trust.clone(),
            hasher: kernel.hasher,
            facts,
            memory_limit: memory_limit().min(settings.memory),
            keeps_journals: false,
        };
        let cell = Cell::start_within(boot_cell, settings.ceiling);
        // Opened once more, for the shell: what the cell mounts is its own.
        let package = Package::open(settings.package, &settings.trust, kernel.hasher);
        let package = package.ok().and_then(|package| package.manifest().cloned());
        let package_digest = settings.package_digest;
        let manifest = RunManifest {
            arch: facts.arch,
            board: facts.board,
            boot_id: boot,
            development_keys: settings.trust.development,
            device_key: facts.device_key,
            end: End::Finished,
            package: package_digest,
            profile: abi::profile::NAME.to_string(),
            records: 0,
            root: Hash::default(),
            tasks: Vec::new(),
        };
        let recorder = durable::Recorder::new(device, boot, origin, settings.device_key.clone());
        log::install(Writer { recorder, manifest });
        let shell = Shell::new();
        let screen = TaskText::new();
        let sensors = Sensors::find(&mut kernel.platform);
        let opened_ns = kernel.platform.timer().now_ns();
        let mut session = Self {
            kernel,
            settings,
            facts,
            cell,
            package,
            package_digest,
            screen,
            shell,
            sensors,
            pacing: None,
            trace: Trace::Off,
            traced: 0,
            opened_ns,
            is_told: false,
            slices_since_checkpoint: 0,
        };
        session.commit()?;
        Ok(session)
    }

    /// Runs until the tasks have ended, or the operator ends it; says how the
    /// machine is to end.
    pub fn run(&mut self) -> Result<Finish, LogFailure> {
        for report in self.cell.take_reports() {
            warn(format_args!("{report}"));
        }
        let mut is_settled = false;
        loop {
            if let Some(finish) = self.serve_console()? {
                return Ok(finish);
            }
            self.read_sensors()?;
            self.show_trace()?;
            <crate::Machine as Platform>::Cpu::assert_float_state();
            match self.cell.step() {
                Step::Ran => self.publish()?,
                Step::SealFirst => self.commit()?,
                Step::Waiting { until: Some(until) } => {
                    self.publish()?;
                    self.wait(until);
                }
                // A reading may be what is waited for.
                Step::Waiting { until: None } if self.sensors.due_ns(&self.cell).is_some() => {
                    self.publish()?;
                    let due = self.sensors.due_ns(&self.cell).unwrap_or_default();
                    idle::wait(&mut self.kernel, due);
                }
                Step::Waiting { until: None } | Step::Finished => {
                    if !core::mem::replace(&mut is_settled, true)
                        && let Some(finish) = self.settle()?
                    {
                        return Ok(finish);
                    }
                    idle::wait(&mut self.kernel, u64::MAX);
                }
                Step::Failed(failure) => return self.give_up(failure),
            }
        }
    }

    /// Nothing more happens unless something comes in: says how it went, and
    /// ends, or leaves the operator at the prompt.
    fn settle(&mut self) -> Result<Option<Finish>, LogFailure> {
        self.publish()?;
        self.commit()?;
        self.shell.hide();
        self.tell_outcome();
        if self.cell.view().is_alive() && !self.cell.is_idle() {
            warn(format_args!("the tasks wait for input that nobody has given"));
        }
        if !SHELL || !self.settings.stay {
            return self.end(End::Finished).map(Some);
        }
        // The log is whole as it is; should anything be added at the prompt,
        // the manifest is written again.
        self.close(End::Finished)?;
        // `helio run` waits for this line to fetch the log.
        say(format_args!("nothing is left to do, the log is whole"));
        say(format_args!("help lists the commands, poweroff ends"));
        self.shell.open();
        Ok(None)
    }

    /// Sees to it that what a slice left behind is safe, then shows it.
    fn publish(&mut self) -> Result<(), LogFailure> {
        let slices = self.cell.view().clock().slice();
        if self.settings.panic_after.is_some_and(|most| slices >= most) {
            panic!("the command line asked for it");
        }
        let effects = self.cell.effects();
        let reports = self.cell.take_reports();
        self.slices_since_checkpoint += 1;
        if !effects.is_empty() || self.slices_since_checkpoint >= SLICES_PER_CHECKPOINT {
            self.commit()?;
        } else if let Some(writer) = log::writer().as_mut() {
            writer.manifest.tasks = self.cell.outcomes();
            writer.recorder.collect(self.cell.log_mut())?;
        }
        if effects.is_empty() && reports.is_empty() {
            return Ok(());
        }
        self.shell.hide();
        if !reports.is_empty() {
            self.screen.end_line(&mut console::write);
        }
        for report in reports {
            warn(format_args!("{report}"));
        }
        for Effect::Console { bytes, .. } in effects {
            self.screen.write(&bytes, &mut console::write);
        }
        self.shell.show();
        Ok(())
    }

    /// A checkpoint over everything so far.
    fn commit(&mut self) -> Result<(), LogFailure> {
        self.slices_since_checkpoint = 0;
        let mut guard = log::writer();
        let Some(writer) = guard.as_mut() else { return Ok(()) };
        writer.manifest.tasks = self.cell.outcomes();
        writer.recorder.commit(self.cell.log_mut())
    }

    /// Lets the time that logical time is about to skip go by, unless a key
    /// is pressed or a sensor is to be read first.
    fn wait(&mut self, until: u64) {
        if self.settings.pace {
            let now = self.kernel.platform.timer().now_ns();
            let deadline = match self.pacing {
                Some((logical, deadline)) if logical == until => deadline,
                _ => {
                    let skipped = until.saturating_sub(self.cell.view().clock().now_ns());
                    now.saturating_add(skipped)
                }
            };
            self.pacing = Some((until, deadline));
            let reading = self.sensors.due_ns(&self.cell).unwrap_or(u64::MAX);
            let wake = idle::wait(&mut self.kernel, deadline.min(reading));
            if wake == Wake::Console || reading < deadline {
                return;
            }
        }
        self.pacing = None;
        self.cell.jump();
    }

    /// Passes on what the machine's own sensors say, where it is time and
    /// somebody listens.
    fn read_sensors(&mut self) -> Result<(), LogFailure> {
        let readings = self.sensors.read(&self.cell, &mut self.kernel.platform);
        let mut readings = readings.iter();
        readings.try_for_each(|(sensor, reading)| self.note(Input::reading(*sensor, reading)))
    }

    /// Takes what was typed through the shell.
    fn serve_console(&mut self) -> Result<Option<Finish>, LogFailure> {
        if !SHELL {
            self.turn_away();
            return Ok(None);
        }
        while let Some(byte) = self.kernel.platform.console().read() {
            let up_ns = self.up_ns();
            let Self { shell, kernel, settings, facts, cell, package, trace, .. } = self;
            let package_digest = self.package_digest;
            let device_name = &settings.device_name;
            let view =
                Look { cell, facts, device_name, package, package_digest, kernel, up_ns, trace };
            let Some(action) = shell.feed(byte, &view) else { continue };
            match action {
                Action::Challenge(nonce) => self.challenge(nonce)?,
                Action::Stop => self.note(Input::new(EventKind::Stop, &[]))?,
                Action::Resume => self.note(Input::new(EventKind::Resume, &[]))?,
                Action::Snapshot => self.note(Input::new(EventKind::Snapshot, &[]))?,
                Action::Type(line) => {
                    self.note(Input::new(EventKind::ConsoleInput, line.as_bytes()))?;
                }
                Action::Feed { sensor, reading } => match self.cell.view().sensor(&sensor) {
                    Some(sensor) => self.note(Input::reading(sensor, &reading))?,
                    None => warn(format_args!("there is no sensor of that name")),
                },
                Action::Approve(proof) => self.note(Input::new(EventKind::Approval, &proof))?,
                Action::Trace(trace) => self.set_trace(trace)?,
                Action::Mount { module, path } => self.mount(&module, &path)?,
                Action::Panic => {
                    self.note(Input::new(EventKind::Panic, &[]))?;
                    panic!("the operator asked for it");
                }
                Action::Export => self.export()?,
                Action::Reboot => {
                    self.note(Input::new(EventKind::Reboot, &[]))?;
                    return self.end(End::Reboot).map(Some);
                }
                Action::PowerOff => {
                    self.note(Input::new(EventKind::Shutdown, &[]))?;
                    return self.end(End::PowerOff).map(Some);
                }
            }
            self.tell_trace()?;
            self.shell.show();
            // What follows on the line is for after the tasks have seen it.
            idle::look_at_console();
            break;
        }
        Ok(None)
    }

    /// Drops what was typed where there is no shell: nothing but the shell
    /// may make an event of it.
    fn turn_away(&mut self) {
        let mut is_typed = false;
        while self.kernel.platform.console().read().is_some() {
            is_typed = true;
        }
        if is_typed && !core::mem::replace(&mut self.is_told, true) {
            self.screen.end_line(&mut console::write);
            warn(format_args!("there is no shell in this kernel: what is typed is dropped"));
        }
    }

    /// Real time since the log was opened, in ns.
    fn up_ns(&mut self) -> u64 {
        self.kernel.platform.timer().now_ns().saturating_sub(self.opened_ns)
    }

    /// Traces something else, from the event that says so on.
    fn set_trace(&mut self, trace: Trace) -> Result<(), LogFailure> {
        // What is there already was another setting's.
        self.tell_trace()?;
        self.traced = self.cell.log().next().0;
        let setting = trace.setting();
        self.note(Input::new(EventKind::Trace, setting.as_bytes()))?;
        self.trace = trace;
        Ok(())
    }

    /// Shows the records that came since the last time, once they are safe:
    /// they hold what tasks say. Says whether there were any.
    fn tell_trace(&mut self) -> Result<bool, LogFailure> {
        let end = self.cell.log().next().0;
        if self.trace == Trace::Off || self.traced >= end {
            return Ok(false);
        }
        self.commit()?;
        let up_ns = self.up_ns();
        let view = Look {
            cell: &self.cell,
            facts: &self.facts,
            device_name: &self.settings.device_name,
            package: &self.package,
            package_digest: self.package_digest,
            kernel: &self.kernel,
            up_ns,
            trace: &self.trace,
        };
        let records = self.traced..end;
        let lines: Vec<_> = records.filter_map(|index| self.trace.line(&view, index)).collect();
        self.traced = end;
        if lines.is_empty() {
            return Ok(false);
        }
        self.shell.hide();
        self.screen.end_line(&mut console::write);
        lines.iter().for_each(|line| console::show(format_args!("trace: {line}")));
        Ok(true)
    }

    /// The same, with the prompt back in its place.
    fn show_trace(&mut self) -> Result<(), LogFailure> {
        if self.tell_trace()? {
            self.shell.show();
        }
        Ok(())
    }

    /// Mounts a module, and says what came of it.
    fn mount(&mut self, module: &str, path: &str) -> Result<(), LogFailure> {
        let Some(file) = self.kernel.modules.get(module) else {
            warn(format_args!("there is no module of that name"));
            return Ok(());
        };
        self.commit()?;
        match self.cell.mount_requested(file, path) {
            Ok(index) => say(format_args!("the request is record {}", index.0)),
            Err(error) => warn(format_args!("not admitted: {error}")),
        }
        self.commit()?;
        for report in self.cell.take_reports() {
            warn(format_args!("{report}"));
        }
        Ok(())
    }

    /// Sends the log out by the console.
    fn export(&mut self) -> Result<(), LogFailure> {
        self.commit()?;
        match log::export()? {
            true => say(format_args!("the log was sent")),
            false => warn(format_args!("there is no log disk to read it from")),
        }
        Ok(())
    }

    fn challenge(&mut self, nonce: [u8; 32]) -> Result<(), LogFailure> {
        self.note(Input::new(EventKind::Challenge, &nonce))?;
        if let Some(note) = log::writer().as_ref().and_then(|writer| writer.recorder.checkpoint()) {
            note.lines().for_each(|line| say(format_args!("{line}")));
        }
        Ok(())
    }

    /// Gives an event to the cell, and makes it safe; says so if it is not
    /// admitted.
    fn note(&mut self, input: Input<'_>) -> Result<(), LogFailure> {
        if let Err(error) = self.cell.admit(input) {
            warn(format_args!("not admitted: {error}"));
        }
        self.commit()
    }

    fn close(&mut self, end: End) -> Result<(), LogFailure> {
        self.commit()?;
        log::writer().as_mut().map_or(Ok(()), |writer| writer.close(end).map(|_| ()))
    }

    /// Ends the log, and says how the machine is to end.
    fn end(&mut self, end: End) -> Result<Finish, LogFailure> {
        self.publish()?;
        self.tell_trace()?;
        self.close(end)?;
        let status = self.status();
        Ok(Finish { reboot: end == End::Reboot, status })
    }

    /// Ends the log of a machine that cannot go on.
    fn give_up(&mut self, failure: Failure) -> Result<Finish, LogFailure> {
        self.screen.end_line(&mut console::write);
        warn(format_args!("the run is broken off: {failure}"));
        self.publish()?;
        self.close(End::Panic)?;
        Ok(Finish { reboot: false, status: ExitStatus::Panic })
    }

    fn status(&self) -> ExitStatus {
        if self.cell.is_success() { ExitStatus::Success } else { ExitStatus::TaskFailed }
    }

    fn tell_outcome(&mut self) {
        self.screen.end_line(&mut console::write);
        for end in self.cell.outcomes() {
            let is_fine =
                matches!((end.outcome, end.code), (Outcome::Exit, 0) | (Outcome::Running, _));
            let speak = if is_fine { say } else { warn };
            speak(format_args!("task {}: {} {}", end.name, end.outcome.name(), end.code));
        }
        let now_ns = self.cell.view().clock().now_ns();
        let records = self.cell.log().size();
        say(format_args!("finished at {now_ns} ns of logical time with {records} records"));
        if let Some(note) = log::writer().as_ref().and_then(|writer| writer.recorder.checkpoint()) {
            say(format_args!("signed checkpoint:"));
            note.lines().for_each(|line| say(format_args!("  {line}")));
        }
    }

    /// The machine, to switch it off.
    pub fn into_kernel(self) -> Kernel {
        self.kernel
    }
}

/// How a session wants the machine to end.
pub struct Finish {
    /// Start again instead of switching off.
    pub reboot: bool,
    /// What to tell whoever started the machine.
    pub status: ExitStatus,
}

/// What a package may come to take: the heap, less what the kernel itself
/// works with.
fn memory_limit() -> u64 {
    const OWN: u64 = 16 << 20;
    (crate::heap::usage().1 as u64).saturating_sub(OWN)
}

/// What leaf 1 says about this machine and this boot.
fn facts(kernel: &Kernel, settings: &Settings, disk: Option<&crate::Disk>) -> MachineFacts {
    let flag = |is: bool, flag: Flags| if is { flag } else { Flags::NONE };
    let flags = flag(disk.is_some_and(BlockDevice::can_flush), Flags::FLUSHES)
        .union(flag(disk.is_some(), Flags::TO_DISK))
        .union(flag(settings.trust.development, Flags::DEVELOPMENT_KEYS))
        .union(flag(settings.kernel_checked, Flags::KERNEL_CHECKED));
    MachineFacts {
        nonce: settings.nonce,
        previous_checkpoint: [0; 32],
        boot_id: kernel.boot_id,
        kernel: kernel.kernel_digest,
        loader: settings.loader,
        trust: settings.trust.digest,
        device_key: key::public(&settings.device_key),
        serial: kernel.platform.serial(),
        arch: Arch::from_number(crate::Machine::ARCHITECTURE).unwrap_or(Arch::Hosted),
        board: Board::from_number(kernel.platform.board()).unwrap_or(Board::Hosted),
        flags,
    }
}
