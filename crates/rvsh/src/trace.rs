//! The trace: records on the console as they come.
//!
//! Its setting is an event in the log, so that whoever reads the log knows what
//! stood on the console. It changes nothing else: a machine that is traced
//! makes the same records.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nucleus::Nucleus;
use witness::Subject;
use witness::record::{Kind, Record, Verdict};

use crate::answer::Refusal;
use crate::command::shown;
use crate::commands::{Short, find_task};
use crate::describe;
use crate::units::Seconds;
use crate::view::{self, View, subject_name};

/// What the trace shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    /// Nothing.
    #[default]
    Off,
    /// Every record that passes.
    On(Filter),
}

/// Which records are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only calls that were denied or cut short.
    denied: bool,
    /// Only these kinds, if there are any.
    kinds: Vec<Kind>,
    /// Only what these did, if there are any.
    subjects: Vec<Subject>,
}

/// The word for calls that were not allowed.
pub(crate) const DENIED: &str = "denied";

impl Trace {
    /// Reads a setting as an event has it; `None` for anything else.
    pub fn parse(setting: &str) -> Option<Self> {
        let mut words = setting.split(' ');
        match words.next()? {
            "off" => words.next().is_none().then_some(Self::Off),
            "on" => {
                let mut filter = Filter::default();
                for word in words {
                    let subject = || word.parse().ok().map(Subject);
                    if !filter.take(word) {
                        filter.subjects.push(subject()?);
                    }
                }
                Some(Self::On(filter))
            }
            _ => None,
        }
    }

    /// The setting as the event has it: `off`, or `on` and the words of the
    /// filter, with tasks by their numbers.
    pub fn setting(&self) -> String {
        let Self::On(Filter { denied, kinds, subjects }) = self else { return "off".into() };
        let mut words = alloc::vec![String::from("on")];
        words.extend(denied.then(|| DENIED.into()));
        words.extend(kinds.iter().map(|kind| String::from(kind.name())));
        words.extend(subjects.iter().map(|subject| subject.0.to_string()));
        words.join(" ")
    }

    /// A record as a line, if it is shown: its number, whether it is sealed
    /// (by its id), its time, who and what.
    pub fn line(&self, view: &dyn View, index: u64) -> Option<String> {
        let Self::On(filter) = self else { return None };
        let entry = view::entry(view, index)?;
        let record = entry.record.ok()?;
        filter.passes(&record).then(|| {
            let nucleus = view.nucleus();
            let id = entry.id.map_or("not sealed".into(), |id| Short(&id).to_string());
            let (time, who) = (record.point.time_ns, subject_name(nucleus, record.subject));
            let what = describe::in_words(nucleus, &record);
            format!("record {index} ({id}) {} {who}: {what}", Seconds(time))
        })
    }
}

impl Filter {
    /// A filter by words that a person gave: tasks also by name.
    pub(crate) fn of(words: &[&str], nucleus: &Nucleus) -> Result<Self, Refusal> {
        let mut filter = Self::default();
        for word in words {
            if filter.take(word) {
                continue;
            }
            let task = find_task(nucleus, word).map_err(|Refusal(why)| {
                let is_name = word.parse::<u32>().is_err();
                Refusal(match is_name {
                    true => format!(
                        "`{}` is neither `{DENIED}` nor a kind of record nor a task: {why}",
                        shown(word)
                    ),
                    false => why,
                })
            })?;
            filter.subjects.push(task.subject);
        }
        Ok(filter)
    }

    /// Takes a word that does not name a task.
    fn take(&mut self, word: &str) -> bool {
        if word == DENIED {
            self.denied = true;
            return true;
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == word);
        self.kinds.extend(kind);
        kind.is_some()
    }

    fn passes(&self, record: &Record<'_>) -> bool {
        let is_one = |all: &[Subject]| all.is_empty() || all.contains(&record.subject);
        (!self.denied || record.verdict != Verdict::Allowed)
            && (self.kinds.is_empty() || self.kinds.contains(&record.kind()))
            && is_one(&self.subjects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn lines(setting: &str) -> Vec<String> {
        let (sample, trace) = (Sample::new(), Trace::parse(setting).unwrap());
        (0..20).filter_map(|index| trace.line(&sample, index)).collect()
    }

    #[test]
    fn a_setting_reads_back_as_it_was_written() {
        for setting in ["off", "on", "on denied", "on queue_send trap", "on denied exit 1 2"] {
            assert_eq!(Trace::parse(setting).unwrap().setting(), setting);
        }
        for bad in ["", "of", "off denied", "on  denied", "on worker", "on -1", "ON"] {
            assert_eq!(Trace::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_record_that_passes_is_one_line_in_words() {
        let all = lines("on");
        assert_eq!(all.len(), 10);
        assert!(
            all[0].starts_with("record 0 (") && all[0].contains(") 0.000000 s kernel: genesis")
        );
        assert_eq!(all[7], "record 7 (not sealed) 0.005002 s worker: queue_send console, 18 bytes");
        assert!(all.iter().all(|line| !line.contains(char::is_control)));
        assert_eq!(lines("off"), [""; 0]);
    }

    #[test]
    fn each_word_lets_less_through() {
        let which = |setting| -> Vec<String> {
            let number = |line: &String| line.split(' ').nth(1).unwrap().into();
            lines(setting).iter().map(number).collect()
        };
        assert_eq!(which("on denied"), ["8"]);
        assert_eq!(which("on queue_send"), ["7", "8"]);
        assert_eq!(which("on 1"), ["7", "8", "9"]);
        assert_eq!(which("on attest_emit 1"), ["9"]);
        assert_eq!(which("on trap"), ["6"]);
        assert_eq!(which("on denied attest_emit"), [""; 0]);
    }
}
