//! `regions`: data outside of the tasks' memory.

use alloc::string::ToString;

use ::witness::json::{Object as Fields, Value};
use nucleus::view::{Body, Object, Region};
use nucleus::{Nucleus, ObjectId};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{ROWS, Short, more, number, optional};
use crate::table::{Align, Table};
use crate::units::Bytes;
use crate::view::{object_label, partition_label};

pub(crate) const COMMAND: Command = Command {
    name: "regions",
    arguments: "",
    help: "data outside of the tasks' memory",
    details: "One row a region: its name, or its number if a task made it; whether it never\n\
              changes, grows at its end, or is slots; the bytes that can be read and the\n\
              bytes it takes; where its package is mounted; and the beginning of its\n\
              SHA-256 if it never changes.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let nucleus = request.view.nucleus();
    let regions = || {
        nucleus.objects().filter_map(|(id, object)| match &object.body {
            Body::Region(region) => Some((id, object, region)),
            _ => None,
        })
    };
    if request.json {
        let json = |(id, object, region)| json(nucleus, id, object, region);
        return Ok(Answer::json(&regions().take(ROWS).map(json).collect()));
    }
    if regions().next().is_none() {
        return Ok(Answer::text("There are no regions.\n".into()));
    }
    let mut table = Table::new(&[
        ("region", Align::Left),
        ("mode", Align::Left),
        ("size", Align::Right),
        ("takes", Align::Right),
        ("partition", Align::Left),
        ("SHA-256", Align::Left),
    ]);
    for (id, object, region) in regions().take(ROWS) {
        table.row([
            object_label(id, object),
            region.mode().into(),
            Bytes(region.size()).to_string(),
            Bytes(region.cost()).to_string(),
            partition_label(nucleus, object.partition).into(),
            region.content().map_or("-".into(), |(_, digest)| Short(digest).to_string()),
        ]);
    }
    Ok(Answer::text(table.render() + &more(regions().count(), "region")))
}

fn json(nucleus: &Nucleus, id: ObjectId, object: &Object, region: &Region) -> Value {
    let digest = region.content().map(|(_, digest)| Value::hex(digest));
    Fields::new()
        .with("mode", region.mode())
        .with("name", object_label(id, object))
        .with("number", id.0)
        .with("partition", partition_label(nucleus, object.partition))
        .with("sha256", optional(digest))
        .with("size", number(region.size()))
        .with("takes", number(region.cost()))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::{MEMORY, Sample, WORKER};
    use abi::{Call, Handle, RegionMode};
    use nucleus::Arguments;

    #[test]
    fn a_packages_regions_have_names_and_a_tasks_have_numbers() {
        let mut sample = Sample::quiet();
        sample.slice(WORKER, |it| {
            let create = |mode| Arguments::Create { mode, content: b"" };
            let grows = create(RegionMode::Append(2048));
            let region = it.ask(WORKER, Call::RegionMap, MEMORY, 3, grows).unwrap();
            let region = Handle(u32::try_from(region).unwrap());
            let append = Arguments::Append(&[1; 300]);
            it.ask(WORKER, Call::RegionMap, region, 1, append).unwrap();
            let slots = create(RegionMode::Slab { slot_bytes: 100, slots: 4 });
            it.ask(WORKER, Call::RegionMap, MEMORY, 3, slots).unwrap();
        });
        assert_eq!(
            sample.said("regions"),
            "\
region     mode          size    takes  partition  SHA-256
table      immutable     15 B     15 B  /          47f1d513458c
region 18  append-only  300 B  2.0 KiB  /          -
region 19  slab         400 B    480 B  /          -
"
        );
        assert_eq!(
            sample.said("regions -j"),
            concat!(
                r#"[{"mode":"immutable","name":"table","number":8,"partition":"/","#,
                r#""sha256":"47f1d513458c0f203347d4b6ff917ecaa9a96c598d0fd63ce8e0d586f4707256","#,
                r#""size":15,"takes":15},{"mode":"append-only","name":"region 18","number":18,"#,
                r#""partition":"/","sha256":null,"size":300,"takes":2048},{"mode":"slab","#,
                r#""name":"region 19","number":19,"partition":"/","sha256":null,"size":400,"#,
                r#""takes":480}]"#,
                "\n"
            )
        );
        assert_eq!(Sample::empty().said("regions"), "There are no regions.\n");
    }
}
