//! `vectors`: the stores of vectors, one of them, or one of its entries.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::hex::Hex;
use ::witness::json::{Object as Fields, Value};
use nucleus::Nucleus;
use nucleus::view::{Body, Entry, Object, Vectors};

use crate::answer::{Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::commands::stores;
use crate::commands::{ROWS, Short, counted, more};
use crate::table::{Align, Table};

pub(crate) const COMMAND: Command = Command {
    name: "vectors",
    arguments: "[STORE [KEY]]",
    help: "the vector stores, one of them, or an entry",
    details: "Alone, one row a store: the numbers in a vector, what makes two near, the\n\
              entries and the most there can be, the least tier of proof that a change\n\
              needs, and the beginning of the root. With a store's name, all of that, and\n\
              its first 256 entries. With a key too, that entry: its slot, who put it,\n\
              how often, its coherence (the mean score to its nearest then) and its numbers.",
    json: true,
    completes: &[Argument::Vectors],
    run,
};

/// Numbers of a vector that are shown in a row.
const NUMBERS: usize = 8;

fn pick(body: &Body) -> Option<&Vectors> {
    match body {
        Body::Vectors(vectors) => Some(vectors),
        _ => None,
    }
}

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let nucleus = request.view.nucleus();
    let find = |name| stores::find(nucleus, "vector store", name, pick);
    match request.arguments[..] {
        [] => Ok(list(nucleus, request.json)),
        [name] => {
            let (object, vectors) = find(name)?;
            Ok(match request.json {
                true => Answer::json(&fields(nucleus, object, vectors).into()),
                false => Answer::text(show(nucleus, object, vectors)),
            })
        }
        [name, key] => {
            let ((object, vectors), key) = (find(name)?, stores::key(key)?);
            let slot = vectors.store.find(key);
            let found = slot.and_then(|slot| Some((slot, vectors.store.entry(slot)?)));
            let (slot, entry) = found.ok_or_else(|| {
                Refusal(alloc::format!("`{}` has no entry of key {key}.", object.name))
            })?;
            Ok(match request.json {
                true => Answer::json(&entry_json(nucleus, object, vectors, slot, &entry)),
                false => Answer::text(entry_text(nucleus, object, vectors, slot, &entry)),
            })
        }
        _ => Err(request.usage()),
    }
}

fn list(nucleus: &Nucleus, json: bool) -> Answer {
    let all = || stores::all(nucleus, pick);
    if json {
        let json = |(_, object, vectors)| fields(nucleus, object, vectors).into();
        return Answer::json(&all().map(json).collect());
    }
    if all().next().is_none() {
        return Answer::text("There are no vector stores.\n".into());
    }
    let mut table = Table::new(&[
        ("store", Align::Left),
        ("dimension", Align::Right),
        ("metric", Align::Left),
        ("entries", Align::Right),
        ("of", Align::Right),
        ("tier", Align::Left),
        ("root", Align::Left),
    ]);
    for (_, object, Vectors { rules, store }) in all() {
        let terms = store.terms();
        table.row([
            object.name.clone(),
            terms.dimension.to_string(),
            terms.metric.name().into(),
            store.count().to_string(),
            terms.capacity.to_string(),
            rules.tier.name().into(),
            Short(&store.root()).to_string(),
        ]);
    }
    Answer::text(table.render())
}

fn show(nucleus: &Nucleus, object: &Object, Vectors { rules, store }: &Vectors) -> String {
    let terms = store.terms();
    let mut table = Table::of_pairs();
    table.pair("store", &object.name);
    let numbers = counted(terms.dimension.into(), "number");
    table.pair("vectors", format_args!("{numbers} each, near by {}", terms.metric.name()));
    let entries = counted(store.count().into(), "entry");
    table.pair("entries", format_args!("{entries} of {}", terms.capacity));
    stores::rules_pairs(nucleus, &mut table, rules, &store.root(), store.bytes());
    let text = table.render();
    if store.count() == 0 {
        return text;
    }
    let mut table = Table::new(&[
        ("key", Align::Right),
        ("slot", Align::Right),
        ("puts", Align::Right),
        ("coherence", Align::Right),
        ("last put by", Align::Left),
    ]);
    let entries = store.slots().iter().take(ROWS);
    for (slot, entry) in entries.filter_map(|slot| Some((slot, store.entry(*slot)?))) {
        table.row([
            entry.key.to_string(),
            slot.to_string(),
            entry.writes.to_string(),
            stores::real(entry.coherence),
            stores::written(nucleus, entry.subject, entry.sequence),
        ]);
    }
    text + "\n" + &table.render() + &more(store.slots().len(), "entry")
}

fn fields(nucleus: &Nucleus, object: &Object, Vectors { rules, store }: &Vectors) -> Fields {
    let terms = store.terms();
    let fields = Fields::new()
        .with("capacity", terms.capacity)
        .with("dimension", terms.dimension)
        .with("entries", store.count())
        .with("metric", terms.metric.name())
        .with("name", object.name.as_str());
    stores::rules_fields(nucleus, fields, rules, &store.root(), store.bytes())
}

