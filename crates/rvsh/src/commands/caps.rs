//! `caps`: what a task may do, with what.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::json::{Object, Value};
use abi::profile::MAILBOX;
use abi::{Error, Handle, Rights};
use nucleus::Nucleus;
use nucleus::capability::{Capability, NEVER, UNLIMITED};

use crate::answer::{Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::commands::{ROWS, expiry, find_task, more, optional};
use crate::table::{Align, Table};
use crate::view::{object_label, subject_label};

pub(crate) const COMMAND: Command = Command {
    name: "caps",
    arguments: "TASK",
    help: "what a task may do, with what",
    details: "TASK is a task's name or number, or `kernel`. One row a capability: its handle,\n\
              which is the slot, and the slot's generation after a dot if it was used\n\
              before; the object; the rights; the badge; the uses left; the logical time\n\
              it expires at; how often it was derived; and whether it still holds. A dead\n\
              one is shown until its slot is emptied, soon after.",
    json: true,
    completes: &[Argument::Task],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let [who] = request.arguments[..] else { return Err(request.usage()) };
    let nucleus = request.view.nucleus();
    let task = find_task(nucleus, who)?;
    let held = || task.space.iter();
    if request.json {
        return Ok(Answer::json(
            &held().take(ROWS).map(|(handle, it)| json(nucleus, handle, it)).collect(),
        ));
    }
    if held().next().is_none() {
        let label = subject_label(nucleus, task.subject);
        return Ok(Answer::text(alloc::format!("{label} holds no capability.\n")));
    }
    let mut table = Table::new(&[
        ("handle", Align::Right),
        ("kind", Align::Left),
        ("object", Align::Left),
        ("rights", Align::Left),
        ("badge", Align::Right),
        ("uses", Align::Right),
        ("expires", Align::Right),
        ("depth", Align::Right),
        ("state", Align::Left),
    ]);
    for (handle, it) in held().take(ROWS) {
        table.row([
            handle_label(handle),
            it.kind.name().into(),
            label(nucleus, it),
            rights(it.rights).join(" "),
            if it.badge == 0 { "-".into() } else { it.badge.to_string() },
            if it.uses == UNLIMITED { "any".into() } else { it.uses.to_string() },
            expiry(it.expiry),
            it.depth.to_string(),
            state(nucleus, it).into(),
        ]);
    }
    Ok(Answer::text(table.render() + &more(held().count(), "capability")))
}

/// A handle as its holder would count: the slot, and its generation where it
/// was used before.
pub(crate) fn handle_label(handle: Handle) -> String {
    match (handle, handle.generation()) {
        (MAILBOX, _) => "mailbox".into(),
        (_, 0) => handle.slot().to_string(),
        (_, generation) => alloc::format!("{}.{generation}", handle.slot()),
    }
}

/// What the capability is for, also where that is no more.
fn label(nucleus: &Nucleus, it: &Capability) -> String {
    match nucleus.object(it.object) {
        Some(object) => object_label(it.object, object),
        None => alloc::format!("{} {}", it.kind.name(), it.object.0),
    }
}

fn rights(rights: Rights) -> Vec<&'static str> {
    let held = Rights::NAMED.iter().filter(|(right, _)| rights.contains(*right));
    held.map(|(_, name)| *name).collect()
}

fn state(nucleus: &Nucleus, it: &Capability) -> &'static str {
    match nucleus.is_live(it) {
        Ok(()) => "live",
        Err(Error::Expired) => "expired",
        Err(Error::Exhausted) => "used up",
        Err(Error::Replayed) => "proof used",
        Err(_) if nucleus.object(it.object).is_none() => "object gone",
        Err(_) => "revoked",
    }
}

