//! `helio monitor`: watches a machine over its serial port.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::console::Escapes;
use crate::error::{HelioError, Result};
use crate::exit::ExitCode;
use crate::monitor::session::Reason;
use crate::monitor::{Address, Options, Summary, watch};
use crate::output::Output;
use crate::terminal::Raw;

/// Watch a machine over its serial port: its console, its records as they
/// come, and its log, which is kept.
///
/// What is typed goes to the machine; Ctrl-] leaves. A connection that is lost
/// is made again. With --json everything that comes is a line, an object with
/// the member "event", and the last line is the summary. Nothing that is shown
/// is verified: verify the log that is kept.
#[derive(Debug, Args)]
pub struct Monitor {
    /// A serial port, a pseudoterminal, a unix socket (or unix:PATH), or
    /// HOST:PORT (or tcp:HOST:PORT).
    #[arg(value_parser = Address::parse)]
    target: Address,
    /// Speed of a serial port, in bits a second.
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// Keep the logs here, in a folder for each boot, named by its id.
    #[arg(short = 'o', long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
    /// Append every byte that comes to this file, for `helio log import`.
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Show the console alone, without the records.
    #[arg(long)]
    no_records: bool,
    /// Send nothing to the machine.
    #[arg(long)]
    read_only: bool,
    /// Leave when the connection is lost.
    #[arg(long)]
    once: bool,
    /// Wait for a machine that is not there yet.
    #[arg(long)]
    wait: bool,
    /// Leave when the run has ended; exit code 1 if it has not.
    #[arg(long)]
    until_end: bool,
    /// Leave after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u64>,
}

#[derive(Serialize)]
struct Shown {
    event: &'static str,
    #[serde(flatten)]
    summary: Summary,
}

impl Monitor {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let options = Options {
            address: self.target,
            baud: self.baud,
            logs: self.logs,
            capture: self.capture,
            shows_records: !self.no_records,
            once: self.once,
            waits: self.wait,
            until_end: self.until_end,
            limit: self.limit.map(Duration::from_secs),
            forwards: !self.read_only,
            json: output.is_json(),
            escapes: match io::stdout().is_terminal() {
                true => Escapes::KeepEditing,
                false => Escapes::Drop,
            },
        };
        let raw = options.forwards.then(Raw::enter);
        let summary = watch(&options, &mut io::stdout());
        drop(raw);
        let summary = summary?;
        let has_failed = options.until_end && summary.reason != Reason::RunEnded;
        output.show(&Shown { event: "left", summary });
        if has_failed && !output.is_json() {
            return Err(HelioError::Failed {
                what: options.address.to_string(),
                reason: "left before the run had ended".into(),
                advice: "give it more time, or look at the console".into(),
            });
        }
        Ok(if has_failed { ExitCode::Failed } else { ExitCode::Success })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { reason, connections, records, lost, logs } = &self.summary;
        let why = match reason {
            Reason::Left => "left",
            Reason::RunEnded => "the run has ended",
            Reason::Disconnected => "the connection was lost",
            Reason::OutOfTime => "the time is over",
            Reason::NoReader => "nobody reads this",
        };
        write!(f, "\n{why}: {connections} connections, {records} records, {lost} gaps")?;
        for log in logs {
            let end = if log.complete { "" } else { ", without the end of the run" };
            write!(f, "\n{}  {} records{end}", log.log.display(), log.records)?;
            log.remarks.iter().try_for_each(|remark| write!(f, "\n  {remark}"))?;
        }
        Ok(())
    }
}
