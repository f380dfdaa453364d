//! `stop` and `resume`: the emergency stop.

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Command, Request};

pub(crate) const STOP: Command = Command {
    name: "stop",
    arguments: "",
    help: "deny every call of every task, from now on",
    details: "An event in the log. Calls that wait are cut short; each task's next call is\n\
              denied once, and the task parks. Looking goes on. `resume` is the inverse.",
    json: false,
    run: |request| act(request, "Every task's next call is denied.", Action::Stop),
};

pub(crate) const RESUME: Command = Command {
    name: "resume",
    arguments: "",
    help: "let the tasks go on after a stop",
    details: "An event in the log. Parked tasks go on where they are; what expired or was\n\
              cut short meanwhile stays so.",
    json: false,
    run: |request| act(request, "The tasks go on.", Action::Resume),
};

fn act(request: &Request<'_>, sentence: &str, action: Action) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    Ok(Answer::act(sentence, action))
}
