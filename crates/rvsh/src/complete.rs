//! What the word being typed may become: commands first, then the names of
//! what a command is about.

use alloc::string::String;
use alloc::vec::Vec;

use nucleus::Nucleus;
use nucleus::view::Body;

use crate::command::{Argument, COMMANDS, find};
use crate::commands::trace;
use crate::view::View;

/// How the word left of the cursor can go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// What all choices have next, with a blank if there is only one choice.
    pub rest: String,
    /// The whole words that it may become, in alphabetical order.
    pub choices: Vec<String>,
}

/// Completes the last word of what is left of the cursor. Only looks.
pub fn complete(before: &str, view: &dyn View) -> Completion {
    let start = before.rfind(char::is_whitespace).map_or(0, |at| {
        at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    });
    let (words, typed) = before.split_at_checked(start).unwrap_or_default();
    let mut choices = candidates(words, view);
    choices.retain(|choice| choice.starts_with(typed));
    choices.sort_unstable();
    choices.dedup();
    let mut rest = String::from(common(&choices).get(typed.len()..).unwrap_or_default());
    if choices.len() == 1 {
        rest.push(' ');
    }
    Completion { rest, choices }
}

/// Everything that may follow these words.
fn candidates(words: &str, view: &dyn View) -> Vec<String> {
    let nucleus = view.nucleus();
    let mut words = words.split_whitespace().filter(|word| !word.starts_with('-'));
    let Some(name) = words.next() else { return commands() };
    let argument = find(name).and_then(|command| command.completes.get(words.count()));
    match argument {
        None => Vec::new(),
        Some(Argument::Command) => commands(),
        Some(Argument::Word(words)) => words.iter().map(|word| String::from(*word)).collect(),
        Some(Argument::Task) => nucleus.tasks().map(|(_, task)| task.name.clone()).collect(),
        Some(Argument::Vectors) => names(nucleus, |body| matches!(body, Body::Vectors(_))),
        Some(Argument::Graphs) => names(nucleus, |body| matches!(body, Body::Graph(_))),
        Some(Argument::Sensor) => names(nucleus, |body| matches!(body, Body::Sensor(_))),
        Some(Argument::Module) => view.modules().into_iter().map(|module| module.name).collect(),
        Some(Argument::Traced) => {
            let tasks = nucleus.tasks().map(|(_, task)| task.name.clone());
            tasks.chain(trace::words().map(String::from)).collect()
        }
    }
}

fn commands() -> Vec<String> {
    COMMANDS.iter().map(|command| command.name.into()).collect()
}

fn names(nucleus: &Nucleus, is_meant: impl Fn(&Body) -> bool) -> Vec<String> {
    let meant = nucleus.objects().filter(|(_, object)| is_meant(&object.body));
    meant.map(|(_, object)| object.name.clone()).collect()
}

/// The longest beginning that all have.
fn common(words: &[String]) -> &str {
    let Some((first, others)) = words.split_first() else { return "" };
    others.iter().fold(first.as_str(), |common, word| {
        let same = common.char_indices().zip(word.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(common.len().min(word.len()), |((at, _), _)| at);
        common.get(..end).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;
    use proptest::prelude::*;

    fn completed(before: &str) -> (String, String) {
        let Completion { rest, choices } = complete(before, &Sample::quiet());
        (rest, choices.join(" "))
    }

    #[test]
    fn commands_come_first_then_what_they_are_about() {
        for (before, rest, choices) in [
            ("wit", "ness ", "witness"),
            ("re", "", "reboot regions resume"),
            ("c", "", "caps challenge cpu"),
            ("mount ", "extra ", "extra"),
            ("trace f", "ilter ", "filter"),
            ("trace filter de", "nied ", "denied"),
            ("trace filter cl", "erk ", "clerk"),
            ("  po", "weroff ", "poweroff"),
            ("help vec", "tors ", "vectors"),
            ("caps ", "", "broken clerk worker"),
            ("caps -j w", "orker ", "worker"),
            ("vectors p", "laces ", "places"),
            ("graphs ", "roads ", "roads"),
            ("witness s", "how ", "show"),
            ("witness show ", "", ""),
            ("caps worker ", "", ""),
            ("frobnicate ", "", ""),
            ("x", "", ""),
        ] {
            assert_eq!(completed(before), (rest.into(), choices.into()), "{before}");
        }
    }

    proptest! {
        #[test]
        fn every_choice_goes_on_from_what_was_typed(before in "(caps |help |graphs )?\\PC{0,6}") {
            let Completion { rest, choices } = complete(&before, &Sample::quiet());
            let typed = before.rsplit(char::is_whitespace).next().unwrap();
            for choice in choices {
                prop_assert!(choice.starts_with(&[typed, rest.trim_end()].concat()));
            }
        }
    }
}
