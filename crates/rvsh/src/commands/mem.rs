//! `mem`: memory and the other budgets, and what is used of them.

use alloc::string::{String, ToString};

use ::witness::json::{Object, Value};
use nucleus::view::{Meter, Partition};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{number, optional};
use crate::table::{Align, Table};
use crate::units::{Bytes, Count};
use crate::view::View;

pub(crate) const COMMAND: Command = Command {
    name: "mem",
    arguments: "",
    help: "memory and other budgets, used and allowed",
    details: "The kernel's heap, where there is one. Then one row a task that is alive: the\n\
              linear memory it has and may have. Then one row a partition, which is what\n\
              the tasks of one mounted package share: memory, fuel and records. What is\n\
              used in a partition counts in all those it is mounted in, too.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    Ok(match request.json {
        true => Answer::json(&json(request.view)),
        false => Answer::text(text(request.view)),
    })
}

fn text(view: &dyn View) -> String {
    let nucleus = view.nucleus();
    let mut parts = alloc::vec::Vec::new();
    if let Some(heap) = view.machine().heap {
        let (used, size) = (Bytes(heap.used), Bytes(heap.size));
        parts.push(alloc::format!("heap  {used} used of {size}\n"));
    }
    let alive = || nucleus.tasks().filter(|(_, task)| task.state().is_alive());
    if alive().next().is_some() {
        let mut table = Table::new(&[
            ("task", Align::Right),
            ("name", Align::Left),
            ("memory", Align::Right),
            ("of", Align::Right),
        ]);
        for (subject, task) in alive() {
            table.row([
                subject.0.to_string(),
                task.name.clone(),
                Bytes(view.memory(subject)).to_string(),
                Bytes(task.memory.into()).to_string(),
            ]);
        }
        parts.push(table.render());
    }
    if nucleus.partitions().next().is_some() {
        let mut table = Table::new(&[
            ("partition", Align::Left),
            ("package", Align::Left),
            ("memory", Align::Right),
            ("of", Align::Right),
            ("fuel", Align::Right),
            ("of", Align::Right),
            ("records", Align::Right),
            ("of", Align::Right),
        ]);
        for it in nucleus.partitions() {
            let [memory, memory_limit] = amounts(it.memory, |bytes| Bytes(bytes).to_string());
            let [fuel, fuel_limit] = amounts(it.fuel, |fuel| Count(fuel).to_string());
            let [records, records_limit] = amounts(it.records, |count| count.to_string());
            let names = [&it.path, &it.name].map(|name| match name.as_str() {
                "" => String::from("-"),
                name => name.into(),
            });
            let row = [memory, memory_limit, fuel, fuel_limit, records, records_limit];
            table.row(names.into_iter().chain(row));
        }
        parts.push(table.render());
    } else {
        parts.push("No package is mounted.\n".into());
    }
    parts.join("\n")
}

/// What is used and the limit, if there is one.
fn amounts(meter: Meter, show: impl Fn(u64) -> String) -> [String; 2] {
    let limit = Some(meter.limit).filter(|limit| *limit != u64::MAX);
    [show(meter.used), limit.map_or("any".into(), show)]
}

fn json(view: &dyn View) -> Value {
    let nucleus = view.nucleus();
    let used = |used, limit| Object::new().with("limit", limit).with("used", used);
    let heap = view
        .machine()
        .heap
        .map(|it| Object::new().with("size", number(it.size)).with("used", number(it.used)));
    let alive = nucleus.tasks().filter(|(_, task)| task.state().is_alive());
    let tasks = alive.map(|(subject, task)| {
        used(number(view.memory(subject)), task.memory.into())
            .with("name", task.name.as_str())
            .with("task", subject.0)
            .into()
    });
    let meter = |it: Meter| {
        let limit = Some(it.limit).filter(|limit| *limit != u64::MAX);
        used(Value::decimal(it.used), optional(limit.map(Value::decimal)))
    };
    let partition = |it: &Partition| {
        Object::new()
            .with("fuel", meter(it.fuel))
            .with("memory", meter(it.memory))
            .with("package", it.name.as_str())
            .with("path", it.path.as_str())
            .with("records", meter(it.records))
            .into()
    };
    Object::new()
        .with("heap", optional(heap))
        .with("partitions", nucleus.partitions().map(partition).collect::<Value>())
        .with("tasks", tasks.collect::<Value>())
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;

    #[test]
    fn what_is_used_stands_beside_what_is_allowed() {
        assert_eq!(
            Sample::new().said("mem"),
            "\
heap  1.0 MiB used of 64.0 MiB

task  name      memory        of
   1  worker  64.0 KiB  16.0 MiB
   2  clerk   64.0 KiB  16.0 MiB

partition  package    memory        of    fuel      of  records   of
/          sample   32.0 MiB  64.0 MiB  5.00 M  1.09 T        4  100
"
        );
        assert_eq!(
            Sample::new().said("mem -j"),
            concat!(
                r#"{"heap":{"size":67108864,"used":1048576},"partitions":["#,
                r#"{"fuel":{"limit":"1099511627776","used":"5002000"},"#,
                r#""memory":{"limit":"67108864","used":"33554432"},"package":"sample","path":"/","#,
                r#""records":{"limit":"100","used":"4"}}],"tasks":[{"limit":16777216,"#,
                r#""name":"worker","task":1,"used":65536},{"limit":16777216,"name":"clerk","#,
                r#""task":2,"used":65536}]}"#,
                "\n"
            )
        );
        let none = Sample::empty().said("mem");
        assert_eq!(none, "heap  1.0 MiB used of 64.0 MiB\n\nNo package is mounted.\n");
    }
}
