//! `graphs`: the stores of graphs, one of them, or a node with its edges.

use alloc::string::{String, ToString};

use ::witness::json::{Object as Fields, Value};
use nucleus::Nucleus;
use nucleus::view::{Body, Edge, Graph, Node, Object};

use crate::answer::{Answer, Refusal};
use crate::command::{Argument, Command, Request};
use crate::commands::stores;
use crate::commands::{ROWS, Short, counted, more};
use crate::table::{Align, Table};

pub(crate) const COMMAND: Command = Command {
    name: "graphs",
    arguments: "[STORE [NODE]]",
    help: "the graph stores, one of them, or a node",
    details: "Alone, one row a store: the nodes and edges in it and the most there can be,\n\
              the least tier of proof that a change needs, and the beginning of the root.\n\
              With a store's name, all of that, and its first 256 nodes. With the key of a\n\
              node too, that node with its first 256 edges, those out of it first.",
    json: true,
    completes: &[Argument::Graphs],
    run,
};

fn pick(body: &Body) -> Option<&Graph> {
    match body {
        Body::Graph(graph) => Some(graph),
        _ => None,
    }
}

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let nucleus = request.view.nucleus();
    let find = |name| stores::find(nucleus, "graph store", name, pick);
    match request.arguments[..] {
        [] => Ok(list(nucleus, request.json)),
        [name] => {
            let (object, graph) = find(name)?;
            Ok(match request.json {
                true => Answer::json(&fields(nucleus, object, graph).into()),
                false => Answer::text(show(nucleus, object, graph)),
            })
        }
        [name, key] => {
            let ((object, graph), key) = (find(name)?, stores::key(key)?);
            let node = graph
                .store
                .node(key)
                .ok_or_else(|| Refusal(alloc::format!("`{}` has no node {key}.", object.name)))?;
            Ok(match request.json {
                true => Answer::json(&node_json(nucleus, object, graph, &node)),
                false => Answer::text(node_text(nucleus, object, graph, &node)),
            })
        }
        _ => Err(request.usage()),
    }
}

fn list(nucleus: &Nucleus, json: bool) -> Answer {
    let all = || stores::all(nucleus, pick);
    if json {
        let json = |(_, object, graph)| fields(nucleus, object, graph).into();
        return Answer::json(&all().map(json).collect());
    }
    if all().next().is_none() {
        return Answer::text("There are no graph stores.\n".into());
    }
    let mut table = Table::new(&[
        ("store", Align::Left),
        ("nodes", Align::Right),
        ("of", Align::Right),
        ("edges", Align::Right),
        ("of", Align::Right),
        ("tier", Align::Left),
        ("root", Align::Left),
    ]);
    for (_, object, Graph { rules, store }) in all() {
        let ((nodes, edges), terms) = (store.counts(), store.terms());
        table.row([
            object.name.clone(),
            nodes.to_string(),
            terms.nodes.to_string(),
            edges.to_string(),
            terms.edges.to_string(),
            rules.tier.name().into(),
            Short(&store.root()).to_string(),
        ]);
    }
    Answer::text(table.render())
}

fn show(nucleus: &Nucleus, object: &Object, Graph { rules, store }: &Graph) -> String {
    let ((nodes, edges), terms) = (store.counts(), store.terms());
    let mut table = Table::of_pairs();
    table.pair("store", &object.name);
    table.pair("nodes", format_args!("{nodes} of {}", terms.nodes));
    table.pair("edges", format_args!("{edges} of {}", terms.edges));
    stores::rules_pairs(nucleus, &mut table, rules, &store.root(), store.bytes());
    let text = table.render();
    if nodes == 0 {
        return text;
    }
    let mut table = Table::new(&[
        ("node", Align::Right),
        ("slot", Align::Right),
        ("edges", Align::Right),
        ("writes", Align::Right),
        ("last written by", Align::Left),
    ]);
    for node in store.nodes().take(ROWS) {
        table.row([
            node.key.to_string(),
            node.slot.to_string(),
            node.degree.to_string(),
            node.writes.to_string(),
            stores::written(nucleus, node.subject, node.sequence),
        ]);
    }
    text + "\n" + &table.render() + &more(store.nodes().count(), "node")
}

fn fields(nucleus: &Nucleus, object: &Object, Graph { rules, store }: &Graph) -> Fields {
    let ((nodes, edges), terms) = (store.counts(), store.terms());
    let fields = Fields::new()
        .with("edges", edges)
        .with("edges_limit", terms.edges)
        .with("name", object.name.as_str())
        .with("nodes", nodes)
        .with("nodes_limit", terms.nodes);
    stores::rules_fields(nucleus, fields, rules, &store.root(), store.bytes())
}

/// The edges of a node: those out of it, then those into it from others.
fn edges(graph: &Graph, node: u64) -> impl Iterator<Item = Edge> {
    let store = &graph.store;
    let others = store.nodes().filter(move |other| other.key != node);
    store.out_edges(node, 0).chain(others.filter_map(move |other| store.edge(other.key, node)))
}

