#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's way to fail")]
//! Lists as bytes, and what running them tells.

use conformance::list::{Action, Directive, Pattern, Reader, Task, Value, Writer};
use conformance::outcome::{Outcome, Verdict};
use conformance::{Listener, Summary, Tally};
use wasmi::TrapCode;
use witness::Hasher;

const EVERY_VALUE: [Value; 8] = [
    Value::I32(u32::MAX),
    Value::I64(1 << 63),
    Value::F32(0x7fc0_0001),
    Value::F64(0xfff8_0000_0000_0002),
    Value::NullFunc,
    Value::NullExtern,
    Value::Func,
    Value::Extern(7),
];

const EVERY_PATTERN: [Pattern; 7] = [
    Pattern::Is(Value::I32(3)),
    Pattern::CanonicalNan32,
    Pattern::ArithmeticNan32,
    Pattern::CanonicalNan64,
    Pattern::ArithmeticNan64,
    Pattern::Null,
    Pattern::AnyExtern,
];

fn action(name: &str) -> Action<'_> {
    Action { instance: 2, is_get: false, name, arguments: EVERY_VALUE.to_vec() }
}

fn every_directive() -> Vec<Directive<'static>> {
    let module = b"\0asm";
    vec![
        Directive::Skip,
        Directive::Module(1, module),
        Directive::Define(2, module),
        Directive::Instance(2, 3),
        Directive::Register(3, "other"),
        Directive::Do(action("do")),
        Directive::Return(action("return"), EVERY_PATTERN.to_vec()),
        Directive::Trap(action("trap"), 4),
        Directive::Invalid(module),
        Directive::Unlinkable(module),
        Directive::TrapAtStart(module, 5),
        Directive::Task(Task { fuel: 1 << 40, memory_bytes: 6, module }),
    ]
}

fn list(name: &str, directives: &[Directive<'_>]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.file(name, directives);
    writer.finish()
}

#[test]
fn what_is_written_is_read_back() {
    let written = every_directive();
    let list = list("file", &written);
    let mut reader = Reader::new(&list).unwrap();
    let file = reader.file().unwrap().unwrap();
    assert_eq!((file.name, file.directives as usize), ("file", written.len()));
    let read: Vec<_> = written.iter().map(|_| reader.directive().unwrap()).collect();
    assert_eq!(read, written);
    assert_eq!(reader.file(), Ok(None));
}

/// Hears nothing but outcomes.
#[derive(Default)]
struct Heard(Vec<(Outcome, Verdict)>);

impl Listener for Heard {
    fn directive(&mut self, _: &str, _: u32, outcome: &Outcome, verdict: Verdict) {
        self.0.push((outcome.clone(), verdict));
    }

    fn file(&mut self, _: &str, _: Tally) {}
}

fn run(list: &[u8]) -> (Summary, Vec<(Outcome, Verdict)>) {
    let mut heard = Heard::default();
    let summary = conformance::run(list, Hasher::SOFTWARE, &mut heard).unwrap();
    (summary, heard.0)
}

#[test]
fn a_list_that_ends_early_is_none() {
    let empty = Writer::default().finish().len();
    let list = list("file", &every_directive());
    for length in 0..list.len() {
        let ran = conformance::run(&list[..length], Hasher::SOFTWARE, &mut Heard::default());
        // What has no file in it yet is an empty list.
        assert_eq!(ran.is_ok(), length == empty, "{length}");
    }
}

const COUNTER: &str = r#"(module (global (export "count") (mut i32) (i32.const 0))
    (func (export "add") (param i32) (result i32)
        (global.set 0 (i32.add (global.get 0) (local.get 0))) (global.get 0))
    (func (export "trap") unreachable))"#;

fn call(name: &'static str, arguments: &[Value]) -> Action<'static> {
    Action { instance: 1, is_get: false, name, arguments: arguments.to_vec() }
}

fn verdicts(directives: &[Directive<'_>]) -> Vec<Verdict> {
    run(&list("file", directives)).1.into_iter().map(|(_, verdict)| verdict).collect()
}

#[test]
fn what_is_not_as_it_should_be_fails() {
    let module = wat::parse_str(COUNTER).unwrap();
    let unreachable = u8::from(TrapCode::UnreachableCodeReached);
    let add = |should| {
        let patterns = vec![Pattern::Is(Value::I32(should))];
        Directive::Return(call("add", &[Value::I32(2)]), patterns)
    };
    let directives = [
        Directive::Module(1, &module),
        add(2),
        add(5),
        Directive::Trap(call("trap", &[]), unreachable),
        Directive::Trap(call("trap", &[]), unreachable + 1),
        Directive::Do(call("trap", &[])),
        Directive::Do(call("absent", &[])),
        Directive::Invalid(&module),
        Directive::Invalid(b"nothing"),
        Directive::Unlinkable(&module),
        Directive::Skip,
    ];
    use Verdict::{Failed, Passed, Skipped};
    let should =
        [Passed, Passed, Failed, Passed, Failed, Failed, Failed, Failed, Passed, Failed, Skipped];
    assert_eq!(verdicts(&directives), should);
}

/// A call with too few values is refused, not a panic.
#[test]
fn a_call_with_other_types_fails() {
    let module = wat::parse_str(COUNTER).unwrap();
    let wrong = Directive::Do(call("add", &[Value::F64(0)]));
    let directives = [Directive::Module(1, &module), wrong, Directive::Do(call("add", &[]))];
    assert_eq!(verdicts(&directives), [Verdict::Passed, Verdict::Failed, Verdict::Failed]);
}

#[test]
fn one_unit_of_fuel_or_one_bit_of_a_result_changes_the_digest() {
    let task = |constant: u32, fuel| {
        let wat = format!(
            r#"(module (func (export "run") (result f64)
                (f64.reinterpret_i64 (i64.const {constant}))))"#
        );
        let module = wat::parse_str(wat).unwrap();
        let task = Task { fuel, memory_bytes: 0, module: &module };
        run(&list("file", &[Directive::Task(task)]))
    };
    let (first, outcomes) = task(0, 1_000);
    let [(Outcome::Task(outcome), Verdict::Passed)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(outcome.calls[1].0, Outcome::Values(vec![Value::F64(0)]));
    assert_eq!(task(0, 1_000).0, first);
    assert_ne!(task(1, 1_000).0.digest, first.digest);
    // With too little fuel for the call, and with just enough.
    let needs = outcome.calls[1].1;
    assert_eq!(task(0, needs).0.digest, first.digest);
    assert_ne!(task(0, needs - 1).0.digest, first.digest);
}
