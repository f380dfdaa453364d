//! `stop` and `resume`, the emergency stop, and `snapshot`.

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Command, Request};

pub(crate) const STOP: Command = Command {
    name: "stop",
    arguments: "",
    help: "deny every call of every task, from now on",
    details: "An event in the log. Calls that wait are cut short; each task's next call is\n\
              denied once, and the task parks. Looking goes on. `resume` is the inverse.",
    json: false,
    completes: &[],
    run: |request| act(request, "Every task's next call is denied.", Action::Stop),
};

pub(crate) const RESUME: Command = Command {
    name: "resume",
    arguments: "",
    help: "let the tasks go on after a stop",
    details: "An event in the log. Parked tasks go on where they are; what expired or was\n\
              cut short meanwhile stays so.",
    json: false,
    completes: &[],
    run: |request| act(request, "The tasks go on.", Action::Resume),
};

pub(crate) const SNAPSHOT: Command = Command {
    name: "snapshot",
    arguments: "",
    help: "record the root of the whole state",
    details: "An event in the log, and a record of the root that `helio replay` can take a\n\
              snapshot at. Only a package whose manifest asks for state roots has them.",
    json: false,
    completes: &[],
    run: |request| act(request, "The root of the state is recorded.", Action::Snapshot),
};

fn act(request: &Request<'_>, sentence: &str, action: Action) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    Ok(Answer::act(sentence, action))
}
