//! Modules that go to the limits of a task: fuel, memory, tables, the depth of
//! calls. Each tells by a global how far it came.

use conformance::list::{Directive, Task, Writer};

/// A module and its limits.
#[derive(Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// Fuel of each call.
    pub fuel: u64,
    /// Most bytes of its memory.
    pub memory_bytes: u32,
    /// The module.
    pub wat: String,
}

/// Turns a loop until its fuel is spent, and counts the turns.
const TURNS: &str = r#"(module (global (export "turns") (mut i32) (i32.const 0))
    (func (export "run") (loop $again
        (global.set 0 (i32.add (global.get 0) (i32.const 1))) (br $again))))"#;

/// The same by calls, of two kinds, and with a price that depends on data.
const CALLS: &str = r#"(module (global (export "calls") (mut i32) (i32.const 0))
    (type $none (func)) (table 1 funcref) (elem (i32.const 0) $leaf) (memory 1)
    (func $leaf (global.set 0 (i32.add (global.get 0) (i32.const 1))))
    (func (export "run") (loop $again
        (call $leaf)
        (memory.fill (i32.const 0) (i32.const 7) (i32.mul (global.get 0) (i32.const 16)))
        (call_indirect (type $none) (i32.const 0))
        (br $again))))"#;

/// Grows its memory a page at a time, and counts how often it could.
const PAGES: &str = r#"(module (global (export "grown") (mut i32) (i32.const 0))
    (memory (export "memory") 1 MAXIMUM)
    (func (export "run") (loop $again
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return)))
        (global.set 0 (i32.add (global.get 0) (i32.const 1))) (br $again))))"#;

/// Grows its table by 1,000 elements at a time, and counts.
const ELEMENTS: &str = r#"(module (global (export "grown") (mut i32) (i32.const 0))
    (table (export "table") 0 funcref)
    (func (export "run") (loop $again
        (if (i32.eq (table.grow 0 (ref.null func) (i32.const 1000)) (i32.const -1))
            (then (return)))
        (global.set 0 (i32.add (global.get 0) (i32.const 1))) (br $again))))"#;

/// Calls itself, with LOCALS of 8 bytes, and counts.
const DEPTH: &str = r#"(module (global (export "depth") (mut i32) (i32.const 0))
    (func $down (export "run") (local LOCALS)
        (global.set 0 (i32.add (global.get 0) (i32.const 1))) (call $down)))"#;

/// The same through a table, with two functions that take turns.
const TURNWISE: &str = r#"(module (global (export "depth") (mut i32) (i32.const 0))
    (type $one (func (param i64) (result i64)))
    (table 2 funcref) (elem (i32.const 0) $even $odd)
    (func $even (type $one)
        (global.set 0 (i32.add (global.get 0) (i32.const 1)))
        (i64.add (i64.const 1) (call_indirect (type $one) (local.get 0) (i32.const 1))))
    (func $odd (type $one)
        (global.set 0 (i32.add (global.get 0) (i32.const 1)))
        (i64.add (i64.const 2) (call_indirect (type $one) (local.get 0) (i32.const 0))))
    (func (export "run") (drop (call $even (i64.const 5)))))"#;

/// A page of memory, in bytes.
const PAGE: u32 = 65_536;

/// Enough fuel to get to any other limit.
const PLENTY: u64 = 10_000_000;

/// Fuel for the loops, one unit more each time.
const TURNS_FUEL: std::ops::Range<u64> = 1_000..1_020;
const CALLS_FUEL: std::ops::Range<u64> = 5_000..5_100;

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, fuel, memory_bytes, wat: &str| {
        cases.push(Case { name, fuel, memory_bytes, wat: wat.to_owned() });
    };
    for fuel in TURNS_FUEL {
        add(format!("turns with fuel {fuel}"), fuel, PAGE, TURNS);
    }
    for fuel in CALLS_FUEL {
        add(format!("calls with fuel {fuel}"), fuel, PAGE, CALLS);
    }
    for pages in 1..=6 {
        let wat = PAGES.replace("MAXIMUM", "");
        add(format!("memory of {pages} pages"), PLENTY, pages * PAGE, &wat);
        add(format!("memory of {pages} pages less a byte"), PLENTY, pages * PAGE - 1, &wat);
    }
    let wat = PAGES.replace("MAXIMUM", "4");
    add("memory with a maximum of its own".into(), PLENTY, 8 * PAGE, &wat);
    add("table".into(), PLENTY, PAGE, ELEMENTS);
    for locals in [0, 1, 10, 100, 200, 400, 1_000, 5_000] {
        let wat = DEPTH.replace("LOCALS", &"i64 ".repeat(locals));
        add(format!("depth with {locals} locals"), PLENTY, PAGE, &wat);
    }
    add("depth by turns".into(), PLENTY, PAGE, TURNWISE);
    cases
}

/// Appends all of them: a file of one module for each.
pub fn write(writer: &mut Writer) {
    for Case { name, fuel, memory_bytes, wat } in cases() {
        let module = wat::parse_str(wat).unwrap();
        let task = Task { fuel, memory_bytes, module: &module };
        writer.file(&format!("limits/{name}"), &[Directive::Task(task)]);
    }
}