fn node_text(nucleus: &Nucleus, object: &Object, graph: &Graph, node: &Node) -> String {
    let mut table = Table::of_pairs();
    table.pair("store", &object.name);
    table.pair("node", node.key);
    table.pair("slot", node.slot);
    table.pair("written", counted(node.writes.into(), "time"));
    table.pair("last by", stores::written(nucleus, node.subject, node.sequence));
    table.pair("risk", format_args!("{} of 255", graph.store.risk(node.slot)));
    let text = table.render();
    let mut table = Table::new(&[
        ("from", Align::Right),
        ("to", Align::Right),
        ("weight", Align::Right),
        ("slot", Align::Right),
        ("writes", Align::Right),
        ("last written by", Align::Left),
    ]);
    for edge in edges(graph, node.key).take(ROWS) {
        table.row([
            edge.from.to_string(),
            edge.to.to_string(),
            stores::real(edge.weight),
            edge.slot.to_string(),
            edge.writes.to_string(),
            stores::written(nucleus, edge.subject, edge.sequence),
        ]);
    }
    match edges(graph, node.key).count() {
        0 => text + "\nIt has no edges.\n",
        count => text + "\n" + &table.render() + &more(count, "edge"),
    }
}

fn node_json(nucleus: &Nucleus, object: &Object, graph: &Graph, node: &Node) -> Value {
    let edge = |it: Edge| {
        stores::written_fields(nucleus, it.subject, it.sequence)
            .with("from", Value::decimal(it.from))
            .with("slot", it.slot)
            .with("to", Value::decimal(it.to))
            .with("weight", stores::real(it.weight))
            .with("writes", it.writes)
            .into()
    };
    stores::written_fields(nucleus, node.subject, node.sequence)
        .with("edges", edges(graph, node.key).take(ROWS).map(edge).collect::<Value>())
        .with("node", Value::decimal(node.key))
        .with("risk", graph.store.risk(node.slot))
        .with("slot", node.slot)
        .with("store", object.name.as_str())
        .with("writes", node.writes)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::{Sample, WORKER};

    /// 1 -> 2, 1 -> 3, 3 -> 1; node slots are 0 to 3, edge slots 4 to 11.
    fn filled() -> Sample {
        let mut sample = Sample::quiet();
        sample.slice(WORKER, |it| {
            for (slot, node) in [(0, 1), (1, 2), (2, 3), (3, 4)] {
                it.link(slot, node, None);
            }
            it.link(4, 1, Some((2, 0.5)));
            it.link(5, 1, Some((3, 2.0)));
            it.link(6, 3, Some((1, -1.25)));
        });
        sample
    }

    #[test]
    fn the_stores_are_listed() {
        assert_eq!(
            filled().said("graphs"),
            "\
store  nodes  of  edges  of  tier    root
roads      4   4      3   8  reflex  1ba12df996ea
"
        );
        assert_eq!(Sample::empty().said("graphs"), "There are no graph stores.\n");
    }

    #[test]
    fn a_store_is_shown_with_its_nodes() {
        assert_eq!(
            filled().said("graphs roads"),
            "\
store    roads
nodes    4 of 4
edges    3 of 8
memory   1.4 KiB
changes  need a proof of tier reflex or higher
id       3e23c2e2ef2a01f2b467062faa92ba51eb758bdaf95e5ab680739447ca365ad2
root     1ba12df996eab548676c3cc42ebeaad320d760cf6bb7b7fcb484181d9dca3237

node  slot  edges  writes  last written by
   1     0      3       1  worker (1), its record 1
   2     1      1       1  worker (1), its record 3
   3     2      2       1  worker (1), its record 5
   4     3      0       1  worker (1), its record 7
"
        );
        assert_eq!(
            filled().said("graphs roads -j"),
            concat!(
                r#"{"approvers":[],"bytes":1440,"edges":3,"edges_limit":8,"guard":null,"#,
                r#""id":"3e23c2e2ef2a01f2b467062faa92ba51eb758bdaf95e5ab680739447ca365ad2","#,
                r#""name":"roads","nodes":4,"nodes_limit":4,"#,
                r#""root":"1ba12df996eab548676c3cc42ebeaad320d760cf6bb7b7fcb484181d9dca3237","#,
                r#""tier":"reflex"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_node_is_shown_with_its_edges_both_ways() {
        assert_eq!(
            filled().said("graphs roads 1"),
            "\
store    roads
node     1
slot     0
written  1 time
last by  worker (1), its record 1
risk     3 of 255

from  to  weight  slot  writes  last written by
   1   2     0.5     4       1  worker (1), its record 9
   1   3       2     5       1  worker (1), its record 11
   3   1   -1.25     6       1  worker (1), its record 13
"
        );
        assert!(filled().said("graphs roads 4").ends_with("\nIt has no edges.\n"));
        assert_eq!(
            filled().said("graphs roads 3 -j"),
            concat!(
                r#"{"by":1,"by_name":"worker","by_record":5,"edges":[{"by":1,"by_name":"worker","#,
                r#""by_record":13,"from":"3","slot":6,"to":"1","weight":"-1.25","writes":1},"#,
                r#"{"by":1,"by_name":"worker","by_record":11,"from":"1","slot":5,"to":"3","#,
                r#""weight":"2","writes":1}],"node":"3","risk":2,"slot":2,"store":"roads","#,
                r#""writes":1}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_is_not_there_is_said() {
        let said = |line| filled().said(line);
        assert_eq!(said("graphs places"), "There is no graph store `places`; there is: roads.\n");
        assert_eq!(said("graphs roads 9"), "`roads` has no node 9.\n");
    }
}
