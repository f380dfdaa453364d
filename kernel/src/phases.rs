//! Init as a table of phases.
//!
//! Each phase says what it needs, what it does and how that is undone. They
//! run in the order of the table. When one fails, those before it are undone
//! in reverse order, and whoever ran them halts with the diagnosis: there is
//! no half-booted state.

use core::fmt;

use hal::traits::{DiscoverError, MapError};

/// A step of init, over what the steps have made so far.
pub struct Phase<C> {
    /// Its name, for other phases, diagnoses and `fail=`.
    pub name: &'static str,
    /// Names of phases that must have run before.
    pub needs: &'static [&'static str],
    /// Does it. A phase that fails has undone what it did itself.
    pub run: fn(&mut C) -> Result<(), Diagnosis>,
    /// How it is undone.
    pub undo: Undo<C>,
}

/// How a phase is undone.
pub enum Undo<C> {
    /// By this.
    By(fn(&mut C)),
    /// Not at all, for this reason.
    Stays(&'static str),
}

/// Why a phase failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// In words.
    Because(&'static str),
    /// Something could not be mapped; what.
    Map(&'static str, MapError),
    /// The devices were not found.
    Discover(DiscoverError),
    /// A phase that this one needs has not run; which.
    Order(&'static str),
    /// The command line asked for it, to see what happens.
    Asked,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Because(text) => f.write_str(text),
            Self::Map(what, MapError::AlreadyMapped) => write!(f, "{what} is mapped already"),
            Self::Map(what, MapError::BadAddress) => write!(f, "{what} has no usable address"),
            Self::Map(what, MapError::OutOfFrames) => {
                write!(f, "no memory is left for page tables of {what}")
            }
            Self::Discover(error) => discover(error, f),
            Self::Order(needed) => write!(f, "it needs {needed}, which has not run"),
            Self::Asked => f.write_str("the command line asked for it"),
        }
    }
}

fn discover(error: &DiscoverError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        DiscoverError::NoDescription => f.write_str("the loader gave neither ACPI nor device tree"),
        DiscoverError::BadDescription(what) => {
            write!(f, "the firmware's tables are damaged: {what}")
        }
        DiscoverError::Missing(what) => write!(f, "the firmware does not describe: {what}"),
        DiscoverError::Map(error) => write!(f, "{}", Diagnosis::Map("device registers", *error)),
    }
}

/// What happened to a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has run.
    Done,
    /// It has failed.
    Failed(Diagnosis),
    /// It was undone.
    Undone,
    /// It was left as it is, for this reason.
    Stays(&'static str),
}

/// A phase failed; those before it are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The phase.
    pub phase: &'static str,
    /// Why.
    pub diagnosis: Diagnosis,
}

/// Runs the table. `fail` names a phase that is to fail in place of running;
/// `tell` hears of each step.
pub fn run<C>(
    phases: &[Phase<C>],
    context: &mut C,
    fail: Option<&str>,
    tell: &mut dyn FnMut(&mut C, &'static str, Progress),
) -> Result<(), Failure> {
    for (at, phase) in phases.iter().enumerate() {
        let done = &phases[..at];
        match attempt(phase, done, context, fail) {
            Ok(()) => tell(context, phase.name, Progress::Done),
            Err(diagnosis) => {
                tell(context, phase.name, Progress::Failed(diagnosis));
                roll_back(done, context, tell);
                return Err(Failure { phase: phase.name, diagnosis });
            }
        }
    }
    Ok(())
}

fn attempt<C>(
    phase: &Phase<C>,
    done: &[Phase<C>],
    context: &mut C,
    fail: Option<&str>,
) -> Result<(), Diagnosis> {
    let has_run = |needed: &str| done.iter().any(|phase| phase.name == needed);
    if let Some(missing) = phase.needs.iter().find(|needed| !has_run(needed)) {
        return Err(Diagnosis::Order(missing));
    }
    if fail == Some(phase.name) {
        return Err(Diagnosis::Asked);
    }
    (phase.run)(context)
}

fn roll_back<C>(
    done: &[Phase<C>],
    context: &mut C,
    tell: &mut dyn FnMut(&mut C, &'static str, Progress),
) {
    for phase in done.iter().rev() {
        let progress = match phase.undo {
            Undo::By(undo) => {
                undo(context);
                Progress::Undone
            }
            Undo::Stays(why) => Progress::Stays(why),
        };
        tell(context, phase.name, progress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What ran and was undone, in order.
    type Trace = Vec<String>;

    const PHASES: [Phase<Trace>; 4] = [
        Phase {
            name: "one",
            needs: &[],
            run: |trace| note(trace, "run one"),
            undo: Undo::By(|trace| trace.push("undo one".into())),
        },
        Phase {
            name: "two",
            needs: &["one"],
            run: |trace| note(trace, "run two"),
            undo: Undo::Stays("it is harmless"),
        },
        Phase {
            name: "three",
            needs: &["one", "two"],
            run: |trace| note(trace, "run three"),
            undo: Undo::By(|trace| trace.push("undo three".into())),
        },
        Phase {
            name: "four",
            needs: &[],
            run: |trace| note(trace, "run four"),
            undo: Undo::By(|trace| trace.push("undo four".into())),
        },
    ];

    fn note(trace: &mut Trace, text: &str) -> Result<(), Diagnosis> {
        trace.push(text.into());
        Ok(())
    }

    fn run_with(fail: Option<&str>) -> (Result<(), Failure>, Trace, Vec<(&'static str, Progress)>) {
        let (mut trace, mut told) = (Trace::new(), Vec::new());
        let result =
            run(&PHASES, &mut trace, fail, &mut |_, name, progress| told.push((name, progress)));
        (result, trace, told)
    }

    #[test]
    fn all_phases_run_in_order() {
        let (result, trace, told) = run_with(None);
        assert_eq!(result, Ok(()));
        assert_eq!(trace, ["run one", "run two", "run three", "run four"]);
        assert!(told.iter().all(|(_, progress)| *progress == Progress::Done));
    }

    #[test]
    fn whichever_phase_fails_those_before_it_are_undone_in_reverse() {
        for (at, phase) in PHASES.iter().enumerate() {
            let (result, trace, told) = run_with(Some(phase.name));
            let failure = Failure { phase: phase.name, diagnosis: Diagnosis::Asked };
            assert_eq!(result, Err(failure));

            let names = PHASES[..at].iter().map(|phase| phase.name);
            let runs = names.clone().map(|name| format!("run {name}"));
            let undone = names.clone().rev().filter(|name| *name != "two");
            let expected: Vec<_> = runs.chain(undone.map(|name| format!("undo {name}"))).collect();
            assert_eq!(trace, expected);

            let told_back: Vec<_> = told[at + 1..].iter().map(|(name, _)| *name).collect();
            assert_eq!(told_back, names.rev().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_phase_whose_need_has_not_run_fails_without_running() {
        let mut trace = Trace::new();
        let result = run(&PHASES[1..], &mut trace, None, &mut |_, _, _| {});
        assert_eq!(result, Err(Failure { phase: "two", diagnosis: Diagnosis::Order("one") }));
        assert!(trace.is_empty());
    }
}
