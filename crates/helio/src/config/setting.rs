//! What can be set.

use std::fmt;

use crate::error::{HelioError, Result};

/// One thing that can be set.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name: a table and a key of the file.
    pub key: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Its value where nobody says anything, as it is written.
    pub default: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// How it gets to the kernel.
    pub reach: Reach,
}

/// What a setting's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes, between these; or `auto`.
    Size(u64, u64),
    /// A number, between these; or `auto`.
    Count(u64, u64),
    /// Yes or no.
    Switch,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Any number of names.
    Names,
}

/// How a setting gets to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// As `NAME=VALUE` on its command line.
    Word(&'static str),
    /// As this word, where the value is not the default.
    Literal(&'static str),
    /// As a feature it is built with, if that is switched on.
    Feature(&'static str),
    /// As features of these names.
    Features,
    /// As the profile it is built in.
    Profile,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(name) => write!(f, "word {name}=VALUE"),
            Self::Literal(word) => write!(f, "word {word}"),
            Self::Feature(name) => write!(f, "feature {name}"),
            Self::Features => f.write_str("features"),
            Self::Profile => f.write_str("build profile"),
        }
    }
}

/// A setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// What the kernel does by itself.
    Auto,
    /// Bytes.
    Size(u64),
    /// A number.
    Count(u64),
    /// Yes or no.
    Switch(bool),
    /// One of several.
    Choice(&'static str),
    /// Names.
    Names(Vec<String>),
}

const MIB: u64 = 1 << 20;

/// Every setting.
pub const SETTINGS: [Setting; 10] = [
    Setting {
        key: "memory.heap",
        kind: Kind::Size(16 * MIB, 64 << 30),
        default: "auto",
        meaning: "the kernel's heap, out of which packages get all they have; by itself it takes \
                  half of the free memory, up to 512 MiB",
        reach: Reach::Word("heap"),
    },
    Setting {
        key: "memory.package",
        kind: Kind::Size(MIB, 64 << 30),
        default: "auto",
        meaning: "the most that a package may come to take; a larger one is refused at its mount",
        reach: Reach::Word("memory"),
    },
    Setting {
        key: "tasks.most",
        kind: Kind::Count(1, abi::profile::TASKS as u64),
        default: "auto",
        meaning: "the most tasks that a package may list; one with more is refused at its mount",
        reach: Reach::Word("tasks"),
    },
    Setting {
        key: "tasks.pace",
        kind: Kind::Switch,
        default: "true",
        meaning: "hold logical time back to real time while all tasks wait",
        reach: Reach::Literal("pace=0"),
    },
    Setting {
        key: "stores.most",
        kind: Kind::Size(0, 64 << 30),
        default: "auto",
        meaning: "the most that a package's queues and stores of vectors and graphs may take \
                  together; one with more is refused at its mount",
        reach: Reach::Word("stores"),
    },
    Setting {
        key: "shell.enabled",
        kind: Kind::Switch,
        default: "true",
        meaning: "a shell on the console; without it what is typed is dropped",
        reach: Reach::Feature("kernel-shell"),
    },
    Setting {
        key: "shell.stay",
        kind: Kind::Switch,
        default: "false",
        meaning: "stay at the shell's prompt when all tasks have ended, instead of switching off",
        reach: Reach::Literal("end=shell"),
    },
    Setting {
        key: "console.log",
        kind: Kind::Choice(&["disk", "serial"]),
        default: "disk",
        meaning: "where the log goes: to the disk if there is one, or out by the console in any \
                  case",
        reach: Reach::Word("log"),
    },
    Setting {
        key: "build.features",
        kind: Kind::Names,
        default: "",
        meaning: "further features that the kernel is built with",
        reach: Reach::Features,
    },
    Setting {
        key: "build.profile",
        kind: Kind::Choice(&["release", "debug"]),
        default: "release",
        meaning: "optimised, or with checks of arithmetic and debug assertions",
        reach: Reach::Profile,
    },
];

/// The setting of this name, which `place` gave.
///
/// # Errors
/// There is none.
pub fn find(key: &str, place: &str) -> Result<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| {
        let nearest = SETTINGS.iter().min_by_key(|setting| distance(setting.key, key));
        let nearest = nearest.map_or("", |setting| setting.key);
        HelioError::input(
            "configuration",
            place,
            format_args!("there is no setting {key}"),
            format!("did you mean {nearest}? `helio config show` lists them"),
        )
    })
}

