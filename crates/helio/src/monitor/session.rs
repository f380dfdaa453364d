//! A person, or a script, at a machine that comes and goes.
//!
//! One thread reads the port, one writes to it, one reads the keys; what they
//! bring meets here in one queue, so that nothing here ever waits for a
//! machine that does not listen.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use witness::hex;

use super::link::{Address, Link};
use super::live::{Event, Live};
use crate::console::{Escapes, Filter};
use crate::error::{HelioError, Result};
use crate::log::stream::Imported;
use crate::log::{folder, show::Line};
use crate::terminal::LEAVE;

/// How long to wait before a lost connection is tried again.
const RETRY: Duration = Duration::from_millis(300);

/// How often the log is written at most. Each time it is written whole, so
/// the interval grows with what that takes.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How it is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the machine is.
    pub address: Address,
    /// Speed of a serial port, in bits a second.
    pub baud: u32,
    /// Folder for the logs, one folder a boot.
    pub logs: Option<PathBuf>,
    /// File to append every byte to.
    pub capture: Option<PathBuf>,
    /// Whether records are shown.
    pub shows_records: bool,
    /// Whether a connection that is lost is not made again.
    pub once: bool,
    /// Whether a connection that cannot be made at first is tried again.
    pub waits: bool,
    /// Whether to leave when a run has ended.
    pub until_end: bool,
    /// When to leave at the latest.
    pub limit: Option<Duration>,
    /// Whether what is typed goes to the machine.
    pub forwards: bool,
    /// Whether what comes is told as lines of JSON.
    pub json: bool,
    /// Which escape codes are shown.
    pub escapes: Escapes,
}

/// Why it was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The person did.
    Left,
    /// The run has ended.
    RunEnded,
    /// The connection was lost.
    Disconnected,
    /// The time is over.
    OutOfTime,
    /// Nobody reads what is shown.
    NoReader,
}

/// What it came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Why it was left.
    pub reason: Reason,
    /// How often there was a connection.
    pub connections: u64,
    /// Records that came, in order or not.
    pub records: u64,
    /// How often lines of the log were lost or damaged.
    pub lost: u64,
    /// The logs that were written.
    pub logs: Vec<Saved>,
}

/// A log that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// Its boot.
    pub boot: String,
    /// Its folder.
    pub log: PathBuf,
    /// Records in it.
    pub records: usize,
    /// Whether the run's end is in it.
    pub complete: bool,
    /// What is odd about it.
    pub remarks: Vec<String>,
}

/// What the threads bring.
enum Message {
    /// Bytes from connection of this number.
    Bytes(u64, Vec<u8>),
    /// The connection of this number is gone, and why.
    Gone(u64, String),
    /// What was typed.
    Keys(Vec<u8>),
}

/// Watches a machine until there is a reason to leave it.
///
/// # Errors
/// The machine cannot be reached at first; a log or capture cannot be written.
pub fn watch(options: &Options, out: &mut dyn Write) -> Result<Summary> {
    let (sender, messages) = mpsc::channel();
    let capture = options.capture.as_ref().map(|path| open_capture(path)).transpose()?;
    let mut session = Session {
        options,
        screen: Screen::new(options, out),
        live: Live::new(),
        capture,
        connection: None,
        summary: Summary {
            reason: Reason::Left,
            connections: 0,
            records: 0,
            lost: 0,
            logs: Vec::new(),
        },
        saves: Saves { next: Instant::now(), covered: 0, ended: false },
        has_ended: false,
        sender,
    };
    session.first_connection()?;
    if options.forwards {
        read_keys(session.sender.clone());
    }
    session.summary.reason = session.follow(&messages)?;
    session.save(true)?;
    Ok(session.summary)
}

struct Session<'a> {
    options: &'a Options,
    screen: Screen<'a>,
    live: Live,
    capture: Option<File>,
    /// Where keys go, while there is a machine.
    connection: Option<Sender<Vec<u8>>>,
    summary: Summary,
    saves: Saves,
    /// The run of the boot that is watched has ended.
    has_ended: bool,
    sender: Sender<Message>,
}

/// When the log was written, and of what it was made.
struct Saves {
    next: Instant,
    covered: usize,
    ended: bool,
}

