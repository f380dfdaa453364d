//! `queues`: how full they are, what they take, who waits.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::json::{Object as Fields, Value};
use nucleus::view::{Body, Object, Queue};
use nucleus::{Nucleus, ObjectId};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{ROWS, more, number, optional};
use crate::table::{Align, Table};
use crate::units::Bytes;
use crate::view::{object_label, subject_label};

pub(crate) const COMMAND: Command = Command {
    name: "queues",
    arguments: "",
    help: "the queues and what waits in them",
    details: "One row a queue: the bytes in use and in all, the messages in it, the only\n\
              type of message it takes if it is that choosy, and the tasks that wait for a\n\
              message. Each message takes 64 bytes beside its own.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let nucleus = request.view.nucleus();
    let queues = || {
        nucleus.objects().filter_map(|(id, object)| match &object.body {
            Body::Queue(queue) => Some((id, object, queue)),
            _ => None,
        })
    };
    if request.json {
        let json = |(id, object, queue)| json(nucleus, id, object, queue);
        return Ok(Answer::json(&queues().take(ROWS).map(json).collect()));
    }
    let mut table = Table::new(&[
        ("queue", Align::Left),
        ("used", Align::Right),
        ("of", Align::Right),
        ("messages", Align::Right),
        ("accepts", Align::Left),
        ("waiting", Align::Left),
    ]);
    for (id, object, queue) in queues().take(ROWS) {
        let waiting = waiting(nucleus, id);
        table.row([
            object_label(id, object),
            Bytes(queue.used() as u64).to_string(),
            Bytes(queue.capacity() as u64).to_string(),
            queue.messages().to_string(),
            queue.accepts().map_or("any type".into(), |kind| alloc::format!("type {kind}")),
            if waiting.is_empty() { "-".into() } else { waiting.join(", ") },
        ]);
    }
    Ok(Answer::text(table.render() + &more(queues().count(), "queue")))
}

/// The tasks that wait for a message in a queue.
fn waiting(nucleus: &Nucleus, queue: ObjectId) -> Vec<String> {
    let tasks = nucleus.tasks().filter(|(_, task)| task.waits_on == Some(queue));
    tasks.map(|(subject, _)| subject_label(nucleus, subject)).collect()
}

fn json(nucleus: &Nucleus, id: ObjectId, object: &Object, queue: &Queue) -> Value {
    let waiting: Value = waiting(nucleus, id).into_iter().map(Value::from).collect();
    Fields::new()
        .with("accepts", optional(queue.accepts()))
        .with("capacity", number(queue.capacity() as u64))
        .with("messages", number(queue.messages() as u64))
        .with("name", object_label(id, object))
        .with("number", id.0)
        .with("used", number(queue.used() as u64))
        .with("waiting", waiting)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::{JOBS, Sample, WORKER};
    use abi::{Call, Error};
    use nucleus::Arguments;

    #[test]
    fn what_was_sent_is_counted_and_who_waits_is_named() {
        let mut sample = Sample::new();
        sample.slice(WORKER, |it| {
            let send = |kind| Arguments::Send { kind, priority: 0, bytes: &[1; 36] };
            assert_eq!(it.ask(WORKER, Call::QueueSend, JOBS, 0, send(8)), Err(Error::WrongType));
            it.ask(WORKER, Call::QueueSend, JOBS, 0, send(7)).unwrap();
            it.ask(WORKER, Call::QueueSend, JOBS, 0, send(7)).unwrap();
        });
        assert_eq!(
            sample.said("queues"),
            "\
queue            used         of  messages  accepts   waiting
console           0 B  300.6 KiB         0  any type  -
console-input     0 B   64.0 KiB         0  any type  -
approvals         0 B   16.0 KiB         0  any type  -
jobs            200 B    4.0 KiB         2  type 7    clerk (2)
worker/mailbox    0 B    8.0 KiB         0  any type  -
clerk/mailbox     0 B    8.0 KiB         0  any type  -
"
        );
        assert_eq!(
            sample.said("queues -j"),
            concat!(
                r#"[{"accepts":null,"capacity":307840,"messages":0,"name":"console","number":0,"#,
                r#""used":0,"waiting":[]},{"accepts":null,"capacity":65536,"messages":0,"#,
                r#""name":"console-input","number":1,"used":0,"waiting":[]},{"accepts":null,"#,
                r#""capacity":16384,"messages":0,"name":"approvals","number":6,"used":0,"#,
                r#""waiting":[]},{"accepts":7,"capacity":4096,"messages":2,"name":"jobs","#,
                r#""number":9,"used":200,"waiting":["clerk (2)"]},{"accepts":null,"#,
                r#""capacity":8192,"messages":0,"name":"worker/mailbox","number":13,"used":0,"#,
                r#""waiting":[]},{"accepts":null,"capacity":8192,"messages":0,"#,
                r#""name":"clerk/mailbox","number":15,"used":0,"waiting":[]}]"#,
                "\n"
            )
        );
        assert_eq!(sample.said("queues jobs"), "usage: queues [-j]\n");
    }
}