/// Number of characters to put in, take out or change.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (line, x) in a.chars().enumerate() {
        let mut diagonal = line;
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
        for (at, y) in b.chars().enumerate() {
            let left = row.get(at).copied().unwrap_or(usize::MAX - 1);
            let Some(cell) = row.get_mut(at + 1) else { break };
            let changed = diagonal + usize::from(x != y);
            diagonal = *cell;
            *cell = changed.min(left + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

impl Setting {
    /// Its value where nobody says anything.
    pub fn default_value(&self) -> Value {
        self.parse(self.default).unwrap_or(Value::Auto)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let between =
            |number: u64, least: u64, most: u64, show: &dyn Fn(u64) -> String| match (least..=most)
                .contains(&number)
            {
                true => Ok(number),
                false => Err(format!(
                    "{} is not between {} and {}",
                    show(number),
                    show(least),
                    show(most)
                )),
            };
        match self.kind {
            Kind::Size(..) | Kind::Count(..) if text == "auto" => Ok(Value::Auto),
            Kind::Size(least, most) => {
                let bytes = size(text).ok_or_else(|| {
                    format!(
                        "{text:?} is no size: give bytes, or a number with KiB, MiB or GiB, or auto"
                    )
                })?;
                between(bytes, least, most, &|it| Value::Size(it).to_string()).map(Value::Size)
            }
            Kind::Count(least, most) => {
                let number = text.parse().map_err(|_| {
                    format!("{text:?} is no number: give one from {least} to {most}, or auto")
                })?;
                between(number, least, most, &|it| it.to_string()).map(Value::Count)
            }
            Kind::Switch => match text {
                "true" => Ok(Value::Switch(true)),
                "false" => Ok(Value::Switch(false)),
                _ => Err(format!("{text:?} is neither true nor false")),
            },
            Kind::Choice(choices) => {
                let found = choices.iter().find(|choice| **choice == text);
                let all = || format!("{text:?} is none of {}", choices.join(", "));
                found.map(|choice| Value::Choice(choice)).ok_or_else(all)
            }
            Kind::Names => {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                let is_bad = |c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c);
                names
                    .map(|name| match name.chars().find(|&c| is_bad(c)) {
                        None => Ok(name.to_owned()),
                        Some(bad) => Err(format!("{bad:?} in {name:?} is in no feature's name")),
                    })
                    .collect::<Result<_, _>>()
                    .map(Value::Names)
            }
        }
    }

    /// What its values are, for people.
    pub fn values(&self) -> String {
        match self.kind {
            Kind::Size(least, most) => {
                format!("auto, or {} to {}", Value::Size(least), Value::Size(most))
            }
            Kind::Count(least, most) => format!("auto, or {least} to {most}"),
            Kind::Switch => "true or false".into(),
            Kind::Choice(choices) => choices.join(" or "),
            Kind::Names => "names".into(),
        }
    }

    /// An error about what `place` says of it.
    pub fn refusal(&self, place: &str, reason: &str) -> HelioError {
        let reason = format!("{}: {reason}", self.key);
        HelioError::input(
            "configuration",
            place,
            reason,
            format!("{} is {}", self.key, self.meaning),
        )
    }
}

/// Bytes, from `512`, `64 KiB`, `64MiB` or `1 GiB`.
fn size(text: &str) -> Option<u64> {
    let units = [("KiB", 1 << 10), ("MiB", MIB), ("GiB", 1 << 30)];
    let unit = units.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, *bytes)));
    let (number, bytes) = unit.unwrap_or((text, 1));
    number.trim().parse::<u64>().ok()?.checked_mul(bytes)
}

impl Value {
    /// As a word of the command line has it.
    pub fn word(&self) -> String {
        match self {
            Self::Size(bytes) => bytes.to_string(),
            Self::Switch(is_on) => u8::from(*is_on).to_string(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Size(bytes) => {
                let units = [("GiB", 1u64 << 30), ("MiB", MIB), ("KiB", 1 << 10)];
                let unit = units.iter().find(|(_, unit)| *bytes > 0 && bytes % unit == 0);
                match unit {
                    Some((name, unit)) => write!(f, "{} {name}", bytes / unit),
                    None => write!(f, "{bytes}"),
                }
            }
            Self::Count(number) => number.fmt(f),
            Self::Switch(is_on) => is_on.fmt(f),
            Self::Choice(choice) => f.write_str(choice),
            Self::Names(names) => f.write_str(&names.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_and_every_value_reads_back() {
        for setting in &SETTINGS {
            let value = setting.parse(setting.default).unwrap();
            assert_eq!(setting.parse(&value.to_string()).unwrap(), value, "{}", setting.key);
            assert!(setting.key.split_once('.').is_some_and(|(_, key)| !key.contains('.')));
        }
    }

    #[test]
    fn sizes_have_units_and_bounds() {
        let heap = find("memory.heap", "test").unwrap();
        assert_eq!(heap.parse("64MiB"), Ok(Value::Size(64 << 20)));
        assert_eq!(heap.parse("67108864"), Ok(Value::Size(64 << 20)));
        assert_eq!(heap.parse(" 1 GiB "), Ok(Value::Size(1 << 30)));
        for wrong in ["", "64 MB", "-1", "1 KiB", "18446744073709551615 GiB", "65 GiB"] {
            assert!(heap.parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Value::Size(96 << 20).to_string(), "96 MiB");
    }

    #[test]
    fn a_name_that_is_nearly_right_is_guessed() {
        let error = find("memory.heep", "test").unwrap_err();
        assert!(error.advice().contains("did you mean memory.heap?"), "{error}");
    }
}
