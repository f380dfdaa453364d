//! `reboot` and `poweroff`: the ends of a run.

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Command, Request};

pub(crate) const REBOOT: Command = Command {
    name: "reboot",
    arguments: "",
    help: "end the run and start the machine again",
    details: "Tasks that still run are cut short, the log is sealed, signed and written\n\
              out, then the machine starts again.",
    json: false,
    completes: &[],
    run: |request| end(request, "Ending the run; the machine will start again.", Action::Reboot),
};

pub(crate) const POWEROFF: Command = Command {
    name: "poweroff",
    arguments: "",
    help: "end the run and switch the machine off",
    details: "Tasks that still run are cut short, the log is sealed, signed and written\n\
              out, then the machine is switched off.",
    json: false,
    completes: &[],
    run: |request| end(request, "Ending the run; the machine will switch off.", Action::PowerOff),
};

fn end(request: &Request<'_>, sentence: &str, action: Action) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    Ok(Answer::act(sentence, action))
}
