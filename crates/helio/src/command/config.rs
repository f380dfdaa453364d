//! `helio config`: shows and changes the configuration.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::config::setting::{self, Setting};
use crate::config::{Config, Entry, FILE, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::file;
use crate::output::Output;

/// Show and change the kernel's configuration.
#[derive(Debug, Args)]
pub struct Configuration {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show every setting: its value, where that comes from, what it means, and
    /// how it gets to the kernel.
    Show {
        #[command(flatten)]
        configured: Configured,
    },
    /// Print the value of a setting.
    Get {
        /// The setting, such as memory.heap.
        key: String,
        #[command(flatten)]
        configured: Configured,
    },
    /// Set a setting in the file, which is made if it is not there.
    Set {
        /// The setting, such as memory.heap.
        key: String,
        /// Its value, such as 64MiB.
        value: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take a setting out of the file: its default is in force again.
    Unset {
        /// The setting.
        key: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct Place {
    /// The configuration's file.
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

/// Where a command takes the configuration from.
#[derive(Clone, Debug, Default, Args)]
pub struct Configured {
    /// The configuration's file [default: heliograph.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting that goes before the file's; again for more.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Configured {
    /// Reads it.
    pub fn load(&self) -> Result<Config> {
        Config::load(self.config.as_deref(), &self.set)
    }
}

impl Configuration {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match self.action {
            Action::Show { configured } => {
                let config = configured.load()?;
                let settings = config.entries().iter().map(Line::from).collect();
                output.show(&Shown { settings, words: config.words() });
            }
            Action::Get { key, configured } => {
                output.show(&Got(Line::from(configured.load()?.get(&key)?)));
            }
            Action::Set { key, value, place } => {
                let setting = setting::find(&key, "command line")?;
                let value = setting.parse(&value);
                let value = value.map_err(|reason| setting.refusal("command line", &reason))?;
                change(&place, setting, Some(&value), output)?;
            }
            Action::Unset { key, place } => {
                change(&place, setting::find(&key, "command line")?, None, output)?;
            }
        }
        Ok(ExitCode::Success)
    }
}

fn change(
    place: &Place,
    setting: &Setting,
    value: Option<&setting::Value>,
    output: Output,
) -> Result<()> {
    let path = &place.config;
    let before = match path.exists() {
        true => file::read_text("configuration", path)?,
        false => String::new(),
    };
    let after = text::changed(path, &before, setting, value)?;
    if after != before {
        file::write(path, after.as_bytes())?;
    }
    output.show(&Line::from(Config::load(Some(path), &[])?.get(setting.key)?));
    Ok(())
}

#[derive(Serialize)]
struct Line {
    key: &'static str,
    value: String,
    source: String,
    default: &'static str,
    values: String,
    meaning: &'static str,
    reaches_as: String,
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        Self {
            key: entry.setting.key,
            value: entry.value.to_string(),
            source: entry.source.to_string(),
            default: entry.setting.default,
            values: entry.setting.values(),
            meaning: entry.setting.meaning,
            reaches_as: entry.setting.reach.to_string(),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({})", self.key, self.value, self.source)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Got(Line);

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.value)
    }
}

#[derive(Serialize)]
struct Shown {
    settings: Vec<Line>,
    words: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<15}  {:<9}  source", "setting", "value")?;
        for Line { key, value, source, values, meaning, reaches_as, .. } in &self.settings {
            let value = if value.is_empty() { "none" } else { value };
            writeln!(f, "{key:<15}  {value:<9}  {source}")?;
            writeln!(f, "    {meaning}\n    {values}; {reaches_as}")?;
        }
        match self.words.as_str() {
            "" => writeln!(f, "\nthe kernel's command line gets no words from this"),
            words => writeln!(f, "\nthe kernel's command line gets: {words}"),
        }
    }
}