impl Session<'_> {
    fn first_connection(&mut self) -> Result<()> {
        match self.connect() {
            Ok(()) => Ok(()),
            Err(error) if self.options.waits => {
                self.screen.notice(&format!("{}: {error}; waiting for it", self.options.address));
                Ok(())
            }
            Err(error) => Err(HelioError::input(
                "monitor",
                &self.options.address,
                error,
                "start the machine first, or add --wait; a serial port needs the right to open it",
            )),
        }
    }

    fn connect(&mut self) -> io::Result<()> {
        let link = self.options.address.open(self.options.baud)?;
        self.summary.connections += 1;
        self.connection = Some(join(link, self.summary.connections, self.sender.clone()));
        self.screen.connected(&self.options.address, self.summary.connections);
        Ok(())
    }

    /// Takes what comes until there is a reason to leave.
    fn follow(&mut self, messages: &Receiver<Message>) -> Result<Reason> {
        let deadline = self.options.limit.map(|limit| Instant::now() + limit);
        let mut next_try = Instant::now();
        loop {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(Reason::OutOfTime);
            }
            if self.connection.is_none() && now >= next_try {
                // Why it cannot be reached was said when it was lost.
                let _ = self.connect();
                next_try = now + RETRY;
            }
            let patience = deadline.map_or(RETRY, |deadline| (deadline - now).min(RETRY));
            match messages.recv_timeout(patience) {
                Ok(Message::Bytes(number, bytes)) if number == self.summary.connections => {
                    self.take(&bytes)?;
                }
                Ok(Message::Gone(number, why)) if number == self.summary.connections => {
                    self.disconnected(&why);
                    next_try = Instant::now() + RETRY;
                    if self.options.once {
                        return Ok(Reason::Disconnected);
                    }
                }
                Ok(Message::Keys(keys)) => {
                    let leave = keys.iter().position(|&key| key == LEAVE);
                    let typed = keys.get(..leave.unwrap_or(keys.len())).unwrap_or_default();
                    if let Some(connection) = self.connection.as_ref().filter(|_| !typed.is_empty())
                    {
                        // A connection that is gone is told by its reader.
                        let _ = connection.send(typed.to_vec());
                    }
                    if leave.is_some() {
                        return Ok(Reason::Left);
                    }
                }
                // Of a connection that was given up.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Reason::Disconnected),
            }
            self.save(false)?;
            if self.options.until_end && self.has_ended {
                return Ok(Reason::RunEnded);
            }
            if self.screen.is_closed {
                return Ok(Reason::NoReader);
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        if let (Some(file), Some(path)) = (&mut self.capture, &self.options.capture) {
            file.write_all(bytes).map_err(|source| HelioError::write(path, source))?;
        }
        let Self { live, screen, summary, has_ended, .. } = self;
        live.push(bytes, &mut |event| count(&event, screen, summary, has_ended));
        self.screen.flush();
        Ok(())
    }

    fn disconnected(&mut self, why: &str) {
        self.connection = None;
        let Self { live, screen, summary, has_ended, .. } = self;
        live.break_off(&mut |event| count(&event, screen, summary, has_ended));
        self.screen.disconnected(why, self.options.once);
    }

    /// Writes the logs of boots that ended, and the one that goes on if it has
    /// grown and it is time, or if `must`.
    fn save(&mut self, must: bool) -> Result<()> {
        let Some(logs) = &self.options.logs else { return Ok(()) };
        for ended in self.live.take_ended() {
            keep(logs, ended, &mut self.summary.logs)?;
            self.saves.covered = 0;
            self.saves.ended = false;
        }
        let Some(log) = self.live.log() else { return Ok(()) };
        let has_end = log.manifest.is_some();
        let has_grown = log.covered != self.saves.covered || has_end != self.saves.ended;
        let is_time = Instant::now() >= self.saves.next || has_end;
        if !(must || has_grown && is_time) {
            return Ok(());
        }
        self.saves.covered = log.covered;
        self.saves.ended = has_end;
        let began = Instant::now();
        if let Some(imported) = self.live.imported() {
            keep(logs, imported, &mut self.summary.logs)?;
        }
        self.saves.next = Instant::now() + SAVE_INTERVAL.max(began.elapsed() * 10);
        Ok(())
    }
}

/// Shows an event and counts it.
fn count(event: &Event, screen: &mut Screen<'_>, summary: &mut Summary, has_ended: &mut bool) {
    match event {
        Event::Record(_) | Event::Stray(_) => summary.records += 1,
        Event::Lost => summary.lost += 1,
        Event::End => *has_ended = true,
        Event::Boot(_) => *has_ended = false,
        Event::Console(_) | Event::Checkpoint(_) => {}
    }
    screen.event(event);
}

/// Writes a log to the folder of its boot, and notes it.
fn keep(logs: &std::path::Path, imported: Imported, saved: &mut Vec<Saved>) -> Result<()> {
    let Some(boot) = imported.log.boot else { return Ok(()) };
    let boot = hex::encode(&boot);
    let log = logs.join(&boot);
    folder::write(&log, &imported.log)?;
    let new = Saved {
        records: imported.log.entries.len(),
        complete: imported.log.manifest.is_some(),
        remarks: imported.remarks,
        boot,
        log,
    };
    saved.retain(|it| it.boot != new.boot);
    saved.push(new);
    Ok(())
}

/// Every byte goes behind what is there: a capture may hold several boots.
fn open_capture(path: &std::path::Path) -> Result<File> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|source| HelioError::write(path, source))
}

