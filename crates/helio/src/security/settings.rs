//! Words of the kernel's command line that weaken a machine.

use super::{Findings, Severity};

/// A word, and what it does.
struct Word {
    name: &'static str,
    /// The value that counts; any if there is none.
    value: Option<&'static str>,
    severity: Severity,
    what: &'static str,
    advice: &'static str,
}

const REMOVE: &str = "remove the word";

/// `docs/BOOT.md` has all words and who may say them.
const WORDS: [Word; 9] = [
    Word {
        name: "test",
        value: None,
        severity: Severity::High,
        what: "it breaks the machine on purpose, for a test",
        advice: REMOVE,
    },
    Word {
        name: "fail",
        value: None,
        severity: Severity::High,
        what: "it makes a phase of the start fail on purpose, for a test",
        advice: REMOVE,
    },
    Word {
        name: "panic-after",
        value: None,
        severity: Severity::High,
        what: "it ends the kernel by a panic, for a test",
        advice: REMOVE,
    },
    Word {
        name: "semihosting",
        value: Some("1"),
        severity: Severity::Medium,
        what: "the kernel ends by a semihosting call: on hardware it faults, and under a debugger it obeys it",
        advice: "remove the word: it is for emulators",
    },
    Word {
        name: "end",
        value: Some("shell"),
        severity: Severity::Medium,
        what: "the machine stays at its prompt when its tasks have ended: who reaches the console can feed it, stop it and switch it off",
        advice: "remove the word, so that the machine switches off",
    },
    Word {
        name: "log",
        value: Some("serial"),
        severity: Severity::Low,
        what: "the log goes out by the console: what was shown may be lost with the power",
        advice: "remove the word, and give the machine a log disk",
    },
    Word {
        name: "entropy",
        value: None,
        severity: Severity::Medium,
        what: "the random bytes of the boot are the same at each boot, and known",
        advice: "remove the word: the loader takes them from firmware",
    },
    Word {
        name: "nonce",
        value: None,
        severity: Severity::Low,
        what: "the same nonce at each boot proves to no verifier that a run is new",
        advice: "remove the word, and give a nonce at each start (helio run --nonce, challenge)",
    },
    Word {
        name: "pace",
        value: Some("0"),
        severity: Severity::Low,
        what: "logical time runs ahead of real time while tasks wait",
        advice: "remove the word, unless nobody waits for the time of the day",
    },
];

/// Looks at a command line. `is_ours` says whether one of our loaders puts its
/// own words in front of it.
pub(super) fn look(place: &str, line: &str, is_ours: bool, findings: &mut Findings) {
    for word in line.split_ascii_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let known = WORDS.iter().find(|it| it.name == name);
        if let Some(known) = known.filter(|it| it.value.is_none_or(|wanted| wanted == value)) {
            let place = format!("{place}: {word}");
            findings.add(known.severity, "weak-setting", place, known.what, known.advice);
        } else if name.starts_with("loader.") {
            let (severity, what) = match is_ours {
                true => (Severity::Info, "it has no effect: our loader says it first"),
                false => (
                    Severity::High,
                    "it speaks for a loader that checked the kernel, and the log repeats it",
                ),
            };
            findings.add(severity, "forged-setting", format!("{place}: {word}"), what, REMOVE);
        }
    }
}
