//! `trace`: records on the console as they come.

use alloc::vec::Vec;

use ::witness::json::Object;
use ::witness::record::Kind;

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::trace::{DENIED, Filter, Trace};

pub(crate) const COMMAND: Command = Command {
    name: "trace",
    arguments: "[on | off | filter WORD...]",
    help: "show records on the console as they come",
    details: "Alone, says what is traced. `trace on` shows every record from here on, each\n\
              as a line of the kernel's own: number, id, logical time, who, what. `trace\n\
              filter` shows some: each WORD is `denied`, a kind of record (`queue_send`,\n\
              `trap`), or a task's name or number; of two kinds, or two tasks, either will\n\
              do. Records are sealed and signed before they are shown. The setting is an\n\
              event in the log; the run goes on as it would have, only slower.",
    json: true,
    completes: &[Argument::Word(&["on", "off", "filter"]), Argument::Traced],
    run,
};

/// Most words of a filter, so that its setting fits into one record.
const WORDS: usize = 12;

/// The words of a filter that are no task's name.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    core::iter::once(DENIED).chain(Kind::ALL.into_iter().map(Kind::name))
}

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let setting = request.view.trace();
    let trace = match request.arguments[..] {
        [] if request.json => {
            return Ok(Answer::json(&Object::new().with("trace", setting.as_str()).into()));
        }
        [] => return Ok(Answer::text(alloc::format!("The trace is {setting}.\n"))),
        _ if request.json => return Err(request.usage()),
        ["on"] => Trace::On(Filter::default()),
        ["off"] => Trace::Off,
        ["filter", ref words @ ..] if !words.is_empty() => {
            if words.len() > WORDS {
                return Err(Refusal(alloc::format!("A filter has at most {WORDS} words.")));
            }
            let words: Vec<&str> = words.to_vec();
            Trace::On(Filter::of(&words, request.view.nucleus())?)
        }
        _ => return Err(request.usage()),
    };
    let said =
        alloc::format!("The trace is {}, which becomes an event in the log.", trace.setting());
    Ok(Answer::act(said, Action::Trace(trace)))
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;
    use crate::{Action, execute};

    fn setting(line: &str) -> Option<alloc::string::String> {
        match execute(line, &Sample::new()).action {
            Some(Action::Trace(trace)) => Some(trace.setting()),
            _ => None,
        }
    }

    #[test]
    fn a_filter_takes_kinds_and_tasks_by_name() {
        assert_eq!(setting("trace on").as_deref(), Some("on"));
        assert_eq!(setting("trace off").as_deref(), Some("off"));
        assert_eq!(setting("trace filter denied").as_deref(), Some("on denied"));
        let both = "trace filter queue_send clerk denied 1";
        assert_eq!(setting(both).as_deref(), Some("on denied queue_send 2 1"));
        for line in ["trace", "trace filter", "trace on 1", "trace on -j", "trace x"] {
            assert_eq!(setting(line), None, "{line}");
        }
        assert_eq!(
            Sample::new().said("trace filter sender"),
            "`sender` is neither `denied` nor a kind of record nor a task: There is no task \
             `sender`; `tasks` lists those there are.\n"
        );
    }

    #[test]
    fn it_says_what_is_traced() {
        assert_eq!(Sample::new().said("trace"), "The trace is off.\n");
        assert_eq!(Sample::new().said("trace -j"), "{\"trace\":\"off\"}\n");
    }
}