fn entry_text(
    nucleus: &Nucleus,
    object: &Object,
    vectors: &Vectors,
    slot: u32,
    entry: &Entry<'_>,
) -> String {
    let mut table = Table::of_pairs();
    table.pair("store", &object.name);
    table.pair("key", entry.key);
    table.pair("slot", slot);
    table.pair("put", counted(entry.writes.into(), "time"));
    table.pair("last by", stores::written(nucleus, entry.subject, entry.sequence));
    table.pair("coherence", stores::real(entry.coherence));
    table.pair("risk", format_args!("{} of 255", vectors.store.risk(slot)));
    if let Some(leaf) = vectors.store.tree().leaf(slot) {
        table.pair("leaf", Hex(&leaf));
    }
    let rows = entry.vector.chunks(NUMBERS).map(|row| {
        let numbers: Vec<String> = row.iter().map(|number| stores::real(*number)).collect();
        numbers.join(" ")
    });
    for (row, name) in rows.zip(core::iter::once("vector").chain(core::iter::repeat(""))) {
        table.pair(name, row);
    }
    table.render()
}

fn entry_json(
    nucleus: &Nucleus,
    object: &Object,
    vectors: &Vectors,
    slot: u32,
    entry: &Entry<'_>,
) -> Value {
    let numbers = entry.vector.iter().map(|number| Value::from(stores::real(*number)));
    let leaf = vectors.store.tree().leaf(slot);
    stores::written_fields(nucleus, entry.subject, entry.sequence)
        .with("coherence", stores::real(entry.coherence))
        .with("key", Value::decimal(entry.key))
        .with("leaf", crate::commands::optional(leaf.map(|leaf| Value::hex(&leaf))))
        .with("risk", vectors.store.risk(slot))
        .with("slot", slot)
        .with("store", object.name.as_str())
        .with("vector", numbers.collect::<Value>())
        .with("writes", entry.writes)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, WORKER};

    fn filled() -> Sample {
        let mut sample = Sample::quiet();
        sample.slice(WORKER, |it| {
            it.put(40, 3, [1.0, 2.5]);
            it.put(u64::MAX, 0, [1.0, 4.5]);
        });
        sample
    }

    #[test]
    fn the_stores_are_listed() {
        assert_eq!(
            filled().said("vectors"),
            "\
store   dimension  metric  entries  of  tier    root
places          2  l2            2  16  reflex  34701740114a
"
        );
        assert_eq!(Sample::empty().said("vectors"), "There are no vector stores.\n");
    }

    #[test]
    fn a_store_is_shown_with_its_entries() {
        assert_eq!(
            filled().said("vectors places"),
            "\
store    places
vectors  2 numbers each, near by l2
entries  2 entries of 16
memory   14.2 KiB
changes  need a proof of tier reflex or higher
id       27ac7e68b26f6e8d78ec5c39753861a691abe480c21a3133e25c06f7819d0eec
root     34701740114a5a7ace047eaa57a3243497d69413228cf4abb81e5e0c63abfb93

                 key  slot  puts  coherence  last put by
                  40     3     1          0  worker (1), its record 1
18446744073709551615     0     1          4  worker (1), its record 3
"
        );
        assert_eq!(
            filled().said("vectors places -j"),
            concat!(
                r#"{"approvers":[],"bytes":14584,"capacity":16,"dimension":2,"entries":2,"#,
                r#""guard":null,"#,
                r#""id":"27ac7e68b26f6e8d78ec5c39753861a691abe480c21a3133e25c06f7819d0eec","#,
                r#""metric":"l2","name":"places","#,
                r#""root":"34701740114a5a7ace047eaa57a3243497d69413228cf4abb81e5e0c63abfb93","#,
                r#""tier":"reflex"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn an_entry_is_shown_with_who_put_it() {
        assert_eq!(
            filled().said("vectors places 40"),
            "\
store      places
key        40
slot       3
put        1 time
last by    worker (1), its record 1
coherence  0
risk       1 of 255
leaf       57c345b214a1d51bd03868fb9c465ea37fae93cfc0bd430c37935ae8e587cf11
vector     1 2.5
"
        );
        assert_eq!(filled().said("vectors places 0x28"), filled().said("vectors places 40"));
        assert_eq!(
            filled().said("vectors places 40 -j"),
            concat!(
                r#"{"by":1,"by_name":"worker","by_record":1,"coherence":"0","key":"40","#,
                r#""leaf":"57c345b214a1d51bd03868fb9c465ea37fae93cfc0bd430c37935ae8e587cf11","#,
                r#""risk":1,"slot":3,"store":"places","vector":["1","2.5"],"writes":1}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_is_not_there_is_said() {
        let said = |line| filled().said(line);
        assert_eq!(
            said("vectors palces"),
            "There is no vector store `palces`; there is: places.\n"
        );
        assert_eq!(
            Sample::empty().said("vectors x"),
            "There is no vector store `x`: there is none at all.\n"
        );
        assert_eq!(said("vectors places 41"), "`places` has no entry of key 41.\n");
        assert_eq!(
            said("vectors places +4"),
            "`+4` is no key: a key is a number below 2^64, or 0x and its digits.\n"
        );
        assert_eq!(said("vectors a b c"), "usage: vectors [STORE [KEY]] [-j]\n");
    }
}