/// Starts the threads of a connection; where keys for it go.
fn join(link: Link, number: u64, sender: Sender<Message>) -> Sender<Vec<u8>> {
    let Link { mut reader, mut writer } = link;
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let why = loop {
            match reader.read(&mut buffer) {
                Ok(0) => break "it was closed".to_owned(),
                Ok(count) => {
                    if sender.send(Message::Bytes(number, buffer[..count].to_vec())).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error.to_string(),
            }
        };
        // Nobody is left to be told.
        let _ = sender.send(Message::Gone(number, why));
    });
    let (keys, typed) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        for bytes in typed {
            if writer.write_all(&bytes).and_then(|()| writer.flush()).is_err() {
                break;
            }
        }
    });
    keys
}

/// Starts the thread that reads what is typed. Its end, a script's say, is not
/// the machine's.
fn read_keys(sender: Sender<Message>) {
    thread::spawn(move || {
        let mut keys = [0; 256];
        while let Ok(count @ 1..) = io::stdin().read(&mut keys) {
            if sender.send(Message::Keys(keys[..count].to_vec())).is_err() {
                break;
            }
        }
    });
}

/// Where it is shown.
struct Screen<'a> {
    out: &'a mut dyn Write,
    json: bool,
    shows_records: bool,
    filter: Filter,
    /// What is shown next begins a line.
    at_start: bool,
    /// Nobody reads it any more.
    is_closed: bool,
}

impl<'a> Screen<'a> {
    fn new(options: &Options, out: &'a mut dyn Write) -> Self {
        Self {
            out,
            json: options.json,
            shows_records: options.shows_records,
            filter: Filter::new(options.escapes),
            at_start: true,
            is_closed: false,
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Console(bytes) => self.console(bytes),
            Event::Record(line) => self.record(line, true),
            Event::Stray(line) => self.record(line, false),
            Event::Boot(boot) => {
                let boot = hex::encode(boot);
                self.tell(json!({ "event": "boot", "boot": boot }), &format!("log of boot {boot}"));
            }
            Event::Checkpoint(size) => {
                if self.json {
                    self.line(&json!({ "event": "checkpoint", "size": size }).to_string());
                }
            }
            Event::End => self.tell(json!({ "event": "run-ended" }), "the run has ended"),
            Event::Lost => self.tell(
                json!({ "event": "lost" }),
                "lines of the log are missing or damaged: what follows is not kept",
            ),
        }
    }

    fn console(&mut self, bytes: &[u8]) {
        let shown = self.filter.pass(bytes);
        if shown.is_empty() {
            return;
        }
        if self.json {
            let text = String::from_utf8_lossy(&shown);
            self.line(&json!({ "event": "console", "text": text }).to_string());
            return;
        }
        self.at_start = shown.ends_with(b"\n");
        self.write(&shown);
    }

    fn record(&mut self, line: &Line, is_placed: bool) {
        if self.json {
            let mut value = json!(line);
            if let Some(object) = value.as_object_mut() {
                object.insert("event".into(), "record".into());
                object.insert("placed".into(), is_placed.into());
                if !is_placed {
                    object.insert("index".into(), serde_json::Value::Null);
                }
            }
            self.line(&value.to_string());
        } else if self.shows_records {
            let id: String = line.id.chars().take(12).collect();
            let index = if is_placed { line.index.to_string() } else { "?".into() };
            self.line(&format!("[log] {index:>6}  {id}  {}", line.text));
        }
    }

    fn connected(&mut self, address: &Address, number: u64) {
        let text = format!("connected to {address}; Ctrl-] leaves");
        let address = address.to_string();
        let json = json!({ "event": "connected", "address": address, "connection": number });
        self.tell(json, &text);
    }

    fn disconnected(&mut self, why: &str, is_last: bool) {
        let more = if is_last { "" } else { "; trying again" };
        let json = json!({ "event": "disconnected", "reason": why });
        self.tell(json, &format!("the connection is gone: {why}{more}"));
        self.flush();
    }

    /// Something about the stream, for people on stderr.
    fn tell(&mut self, json: serde_json::Value, text: &str) {
        match self.json {
            true => self.line(&json.to_string()),
            false => self.notice(text),
        }
    }

    fn notice(&mut self, text: &str) {
        if self.json {
            return;
        }
        self.start_line();
        self.flush();
        // Nothing is left to do where stderr is gone.
        let _ = writeln!(io::stderr(), "helio: {text}");
    }

    fn line(&mut self, text: &str) {
        self.start_line();
        self.write(text.as_bytes());
        self.write(b"\n");
    }

    fn start_line(&mut self) {
        if !self.at_start {
            self.write(b"\n");
            self.at_start = true;
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.is_closed |= self.out.write_all(bytes).is_err();
    }

    fn flush(&mut self) {
        self.is_closed |= self.out.flush().is_err();
    }
}