fn json(nucleus: &Nucleus, handle: Handle, it: &Capability) -> Value {
    let expires = Some(it.expiry).filter(|ns| *ns != NEVER);
    Object::new()
        .with("badge", Value::decimal(it.badge))
        .with("depth", it.depth)
        .with("expires_ns", optional(expires.map(Value::decimal)))
        .with("handle", handle.0)
        .with("kind", it.kind.name())
        .with("object", label(nucleus, it))
        .with("object_number", it.object.0)
        .with("rights", rights(it.rights).into_iter().map(Value::from).collect::<Value>())
        .with("state", state(nucleus, it))
        .with("uses", optional(Some(it.uses).filter(|uses| *uses != UNLIMITED)))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::{JOBS, Sample, WORKER};
    use abi::{Call, GrantArguments, Rights};
    use nucleus::Arguments;

    /// The worker's child has two lesser capabilities for `jobs`, one with
    /// counted uses, the other expired.
    fn granted() -> Sample {
        let mut sample = Sample::quiet();
        sample.slice(WORKER, |it| {
            let to = it.spawn();
            let soon = it.nucleus.clock().now_ns() + 1;
            for (rights, badge, expiry, uses) in
                [(Rights::READ, 9, u64::MAX, 3), (Rights::WRITE, 0, soon, u32::MAX)]
            {
                let grant = GrantArguments { to, rights, badge, expiry, uses };
                it.ask(WORKER, Call::CapGrant, JOBS, 0, Arguments::Grant(grant)).unwrap();
            }
            it.nucleus.spend(WORKER, 1_000_000);
        });
        sample
    }

    #[test]
    fn each_capability_is_shown_with_what_is_left_of_it() {
        assert_eq!(granted().said("caps worker"), "\
\x20handle  kind          object          rights                   badge  uses  expires  depth  state
      0  queue         console         write                        -   any    never      0  live
      1  queue         jobs            read write grant revoke      -   any    never      0  live
      2  vector-store  places          read write prove             -   any    never      0  live
      3  graph-store   roads           read write prove             -   any    never      0  live
      4  memory        memory          write                        -   any    never      0  live
      5  log           log             write                        -   any    never      0  live
      6  component     program         execute                      -   any    never      0  live
      7  task          program (4)     read write grant revoke      -   any    never      0  live
mailbox  queue         worker/mailbox  read write grant revoke      -   any    never      0  live
");
        assert_eq!(
            granted().said("caps program"),
            "\
\x20handle  kind   object           rights                   badge  uses     expires  depth  state
      0  queue  jobs             read                         9     3       never      1  live
      1  queue  jobs             write                        -   any  0.000001 s      1  expired
mailbox  queue  program/mailbox  read write grant revoke      -   any       never      0  live
"
        );
    }

    #[test]
    fn what_was_revoked_is_dead_until_it_is_swept() {
        let mut sample = granted();
        sample.slice(WORKER, |it| {
            it.ask(WORKER, Call::CapGrant, JOBS, 1, Arguments::TakeBack).unwrap();
        });
        assert_eq!(
            sample.said("caps 4"),
            "\
\x20handle  kind   object           rights                   badge  uses     expires  depth  state
      0  queue  jobs             read                         9     3       never      1  revoked
      1  queue  jobs             write                        -   any  0.000001 s      1  revoked
mailbox  queue  program/mailbox  read write grant revoke      -   any       never      0  live
"
        );
    }

    #[test]
    fn a_task_is_named_by_name_or_number_and_no_other_is_shown() {
        let sample = Sample::quiet();
        assert_eq!(sample.said("caps 2"), sample.said("caps clerk"));
        assert!(sample.said("caps kernel").contains("  namespace     packages  "));
        assert_eq!(sample.said("caps"), "usage: caps TASK [-j]\n");
        assert_eq!(
            sample.said("caps nobody"),
            "There is no task `nobody`; `tasks` lists those there are.\n"
        );
        assert_eq!(sample.said("caps 9"), "There is no task 9; `tasks` lists those there are.\n");
    }

    #[test]
    fn json_has_the_numbers() {
        assert_eq!(
            Sample::quiet().said("caps clerk -j"),
            concat!(
                r#"[{"badge":"0","depth":0,"expires_ns":null,"handle":0,"kind":"queue","#,
                r#""object":"jobs","object_number":9,"rights":["read"],"state":"live","#,
                r#""uses":null},{"badge":"0","depth":0,"expires_ns":null,"handle":4294967294,"#,
                r#""kind":"queue","object":"clerk/mailbox","object_number":15,"rights":["read","#,
                r#""write","grant","revoke"],"state":"live","uses":null}]"#,
                "\n"
            )
        );
    }
}
