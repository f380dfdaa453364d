//! Packages that tests make.

use helio::pack::{Contents, Recipe};
use witness::manifest::{Outcome, TaskEnd};
use witness::record::{Body, Kind, TrapCode, Verdict};

use crate::artefacts;
use crate::log::Log;
use crate::work::Work;

/// How a task that misbehaves must end.
#[derive(Clone, Copy, Debug)]
pub enum Ends {
    /// In a trap.
    Trap(TrapCode),
    /// When its fuel is spent.
    OutOfFuel,
    /// Before it begins, for this reason.
    Refused(abi::Error),
    /// When the records of its partition are spent.
    RecordsSpent,
    /// With code 0, having done no harm.
    Exit,
}

/// The packages in `payload/hostile`, each with one task that misbehaves and
/// a neighbour that does not.
pub const HOSTILE: [(&str, Ends); 15] = [
    ("trap", Ends::Trap(TrapCode::Unreachable)),
    ("out-of-bounds", Ends::Trap(TrapCode::MemoryOutOfBounds)),
    ("loop", Ends::OutOfFuel),
    ("recurse", Ends::Trap(TrapCode::StackOverflow)),
    ("grow", Ends::Trap(TrapCode::GrowthLimit)),
    ("grow-refused", Ends::OutOfFuel),
    ("table-grow-refused", Ends::Trap(TrapCode::GrowthLimit)),
    ("hoard", Ends::Refused(abi::Error::MemoryLimit)),
    ("not-wasm", Ends::Refused(abi::Error::NotWasm)),
    ("foreign-import", Ends::Refused(abi::Error::UnknownImport)),
    ("wrong-import", Ends::Refused(abi::Error::UnknownImport)),
    ("no-start", Ends::Refused(abi::Error::MissingExport)),
    ("start-traps", Ends::Refused(abi::Error::StartFailed)),
    ("flood", Ends::RecordsSpent),
    ("impersonate", Ends::Exit),
];

/// One of them.
pub fn hostile(name: &str) -> Contents {
    let folder = artefacts::root().join("payload/hostile");
    Recipe::read(&folder.join(format!("{name}.toml"))).unwrap().gather(&folder).unwrap()
}

/// A reactor that subscribes to a sensor and says each reading.
const ECHO: &str = r#"(module
    (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
    (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
    (import "heliograph" "sensor_subscribe" (func $subscribe (param i32 i32) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "read ")
    (func (export "_initialize") (drop (call $subscribe (i32.const 0) (i32.const -2))))
    (func (export "on_message") (local $length i32)
        (local.set $length (i32.wrap_i64
            (call $receive (i32.const -2) (i64.const 0) (i32.const 64) (i32.const 256))))
        (if (i32.lt_s (local.get $length) (i32.const 24)) (then (return)))
        (i32.store8 (i32.add (local.get $length) (i32.const 64)) (i32.const 10))
        (memory.copy (i32.const 5) (i32.const 88) (i32.sub (local.get $length) (i32.const 23)))
        (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.sub (local.get $length) (i32.const 18))))))"#;

/// A command that says each line that is typed, and takes a rest of a
/// millisecond after it; a line that begins with q ends it.
const LISTENER: &str = r#"(module
    (import "heliograph" "queue_send" (func $send (param i32 i32 i32 i32 i32) (result i64)))
    (import "heliograph" "queue_recv" (func $receive (param i32 i64 i32 i32) (result i64)))
    (import "heliograph" "timer_wait" (func $wait (param i32 i32 i64) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 82) "heard ")
    (func (export "_start") (result i32) (local $length i32)
        (loop $next
            (local.set $length (i32.wrap_i64
                (call $receive (i32.const 0) (i64.const -1) (i32.const 64) (i32.const 2048))))
            (if (i32.ge_s (local.get $length) (i32.const 24)) (then
                (if (i32.eq (i32.load8_u (i32.const 88)) (i32.const 113))
                    (then (return (i32.const 0))))
                (i64.store (i32.const 80) (i64.const 0x2064726165680000))
                (drop (call $send (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 82)
                    (i32.sub (local.get $length) (i32.const 18))))
                (drop (call $wait (i32.const 2) (i32.const 1) (i64.const 1000000)))))
            (br $next))
        (i32.const 1)))"#;

