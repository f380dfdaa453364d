//! docs/SYSCALLS.md says what the code does: its tables are made here from
//! `abi` and compared. With `WRITE_FORMAT=1` they are put into the page
//! instead. The imports' types are compared in `crates/machine/src/imports.rs`.

use crate::common::page;
use abi::{
    CLAIM_BODY_MAX, Call, EXIT_REPORT, Kind, NAME_MAX, Operation, Rights,
    profile::{self, call_fuel, data_fuel, visit_fuel},
};
use std::fmt::Write;

fn compare(block: &str, wanted: &str) {
    page::compare("SYSCALLS.md", block, wanted);
}

/// All blocks in one test, because they write to one file.
#[test]
fn the_page_says_what_the_code_does() {
    compare("calls", &calls());
    compare("rights", &rights());
    compare("kinds", &kinds());
    compare("errors", &page::errors());
    compare("limits", &limits());
    compare("fuel", &fuel());
}

fn operations(call: Call) -> impl Iterator<Item = Operation> {
    (0..16).filter_map(move |code| call.operation(code))
}

fn names(rights: Rights) -> String {
    let held = Rights::NAMED.into_iter().filter(|(right, _)| rights.contains(*right));
    let names: Vec<_> = held.map(|(_, name)| name.to_uppercase()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn calls() -> String {
    let mut table = String::from(
        "| number | call | operation | on a capability of kind | with | price |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for call in Call::ALL {
        for operation in operations(call) {
            let (number, name, code) = (call.number(), call.name(), operation.code());
            let (kind, rights) = call.requires(operation);
            let (kind, rights) = (kind.map_or("any", Kind::name), names(rights));
            let (operation, price) = (page::operation_name(operation), call_fuel(call));
            writeln!(
                table,
                "| {number} | {name} | {code} {operation} | {kind} | {rights} | {price} |"
            )
            .unwrap();
        }
    }
    table
}

fn rights() -> String {
    let mut table =
        String::from("| bit | value | right | in manifests |\n| --- | --- | --- | --- |\n");
    for (bit, (right, name)) in Rights::NAMED.into_iter().enumerate() {
        let (value, large) = (right.bits(), name.to_uppercase().replace('-', "_"));
        writeln!(table, "| {bit} | {value:#04x} | {large} | `{name}` |").unwrap();
    }
    table
}

fn kinds() -> String {
    let mut table = String::from("| number | kind |\n| --- | --- |\n");
    for kind in Kind::ALL {
        writeln!(table, "| {} | {} |", kind as u8, kind.name()).unwrap();
    }
    table
}

fn limits() -> String {
    use profile as p;
    let wide = |number: usize| u64::try_from(number).unwrap();
    let rows = [
        ("tasks alive at once", wide(p::TASKS)),
        ("objects at once", wide(p::OBJECTS)),
        ("capabilities a task holds, beside its mailbox's", wide(p::CAPABILITIES)),
        ("derivations of a capability, one from the other", p::DERIVATION_DEPTH.into()),
        ("bytes of a message", wide(p::MESSAGE_BYTES)),
        ("bytes that a mailbox holds", wide(p::MAILBOX_BYTES)),
        ("bytes of a claim's body", wide(CLAIM_BODY_MAX)),
        ("bytes of a name or path", wide(NAME_MAX)),
        ("numbers in a vector", p::VECTOR_DIMENSION_MAX.into()),
        ("vectors in a store", p::VECTOR_CAPACITY_MAX.into()),
        ("nodes in a graph", p::GRAPH_NODES_MAX.into()),
        ("edges in a graph", p::GRAPH_EDGES_MAX.into()),
        ("approvers of a store", wide(p::APPROVERS_MAX)),
        ("neighbours that one search gives", p::NEAREST_MAX.into()),
        ("nodes that one search may be told to visit", p::VISIT_MAX.into()),
        ("fuel of a slice", p::SLICE_FUEL),
        ("records of a slice", wide(p::SLICE_RECORDS)),
        ("calls of Wasm functions inside each other", wide(p::CALL_DEPTH)),
        ("bytes of a task's Wasm stack", wide(p::STACK_BYTES)),
        ("elements of a component's tables, together", wide(p::TABLE_ELEMENTS)),
        ("instructions in a component that grow something", wide(p::GROW_INSTRUCTIONS)),
    ];
    let mut table = String::from("| most | |\n| --- | --- |\n");
    for (name, number) in rows {
        writeln!(table, "| {name} | {number} |").unwrap();
    }
    for (name, number) in [
        ("the caller's own mailbox", p::MAILBOX.0),
        ("no handle", p::NO_HANDLE.0),
        ("type of an exit report", EXIT_REPORT),
    ] {
        writeln!(table, "| *{name}* | {number:#x} |").unwrap();
    }
    table
}

fn fuel() -> String {
    assert_eq!([data_fuel(0), data_fuel(1), data_fuel(64), data_fuel(65)], [0, 200, 200, 400]);
    assert_eq!([visit_fuel(0), visit_fuel(3), visit_fuel(4)], [20, 20, 21]);
    let mut table = String::from("| for | units |\n| --- | --- |\n");
    for (name, price) in [
        ("a nanosecond of logical time", profile::FUEL_PER_NS),
        ("each 64 bytes, or part of 64, that are moved or hashed", data_fuel(64)),
        ("looking at a signed proof, whatever comes of it", profile::PROOF_FUEL),
        ("each time a reactor is called", profile::TURN_FUEL),
        ("a page of memory that is set up, or kept at a turn", profile::PAGE_FUEL),
        ("`memory.grow` and `table.grow`", profile::GROW_FUEL.into()),
        ("each vector looked at: first", visit_fuel(0)),
        ("and for every 4 numbers of its dimension", visit_fuel(4) - visit_fuel(0)),
    ] {
        writeln!(table, "| {name} | {price} |").unwrap();
    }
    table
}
