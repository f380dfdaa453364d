//! The configuration of a kernel: what it is built with and started with.
//!
//! [`setting`] lists what can be set, with each setting's meaning and the way
//! it reaches the kernel: as a word of the command line, or as a feature it is
//! built with. [`text`] reads and changes `heliograph.toml`. What a command
//! line says goes before the file, and the file before what is there by itself.

pub mod setting;
pub mod text;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{HelioError, Result};
use crate::file;

use setting::{Reach, SETTINGS, Setting, Value};

/// Where the configuration lies unless a command is told otherwise.
pub const FILE: &str = "heliograph.toml";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// A line of a file, counted from 1.
    File(PathBuf, usize),
    /// `--set`.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A setting with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub setting: &'static Setting,
    /// What it is.
    pub value: Value,
    /// Who says so.
    pub source: Source,
}

/// All settings with their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    entries: Vec<Entry>,
}

impl Config {
    /// What is there if nobody says anything.
    pub fn new() -> Self {
        let entry = |setting: &'static Setting| Entry {
            setting,
            value: setting.default_value(),
            source: Source::Default,
        };
        Self { entries: SETTINGS.iter().map(entry).collect() }
    }

    /// The file's, if it is named, or [`FILE`] is in the current folder; and
    /// over it what is given as `KEY=VALUE`.
    ///
    /// # Errors
    /// The file cannot be read, or says something that is no setting.
    pub fn load(path: Option<&Path>, given: &[String]) -> Result<Self> {
        let mut config = Self::new();
        let path = path.or_else(|| Some(Path::new(FILE)).filter(|path| path.exists()));
        if let Some(path) = path {
            for said in text::read(path, &file::read_text("configuration", path)?)? {
                config.put(said.setting, said.value, Source::File(path.to_owned(), said.line));
            }
        }
        for word in given {
            let (key, value) = word.split_once('=').ok_or_else(|| {
                let advice = "give KEY=VALUE, such as memory.heap=64MiB";
                HelioError::input("configuration", word, "there is no = in it", advice)
            })?;
            let setting = setting::find(key.trim(), "--set")?;
            let value = setting.parse(value).map_err(|reason| setting.refusal("--set", &reason))?;
            config.put(setting, value, Source::CommandLine);
        }
        Ok(config)
    }

    fn put(&mut self, setting: &'static Setting, value: Value, source: Source) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.setting == setting) {
            (entry.value, entry.source) = (value, source);
        }
    }

    /// All of them, in the order in which they are explained.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn get(&self, key: &str) -> Result<&Entry> {
        let setting = setting::find(key, "command line")?;
        let entry = self.entries.iter().find(|entry| entry.setting == setting);
        entry.ok_or_else(|| setting.refusal("command line", "it is not there"))
    }

    /// Words for the kernel's command line: those that say something else than
    /// the kernel does by itself.
    pub fn words(&self) -> String {
        let words =
            self.entries.iter().filter_map(|entry| match (entry.setting.reach, &entry.value) {
                (_, value) if *value == entry.setting.default_value() => None,
                (Reach::Word(name), value) => Some(format!("{name}={}", value.word())),
                (Reach::Literal(word), _) => Some(word.to_owned()),
                (Reach::Feature(_) | Reach::Features | Reach::Profile, _) => None,
            });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Features to build the kernel with, out of those that it has.
    pub fn features(&self, has: impl Fn(&str) -> bool) -> Vec<String> {
        let mut features = Vec::new();
        for entry in &self.entries {
            match (entry.setting.reach, &entry.value) {
                // An older kernel has it always.
                (Reach::Feature(name), Value::Switch(true)) if has(name) => {
                    features.push(name.to_owned());
                }
                (Reach::Features, Value::Names(names)) => features.extend(names.iter().cloned()),
                _ => {}
            }
        }
        features.sort();
        features.dedup();
        features
    }

    /// Whether the kernel is to be built with checks.
    pub fn is_debug(&self) -> bool {
        let is_profile = |entry: &&Entry| entry.setting.reach == Reach::Profile;
        let profile = self.entries.iter().find(is_profile);
        profile.is_some_and(|entry| entry.value == Value::Choice("debug"))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