/// A package of two tasks that wait for what comes in: lines typed at the
/// console, and readings of the sensor `thermometer`.
pub fn that_listens() -> Contents {
    let work = Work::new("package");
    let recipe = r#"
        package = { name = "listeners", version = 1 }
        limits = { fuel = 100_000_000, memory = 131_072, records = 2_000 }
        component = [
            { name = "echo", file = "echo.wat" },
            { name = "listener", file = "listener.wat" },
        ]
        sensor = [{ name = "thermometer" }]
        [[task]]
        name = "echo"
        component = "echo"
        kind = "reactor"
        memory = 65_536
        capabilities = [
            { kind = "sensor", name = "thermometer", rights = ["read"] },
            { kind = "queue", name = "console", rights = ["write"] },
        ]
        [[task]]
        name = "listener"
        component = "listener"
        memory = 65_536
        capabilities = [
            { kind = "queue", name = "console-input", rights = ["read"] },
            { kind = "queue", name = "console", rights = ["write"] },
            { kind = "timer", name = "timer", rights = ["read"] },
        ]
    "#;
    let path = work.path().join("listeners.toml");
    std::fs::write(&path, recipe).unwrap();
    std::fs::write(work.path().join("echo.wat"), ECHO).unwrap();
    std::fs::write(work.path().join("listener.wat"), LISTENER).unwrap();
    Recipe::read(&path).unwrap().gather(work.path()).unwrap()
}

/// A package with one task, which writes this to the console and exits.
pub fn that_prints(text: &str) -> Contents {
    let work = Work::new("package");
    let hex: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let module = format!(
        r#"(module
             (import "heliograph" "queue_send"
               (func $send (param i32 i32 i32 i32 i32) (result i64)))
             (memory (export "memory") 1 1)
             (data (i32.const 0) "{hex}")
             (func (export "_start") (drop (call $send (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const {})))))"#,
        text.len()
    );
    let recipe = r#"
        package = { name = "printer", version = 1 }
        limits = { fuel = 1_000_000, memory = 65_536, records = 100 }
        component = [{ name = "printer", file = "printer.wat" }]
        [[task]]
        name = "printer"
        component = "printer"
        capabilities = [{ kind = "queue", name = "console", rights = ["write"] }]
    "#;
    let path = work.path().join("printer.toml");
    std::fs::write(&path, recipe).unwrap();
    std::fs::write(work.path().join("printer.wat"), module).unwrap();
    Recipe::read(&path).unwrap().gather(work.path()).unwrap()
}

/// Several hostile packages as one: all that misbehave, and one neighbour.
pub fn together(names: &[&str]) -> Contents {
    let mut sum = hostile(names[0]);
    names[1..].iter().for_each(|name| join(&mut sum, hostile(name)));
    sum.name = "hostile-together".into();
    sum
}

/// Adds the tasks of a package to another one, but for a second neighbour.
pub fn join(sum: &mut Contents, one: Contents) {
    sum.limits.fuel += one.limits.fuel;
    sum.limits.memory += one.limits.memory;
    sum.limits.records += one.limits.records;
    let is_new = |name: &str| name != "neighbour";
    sum.components.extend(one.components.into_iter().filter(|it| is_new(&it.name)));
    sum.tasks.extend(one.tasks.into_iter().filter(|it| is_new(&it.name)));
}

/// Asserts that the task named like its package ended as it must, with one
/// record that says so, and that the neighbour did its work.
#[track_caller]
pub fn assert_ends(name: &str, ends: Ends, tasks: &[TaskEnd], log: &Log) {
    let task = |name: &str| tasks.iter().find(|task| task.name == name).unwrap();
    let neighbour = task("neighbour");
    assert_eq!((neighbour.outcome, neighbour.code), (Outcome::Exit, 0), "{name}\n{log}");

    let (outcome, code) = match ends {
        Ends::Trap(code) => (Outcome::Trap, code as i32),
        Ends::OutOfFuel => (Outcome::OutOfFuel, 0),
        Ends::Refused(error) => (Outcome::Refused, error as i32),
        Ends::RecordsSpent => (Outcome::Budget, 0),
        Ends::Exit => (Outcome::Exit, 0),
    };
    let end = task(name);
    assert_eq!((end.outcome, end.code), (outcome, code), "{name}\n{log}");

    let records = log.records();
    let told: Vec<_> = records
        .iter()
        .filter(|record| match (ends, &record.body) {
            (Ends::Refused(error), Body::Call(call)) => {
                record.kind() == Kind::Call(abi::Call::TaskSpawn)
                    && call.tail.bytes() == name.as_bytes()
                    && record.verdict == Verdict::Denied(error)
            }
            (Ends::Trap(code), Body::Trap(trap)) => {
                record.subject.0 == end.subject && trap.code == code
            }
            (Ends::OutOfFuel, Body::OutOfFuel(_)) | (Ends::RecordsSpent, Body::BudgetSpent(_)) => {
                record.subject.0 == end.subject
            }
            (Ends::Exit, Body::Exit(exit)) => record.subject.0 == end.subject && exit.code == 0,
            _ => false,
        })
        .collect();
    assert_eq!(told.len(), 1, "{name} ends without a record of its own\n{log}");
}
