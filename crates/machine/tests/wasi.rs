//! WASI preview 1, function by function, and the records that it leaves.

use crate::common::*;
use abi::{Call, Error, Kind, Rights};
use machine::{Input, Step};
use nucleus::Outcome;
use package::manifest::WasiEntry;
use proptest::prelude::*;
use std::fmt::Write as _;
use witness::{Verdict, record::EventKind};

/// Every function with its parameters: `i` for an i32, `l` for an i64.
const FUNCTIONS: [(&str, &str); 46] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// Those that are linked and do nothing.
const ABSENT: [&str; 22] = [
    "fd_advise",
    "fd_allocate",
    "fd_datasync",
    "fd_fdstat_set_rights",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pwrite",
    "fd_renumber",
    "fd_sync",
    "path_create_directory",
    "path_filestat_set_times",
    "path_link",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "proc_raise",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

/// Error numbers.
const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const EXIST: u32 = 20;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const ISDIR: u32 = 31;
const MFILE: u32 = 33;
const NAMETOOLONG: u32 = 37;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTDIR: u32 = 54;
const ROFS: u32 = 69;
const SPIPE: u32 = 70;
const NOTCAPABLE: u32 = 76;

/// Bytes of the memory of every program here.
const MEMORY: u32 = 65_536;

/// A program that makes calls and looks at what it gets. It ends with the
/// number of the first thing that is not as it should be, or with 0.
#[derive(Default)]
struct Script {
    steps: String,
    data: String,
    count: u32,
}

impl Script {
    fn new() -> Self {
        Self::default()
    }

    /// Bytes that are in memory at the start.
    fn data(mut self, at: u32, bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(self.data, "(data (i32.const {at}) \"{hex}\")").unwrap();
        self
    }

    /// A list of buffers that is in memory at the start.
    fn vectors(self, at: u32, vectors: &[(u32, u32)]) -> Self {
        let words = vectors.iter().flat_map(|(pointer, length)| [*pointer, *length]);
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        self.data(at, &bytes)
    }

    /// A call that must give this number.
    fn call(self, function: &str, arguments: &[i64], errno: u32) -> Self {
        let (_, types) = FUNCTIONS.iter().find(|(name, _)| *name == function).unwrap();
        assert_eq!(types.len(), arguments.len(), "{function}");
        let arguments: String = types
            .chars()
            .zip(arguments)
            .map(|(of, value)| match of {
                'l' => format!("(i64.const {value}) "),
                _ => format!("(i32.const {}) ", *value as u32),
            })
            .collect();
        self.is(&format!("(call ${function} {arguments})"), errno)
    }

    /// A 32-bit word of memory that must be this.
    fn word(self, at: u32, value: u32) -> Self {
        self.is(&format!("(i32.load (i32.const {at}))"), value)
    }

    fn long(self, at: u32, value: u64) -> Self {
        self.word(at, value as u32).word(at + 4, (value >> 32) as u32)
    }

    fn byte(self, at: u32, value: u8) -> Self {
        self.is(&format!("(i32.load8_u (i32.const {at}))"), value.into())
    }

    fn bytes(self, at: u32, bytes: &[u8]) -> Self {
        (at..).zip(bytes).fold(self, |script, (at, byte)| script.byte(at, *byte))
    }

    fn is(mut self, expression: &str, value: u32) -> Self {
        self.count += 1;
        let count = self.count;
        writeln!(self.steps, "(call $is (i32.const {count}) {expression} (i32.const {value}))")
            .unwrap();
        self
    }

    fn wat(&self) -> String {
        let mut imports = String::new();
        for (name, types) in FUNCTIONS {
            let parameters = types.replace('i', "i32 ").replace('l', "i64 ");
            let result = if name == "proc_exit" { "" } else { "(result i32)" };
            writeln!(
                imports,
                r#"(import "wasi_snapshot_preview1" "{name}"
                     (func ${name} (param {parameters}) {result}))"#
            )
            .unwrap();
        }
        let Self { steps, data, .. } = self;
        format!(
            r#"(module {imports} (memory (export "memory") 1 1) {data}
                 (func $is (param $step i32) (param $got i32) (param $wanted i32)
                   (if (i32.ne (local.get $got) (local.get $wanted))
                     (then (call $proc_exit (local.get $step)))))
                 (func (export "_start") {steps}))"#
        )
    }

    fn recipe(&self) -> Recipe {
        Recipe::new().task("script", &self.wat())
    }

    /// Runs it with the usual capabilities.
    #[track_caller]
    fn runs(&self) -> Run {
        self.runs_as(self.recipe())
    }

    /// Runs it as the only task of a recipe.
    #[track_caller]
    fn runs_as(&self, recipe: Recipe) -> Run {
        let run = recipe.run();
        assert_eq!(run.reports, Vec::<String>::new());
        let end = run.task(1);
        if let Outcome::Exit(step @ 1..) = end {
            panic!("step {step}: {}", self.steps.lines().nth(step as usize - 1).unwrap());
        }
        assert_eq!(end, Outcome::Exit(0));
        run
    }
}

fn told(args: &[&str], env: &[&str], stdin: Option<&str>) -> WasiEntry {
    let all = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    WasiEntry { args: all(args), env: all(env), stdin: stdin.map(str::to_owned) }
}

/// A recipe with two files, one of which is standard input.
fn with_files(script: &Script) -> Recipe {
    script
        .recipe()
        .region("a.txt", b"alpha beta")
        .region("empty", b"")
        .region("secret", b"not given")
        .with(|task| {
            task.capabilities.push(capability(Kind::Region, "a.txt", Rights::READ));
            task.capabilities.push(capability(Kind::Region, "empty", Rights::READ));
            task.wasi = Some(told(&[], &[], Some("a.txt")));
        })
}

#[test]
#[should_panic(expected = "step 2")]
fn a_script_that_sees_something_else_says_where() {
    Script::new().word(0, 0).word(0, 1).runs();
}

#[test]
fn every_function_is_linked_and_those_that_are_absent_say_so() {
    let mut script = Script::new();
    for name in ABSENT {
        let (_, types) = FUNCTIONS.iter().find(|(function, _)| *function == name).unwrap();
        script = script.call(name, &vec![0; types.len()], NOSYS);
    }
    let run = script.runs();
    assert_eq!(run.calls(1).len(), 0);
}

#[test]
fn an_import_of_another_type_or_name_is_refused() {
    for import in [
        r#""wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32))"#,
        r#""wasi_snapshot_preview1" "fd_close" (func (param i32))"#,
        r#""wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32))"#,
        r#""wasi_snapshot_preview1" "fd_close" (memory 1)"#,
        r#""wasi_snapshot_preview1" "fd_open" (func (param i32) (result i32))"#,
        r#""wasi_snapshot_preview1" "queue_send" (func)"#,
        r#""wasi_unstable" "fd_close" (func (param i32) (result i32))"#,
        r#""heliograph" "fd_close" (func (param i32) (result i32))"#,
    ] {
        let wat = format!(r#"(module (import {import}) (func (export "_start")))"#);
        let run = Recipe::new().task("script", &wat).run();
        let records = run.calls(0);
        let (spawn, _) = records.last().unwrap();
        assert_eq!(spawn.verdict, Verdict::Denied(Error::UnknownImport), "{import}");
        assert_eq!(run.reports.len(), 2, "{import}");
    }
}

#[test]
fn arguments_and_variables_are_those_of_the_manifest_behind_the_name() {
    let script = Script::new()
        .call("args_sizes_get", &[0, 4], SUCCESS)
        .word(0, 3)
        .word(4, 7 + 3 + 1)
        .call("args_get", &[16, 64], SUCCESS)
        .word(16, 64)
        .word(20, 71)
        .word(24, 74)
        .bytes(64, b"script\0-n\0\0")
        .call("environ_sizes_get", &[0, 4], SUCCESS)
        .word(0, 1)
        .word(4, 4)
        .call("environ_get", &[16, 96], SUCCESS)
        .word(16, 96)
        .bytes(96, b"A=b\0");
    let recipe = script.recipe().with(|task| task.wasi = Some(told(&["-n", ""], &["A=b"], None)));
    let run = script.runs_as(recipe);
    assert_eq!(run.calls(1).len(), 0);
}

#[test]
fn a_task_of_which_nothing_is_said_has_its_name_as_the_only_argument() {
    let script = Script::new()
        .call("args_sizes_get", &[0, 4], SUCCESS)
        .word(0, 1)
        .word(4, 7)
        .call("environ_sizes_get", &[0, 4], SUCCESS)
        .word(0, 0)
        .word(4, 0)
        .call("environ_get", &[0, 0], SUCCESS);
    script.runs();
}

#[test]
fn what_is_written_goes_to_the_console_as_one_message_a_call() {
    let script = Script::new()
        .data(64, b"hello, world\n")
        .vectors(0, &[(64, 7), (0, 0), (71, 6)])
        .call("fd_write", &[1, 0, 3, 32], SUCCESS)
        .word(32, 13)
        .call("fd_write", &[2, 0, 1, 32], SUCCESS)
        .word(32, 7)
        .call("fd_write", &[1, 8, 1, 32], SUCCESS)
        .word(32, 0);
    let run = script.runs();
    assert_eq!(run.text(1), "hello, world\nhello, ");
    let calls = run.calls(1);
    let sent: Vec<_> = calls.iter().map(|(_, call)| (call.call, call.argument)).collect();
    assert_eq!(sent, [(Call::QueueSend, 1), (Call::QueueSend, 2)]);
    assert!(calls.iter().all(|(record, _)| record.verdict == Verdict::Allowed));
    assert_eq!(calls[0].1.length, 13);
    assert_eq!(calls[0].1.digest, HASHER.hash(b"hello, world\n"));
}

#[test]
fn a_long_write_is_cut_to_a_message() {
    let script = Script::new()
        .vectors(0, &[(0, 3_000), (0, 3_000)])
        .call("fd_write", &[1, 0, 2, 40_000], SUCCESS)
        .word(40_000, 4_096);
    assert_eq!(script.runs().console[&1].len(), 4_096);
}

#[test]
fn who_writes_much_is_not_refused() {
    let mut script = Script::new().vectors(0, &[(0, 4_096)]);
    for _ in 0..600 {
        script = script.call("fd_write", &[1, 0, 1, 8], SUCCESS).word(8, 4_096);
    }
    let run = script.runs();
    assert_eq!(run.console[&1].len(), 600 * 4_096);
    assert!(run.calls(1).iter().all(|(record, _)| record.verdict == Verdict::Allowed));
}

#[test]
fn who_holds_neither_console_nor_timer_is_told_so_without_a_record() {
    let script = Script::new()
        .data(64, b"x")
        .vectors(0, &[(64, 1)])
        .call("fd_write", &[1, 0, 1, 32], NOTCAPABLE)
        .call("sched_yield", &[], NOTCAPABLE)
        .call("poll_oneoff", &[128, 256, 1, 512], NOTCAPABLE);
    let run = script.runs_as(script.recipe().with(|task| task.capabilities.clear()));
    assert_eq!(run.calls(1).len(), 0);
}

#[test]
fn the_exit_code_is_that_of_a_command_that_returns_it() {
    for code in [0, 1, 77, -1] {
        let wat = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (memory (export "memory") 1)
                 (func (export "_start") (call $exit (i32.const {code})) unreachable))"#
        );
        let run = Recipe::new().task("script", &wat).run();
        assert_eq!(run.task(1), Outcome::Exit(code));
        assert_eq!(run.cell.is_success(), code == 0);
        assert_eq!(run.cell.outcomes()[0].code, code);
    }
}

#[test]
fn a_start_function_cannot_call() {
    let wat = r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func $early (drop (call $yield))) (start $early) (func (export "_start")))"#;
    let run = Recipe::new().task("script", wat).run();
    let calls = run.calls(0);
    assert_eq!(calls.last().unwrap().0.verdict, Verdict::Denied(Error::StartFailed));
}

#[test]
fn time_is_logical_and_goes_forward() {
    let mut script = Script::new();
    for clock in 0..4 {
        script = script
            .call("clock_res_get", &[clock, 0], SUCCESS)
            .long(0, 1)
            .call("clock_time_get", &[clock, 0, 8], SUCCESS)
            .call("clock_time_get", &[clock, 0, 16], SUCCESS)
            .is("(i64.lt_u (i64.load (i32.const 8)) (i64.load (i32.const 16)))", 1)
            .is("(i64.lt_u (i64.load (i32.const 16)) (i64.const 1000000))", 1);
    }
    script = script
        .call("clock_res_get", &[4, 0], INVAL)
        .call("clock_time_get", &[4, 0, 0], INVAL)
        .call("clock_time_get", &[0, 0, (MEMORY - 7).into()], FAULT);
    assert_eq!(script.runs().calls(1).len(), 0);
}

#[test]
fn random_bytes_are_the_stream_that_the_page_describes() {
    let block = |number: u64| {
        let mut input = b"heliograph-wasi-random@v1\n".to_vec();
        input.extend(42u64.to_le_bytes());
        input.extend(1u32.to_le_bytes());
        input.extend(number.to_le_bytes());
        HASHER.hash(&input)
    };
    let script = Script::new()
        .call("random_get", &[0, 40], SUCCESS)
        .bytes(0, &block(0))
        .bytes(32, &block(1)[..8])
        .byte(40, 0)
        .call("random_get", &[0, 4], SUCCESS)
        .bytes(0, &block(2)[..4])
        .call("random_get", &[0, 0], SUCCESS)
        .call("random_get", &[1, MEMORY.into()], FAULT)
        .call("random_get", &[-1, 2], FAULT);
    assert_eq!(script.runs().calls(1).len(), 0);
}

#[test]
fn many_random_bytes_are_many_of_the_same_stream() {
    let last = b"heliograph-wasi-random@v1\n".to_vec();
    let last = [&last[..], &42u64.to_le_bytes(), &1u32.to_le_bytes(), &32_767u64.to_le_bytes()];
    let [.., byte, _] = HASHER.hash(&last.concat());
    let wat = |length: u32| {
        format!(
            r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (memory (export "memory") 17)
            (func (export "_start") (result i32)
                (i32.or (call $random (i32.const 0) (i32.const {length}))
                    (i32.ne (i32.load8_u (i32.const 1048574)) (i32.const {byte})))))"#
        )
    };
    let run = |length| Recipe::new().task("script", &wat(length)).with(|it| it.memory = 2 << 20);
    assert_eq!(run(1 << 20).run().task(1), Outcome::Exit(0));
    assert_eq!(run((1 << 20) + 1).run().task(1), Outcome::Exit(INVAL as i32 | 1));
}

#[test]
fn a_file_is_opened_read_and_closed() {
    let script = Script::new()
        .data(64, b"a.txt")
        .vectors(0, &[(128, 3), (140, 4)])
        .call("path_open", &[3, 0, 64, 5, 0, 2, 0, 0, 32], SUCCESS)
        .word(32, 4)
        .call("fd_read", &[4, 0, 2, 36], SUCCESS)
        .word(36, 7)
        .bytes(128, b"alp")
        .bytes(140, b"ha b")
        .call("fd_tell", &[4, 40], SUCCESS)
        .long(40, 7)
        .call("fd_pread", &[4, 0, 1, 1, 36], SUCCESS)
        .word(36, 3)
        .bytes(128, b"lph")
        .call("fd_read", &[4, 0, 2, 36], SUCCESS)
        .word(36, 3)
        .bytes(128, b"eta")
        .call("fd_read", &[4, 0, 2, 36], SUCCESS)
        .word(36, 0)
        .call("fd_close", &[4], SUCCESS)
        .call("fd_read", &[4, 0, 2, 36], BADF)
        .call("fd_close", &[4], BADF);
    let run = script.runs_as(with_files(&script));
    let calls = run.calls(1);
    let read: Vec<_> = calls.iter().map(|(_, it)| (it.call, it.argument, it.result)).collect();
    let expected = [(0, 7), (1, 3), (7, 3), (10, 0)];
    assert_eq!(read, expected.map(|(at, length)| (Call::RegionMap, at, length)));
    assert_eq!(calls[0].1.digest, HASHER.hash(b"alpha b"));
}

#[test]
fn a_file_is_sought_in() {
    let script = Script::new()
        .vectors(0, &[(128, 4)])
        .call("fd_seek", &[0, 6, 0, 40], SUCCESS)
        .long(40, 6)
        .call("fd_read", &[0, 0, 1, 36], SUCCESS)
        .bytes(128, b"beta")
        .call("fd_seek", &[0, -10, 1, 40], SUCCESS)
        .long(40, 0)
        .call("fd_seek", &[0, -4, 2, 40], SUCCESS)
        .long(40, 6)
        .call("fd_seek", &[0, 5, 2, 40], SUCCESS)
        .long(40, 15)
        // Behind the end there is nothing.
        .call("fd_read", &[0, 0, 1, 36], SUCCESS)
        .word(36, 0)
        .call("fd_seek", &[0, -16, 1, 40], INVAL)
        .call("fd_seek", &[0, 0, 3, 40], INVAL)
        .call("fd_seek", &[0, 0, 0, (MEMORY - 7).into()], FAULT)
        .call("fd_seek", &[1, 0, 0, 40], SPIPE)
        .call("fd_tell", &[1, 40], SPIPE)
        .call("fd_seek", &[3, 0, 0, 40], BADF)
        .call("fd_pread", &[1, 0, 1, 0, 36], SPIPE)
        .call("fd_seek", &[9, 0, 0, 40], BADF);
    script.runs_as(with_files(&script));
}

#[test]
fn standard_input_is_a_region_or_empty() {
    let script = Script::new().vectors(0, &[(128, 100)]).call("fd_read", &[0, 0, 1, 36], SUCCESS);
    let with = script.count;
    let given = script.word(36, 10).bytes(128, b"alpha beta");
    assert_eq!(given.runs_as(with_files(&given)).calls(1).len(), 1);
    assert_eq!(with, 1);
    let empty = Script::new()
        .vectors(0, &[(128, 100)])
        .call("fd_read", &[0, 0, 1, 36], SUCCESS)
        .word(36, 0)
        .call("fd_write", &[0, 0, 1, 36], BADF)
        .call("fd_read", &[1, 0, 1, 36], BADF)
        .call("fd_read", &[3, 0, 1, 36], ISDIR);
    assert_eq!(empty.runs().calls(1).len(), 0);
}

#[test]
fn the_directory_is_found_and_what_is_not_in_it_is_not() {
    let open = |path: i64, length: i64, how: i64, rights: i64, errno| {
        (vec![3, 0, path, length, how, rights, 0, 0, 32], errno)
    };
    let mut script = Script::new()
        .call("fd_prestat_get", &[3, 0], SUCCESS)
        .word(0, 0)
        .word(4, 1)
        .call("fd_prestat_dir_name", &[3, 0, 1], SUCCESS)
        .byte(0, b'/')
        .call("fd_prestat_dir_name", &[3, 0, 0], INVAL)
        .call("fd_prestat_get", &[0, 0], BADF)
        .call("fd_prestat_get", &[4, 0], BADF)
        .call("fd_prestat_dir_name", &[1, 0, 1], BADF)
        .data(64, b"a.txt")
        .data(80, b"./a.txt")
        .data(96, b"../a.txt")
        .data(112, b"secret")
        .data(128, b"a.txt/b")
        .data(144, b"/a.txt")
        .data(160, b"\xff")
        .data(176, b"a.txt\0")
        .data(192, b"a.txt/../a.txt")
        .data(208, b"a.txt/")
        .data(224, b"//./a.txt");
    for (arguments, errno) in [
        open(64, 5, 0, 2, SUCCESS),
        open(80, 7, 0, 2, SUCCESS),
        open(144, 6, 0, 2, SUCCESS),
        // ".", the directory itself.
        open(80, 1, 2, 0, SUCCESS),
        open(96, 8, 0, 2, NOTCAPABLE),
        open(112, 6, 0, 2, NOENT),
        open(160, 1, 0, 2, NOENT),
        open(64, 0, 0, 2, NOENT),
        open(128, 7, 0, 2, NOTDIR),
        open(64, 5, 2, 2, NOTDIR),
        open(64, 5, 0, 64, ROFS),
        open(64, 5, 8, 2, ROFS),
        open(112, 6, 1, 2, ROFS),
        open(64, 5, 5, 2, EXIST),
        open(MEMORY.into(), 1, 0, 2, FAULT),
        open(-1, 2, 0, 2, FAULT),
        // A name with a zero in it, a way through a file, and a file as a
        // directory.
        open(176, 6, 0, 2, NOENT),
        open(192, 14, 0, 2, NOTDIR),
        open(208, 6, 0, 2, NOTDIR),
        open(224, 9, 0, 2, SUCCESS),
        // Nobody looks through all of a memory for the price of a name.
        open(1_024, 4_097, 0, 2, NAMETOOLONG),
    ] {
        script = script.call("path_open", &arguments, errno);
    }
    script = script.call("path_open", &[4, 0, 64, 5, 0, 2, 0, 0, 32], NOTDIR).call(
        "path_open",
        &[3, 0, 64, 5, 0, 2, 0, 0, (MEMORY - 3).into()],
        FAULT,
    );
    let run = script.runs_as(with_files(&script));
    assert_eq!(run.calls(1).len(), 0);
}

#[test]
fn only_so_many_files_are_open_at_once() {
    let mut script = Script::new().data(64, b"a.txt");
    for number in 4..64 {
        script = script.call("path_open", &[3, 0, 64, 5, 0, 2, 0, 0, 32], SUCCESS).word(32, number);
    }
    script = script
        .call("path_open", &[3, 0, 64, 5, 0, 2, 0, 0, 32], MFILE)
        .call("fd_close", &[7], SUCCESS)
        .call("path_open", &[3, 0, 64, 5, 0, 2, 0, 0, 32], SUCCESS)
        .word(32, 7);
    script.runs_as(with_files(&script));
}

#[test]
fn what_is_open_is_described() {
    let script = Script::new()
        .data(64, b"a.txt")
        .call("fd_fdstat_get", &[1, 0], SUCCESS)
        .byte(0, 0)
        // It can be written to, and neither sought nor told.
        .is("(i32.and (i32.load (i32.const 8)) (i32.const 0x66))", 0x40)
        .call("fd_fdstat_get", &[3, 0], SUCCESS)
        .byte(0, 3)
        .call("fd_fdstat_get", &[0, 0], SUCCESS)
        .byte(0, 4)
        .is("(i32.and (i32.load (i32.const 8)) (i32.const 0x66))", 0x26)
        .call("fd_fdstat_get", &[9, 0], BADF)
        .call("fd_fdstat_get", &[1, (MEMORY - 23).into()], FAULT)
        .call("fd_fdstat_set_flags", &[1, 4], SUCCESS)
        .call("fd_fdstat_set_flags", &[1, 32], INVAL)
        .call("fd_fdstat_set_flags", &[9, 0], BADF)
        .call("fd_filestat_get", &[0, 0], SUCCESS)
        .byte(16, 4)
        .long(24, 1)
        .long(32, 10)
        .call("path_filestat_get", &[3, 1, 64, 5, 128], SUCCESS)
        .byte(144, 4)
        .long(160, 10)
        .is("(i64.eq (i64.load (i32.const 8)) (i64.load (i32.const 136)))", 1)
        .call("fd_filestat_get", &[3, 0], SUCCESS)
        .byte(16, 3)
        .long(32, 0)
        .call("fd_filestat_get", &[1, 0], SUCCESS)
        .byte(16, 0)
        .call("fd_filestat_get", &[1, (MEMORY - 63).into()], FAULT)
        .call("fd_filestat_get", &[0, (MEMORY - 63).into()], FAULT)
        .call("path_filestat_get", &[3, 1, 64, 4, 128], NOENT);
    let run = script.runs_as(with_files(&script));
    // Each size is asked for.
    let calls = run.calls(1);
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|(_, it)| it.call == Call::RegionMap && it.result == 10));
}

#[test]
fn the_directory_is_listed_from_any_entry_into_any_room() {
    let whole = 4 * 24 + 1 + 2 + 5 + 5;
    let script = Script::new()
        .call("fd_readdir", &[3, 64, 1_000, 0, 0], SUCCESS)
        .word(0, whole)
        .long(64, 1)
        .word(80, 1)
        .byte(84, 3)
        .byte(88, b'.')
        .long(89, 2)
        .bytes(113, b"..")
        .long(115, 3)
        .byte(135, 4)
        .bytes(139, b"a.txt")
        .long(144, 4)
        .bytes(168, b"empty")
        // From the third on, cut in the fourth.
        .call("fd_readdir", &[3, 64, 30, 2, 0], SUCCESS)
        .word(0, 30)
        .bytes(88, b"a.txt")
        .byte(93, 4)
        .call("fd_readdir", &[3, 64, 30, 4, 0], SUCCESS)
        .word(0, 0)
        .call("fd_readdir", &[0, 64, 30, 0, 0], NOTDIR)
        .call("fd_readdir", &[3, 64, MEMORY.into(), 0, 0], FAULT)
        .call("fd_readdir", &[3, 64, 30, 0, -1], FAULT);
    assert_eq!(script.runs_as(with_files(&script)).calls(1).len(), 0);
}

/// A subscription: userdata, kind, then clock or descriptor, time and flags.
fn subscription(userdata: u64, kind: u64, which: u64, time: u64, flags: u64) -> Vec<u8> {
    [userdata, kind, which, time, 0, flags].into_iter().flat_map(u64::to_le_bytes).collect()
}

#[test]
fn waiting_takes_logical_time_and_one_record() {
    let both = [subscription(7, 0, 1, 5_000_000, 0), subscription(8, 0, 0, 9_000_000, 0)].concat();
    let script = Script::new()
        .data(128, &both)
        .data(256, &subscription(9, 0, 1, 20_000_000, 1))
        .call("poll_oneoff", &[128, 512, 2, 0], SUCCESS)
        .word(0, 1)
        .long(512, 7)
        .word(520, 0)
        .call("clock_time_get", &[1, 0, 8], SUCCESS)
        .is("(i64.ge_u (i64.load (i32.const 8)) (i64.const 5000000))", 1)
        .is("(i64.lt_u (i64.load (i32.const 8)) (i64.const 6000000))", 1)
        .call("poll_oneoff", &[256, 512, 1, 0], SUCCESS)
        .word(0, 1)
        .long(512, 9)
        .call("clock_time_get", &[1, 0, 8], SUCCESS)
        .is("(i64.ge_u (i64.load (i32.const 8)) (i64.const 20000000))", 1)
        .is("(i64.lt_u (i64.load (i32.const 8)) (i64.const 21000000))", 1)
        // A time that has passed.
        .call("poll_oneoff", &[256, 512, 1, 0], SUCCESS)
        .word(0, 1)
        .call("sched_yield", &[], SUCCESS);
    let run = script.runs();
    let calls = run.calls(1);
    assert_eq!(calls.len(), 4);
    assert!(
        calls.iter().all(|(record, it)| {
            it.call == Call::TimerWait && record.verdict == Verdict::Allowed
        })
    );
    assert_eq!(calls[1].1.argument, 20_000_000);
}

#[test]
fn what_is_open_is_ready_at_once() {
    let all =
        [subscription(1, 0, 1, 1_000, 0), subscription(2, 2, 1, 0, 0), subscription(3, 1, 9, 0, 0)]
            .concat();
    let script = Script::new()
        .data(128, &all)
        .data(1_024, &subscription(1, 3, 0, 0, 0))
        .data(1_088, &subscription(1, 0, 2, 0, 0))
        .call("poll_oneoff", &[128, 512, 3, 0], SUCCESS)
        .word(0, 2)
        .long(512, 2)
        .word(520, 2 << 16)
        .long(544, 3)
        .word(552, 1 << 16 | BADF)
        .call("poll_oneoff", &[128, 512, 0, 0], INVAL)
        .call("poll_oneoff", &[128, 512, 2_000, 0], INVAL)
        .call("poll_oneoff", &[1_024, 512, 1, 0], INVAL)
        .call("poll_oneoff", &[1_088, 512, 1, 0], INVAL)
        .call("poll_oneoff", &[(MEMORY - 47).into(), 512, 1, 0], FAULT)
        .call("poll_oneoff", &[128, (MEMORY - 95).into(), 3, 0], FAULT)
        .call("poll_oneoff", &[128, 512, 3, (MEMORY - 3).into()], FAULT);
    assert_eq!(script.runs().calls(1).len(), 0);
}

#[test]
fn others_run_while_one_yields() {
    let yields = Script::new().call("sched_yield", &[], SUCCESS).call("sched_yield", &[], SUCCESS);
    let run = Recipe::new().task("one", &yields.wat()).task("other", &yields.wat()).run();
    let slices: Vec<u32> = run
        .decoded()
        .iter()
        .filter(|record| record.kind() == witness::Kind::Call(Call::TimerWait))
        .map(|record| record.subject.0)
        .collect();
    assert_eq!(slices.iter().filter(|&&subject| subject == 1).count(), 2);
    assert_ne!(slices, [1, 1, 2, 2]);
}

#[test]
fn pointers_that_are_outside_or_wrap_do_nothing() {
    let end = i64::from(MEMORY);
    let script = Script::new()
        .data(64, b"x")
        .vectors(0, &[(64, 1), (u32::MAX, 2), (64, u32::MAX), (MEMORY, 0)])
        .call("fd_write", &[1, 8, 1, 32], FAULT)
        .call("fd_write", &[1, 16, 1, 32], FAULT)
        .call("fd_write", &[1, 0, 1, end - 3], FAULT)
        .call("fd_write", &[1, end - 7, 1, 32], FAULT)
        .call("fd_write", &[1, -1, 1, 32], FAULT)
        .call("fd_write", &[1, 0, 1_025, 32], INVAL)
        .call("fd_write", &[1, 0, -1, 32], INVAL)
        .call("fd_write", &[1, 24, 1, 32], SUCCESS)
        .call("fd_read", &[0, 8, 1, 32], FAULT)
        .call("fd_read", &[0, 0, 1, end - 3], FAULT)
        .call("fd_pread", &[0, 0, 1, 0, end - 3], FAULT)
        .call("args_sizes_get", &[end - 3, 0], FAULT)
        .call("args_sizes_get", &[0, end - 3], FAULT)
        .call("args_get", &[end - 3, 0], FAULT)
        .call("args_get", &[32, end - 6], FAULT)
        .call("args_get", &[32, -1], FAULT)
        .call("environ_sizes_get", &[end, 0], FAULT)
        .call("clock_res_get", &[0, end - 7], FAULT)
        .call("fd_tell", &[0, end - 7], FAULT)
        .call("fd_prestat_get", &[3, end - 7], FAULT)
        .call("fd_prestat_dir_name", &[3, end, 1], FAULT);
    let run = script.runs_as(with_files(&script));
    assert_eq!(run.calls(1).len(), 0);
}

#[test]
fn a_module_without_a_memory_gets_nothing_written() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
        (func (export "_start") (result i32) (call $sizes (i32.const 0) (i32.const 4))))"#;
    assert_eq!(Recipe::new().task("script", wat).run().task(1), Outcome::Exit(FAULT as i32));
}

#[test]
fn a_function_costs_fuel() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (loop (drop (call $random (i32.const 0) (i32.const 65536))) (br 0))))"#;
    let run = Recipe::new().task("script", wat).with(|task| task.fuel = 3_000_000).run();
    assert_eq!(run.task(1), Outcome::OutOfFuel);
}

#[test]
fn the_end_of_a_slice_changes_nothing() {
    let mut script = Script::new().data(64, b"a.txt").vectors(0, &[(128, 10), (1_024, 60_000)]);
    for number in 0..300 {
        script = script
            .call("fd_pread", &[0, 0, 1, 0, 36], SUCCESS)
            .word(36, 10)
            .call("random_get", &[1_024, 60_000], SUCCESS)
            .call("fd_write", &[1, 0, 1, 36], SUCCESS)
            .word(36, 10)
            .call("path_open", &[3, 0, 64, 5, 0, 2, 0, 0, 32], SUCCESS)
            .word(32, 4)
            .call("fd_close", &[4], SUCCESS)
            .call("clock_time_get", &[i64::from(number % 4), 0, 8], SUCCESS);
    }
    let file = with_files(&script).signed();
    let (often, seldom) = (drive(start(&file, 1), 1), drive(start(&file, 2), 7));
    assert_eq!(often.task(1), Outcome::Exit(0));
    let task = |run: &Run| run.of(1).iter().map(|it| it.point).collect::<Vec<_>>();
    assert_eq!(task(&often), task(&seldom));
    assert_eq!(often.ids[2..], seldom.ids[2..]);
    assert_eq!(often.text(1).len(), 3_000);
    assert!(often.cell.view().clock().slice() > 20);
}

#[test]
fn a_snapshot_in_any_slice_changes_nothing() {
    let mut script = Script::new()
        .data(64, b"a.txt")
        .vectors(0, &[(512, 3)])
        .data(128, &subscription(7, 0, 1, 2_000_000, 0))
        .call("path_open", &[3, 0, 64, 5, 0, 2, 0, 0, 32], SUCCESS);
    for round in 0..8 {
        script = script
            .call("fd_read", &[0, 0, 1, 36], SUCCESS)
            .call("fd_read", &[4, 0, 1, 36], SUCCESS)
            .word(36, [3, 3, 3, 1, 0, 0, 0, 0][round])
            .call("random_get", &[1_024, 60_000], SUCCESS)
            .call("fd_write", &[1, 0, 1, 36], SUCCESS)
            .call("poll_oneoff", &[128, 256, 1, 8], SUCCESS)
            .word(8, 1)
            .call("random_get", &[512, 3], SUCCESS);
    }
    let file = with_files(&script).signed();
    let (whole, cell) = interrupted(&file, usize::MAX);
    assert!(whole.len() > 30 && cell.is_success());
    for every in [1, 2, 5] {
        assert!(interrupted(&file, every).0 == whole, "every {every}");
    }
}

#[test]
fn a_stop_of_the_machine_is_not_seen() {
    let writes = Script::new()
        .data(64, b"x")
        .vectors(0, &[(64, 1)])
        .data(128, &subscription(7, 0, 1, 50_000_000, 0))
        .call("poll_oneoff", &[128, 512, 1, 8], SUCCESS)
        .word(8, 1)
        .call("fd_write", &[1, 0, 1, 32], SUCCESS)
        .word(32, 1);
    let mut cell = start(&writes.recipe().signed(), 1);
    assert_eq!(cell.step(), Step::Ran);
    // While it waits, and again while it would write.
    for _ in 0..2 {
        cell.admit(Input::new(EventKind::Stop, &[])).unwrap();
        assert_eq!(cell.step(), Step::Waiting { until: None });
        cell.admit(Input::new(EventKind::Resume, &[])).unwrap();
        assert_eq!(cell.step(), Step::Ran);
    }
    cell.jump().unwrap();
    cell.admit(Input::new(EventKind::Stop, &[])).unwrap();
    let run = {
        while cell.step() == Step::Ran {}
        cell.admit(Input::new(EventKind::Resume, &[])).unwrap();
        drive(cell, 1)
    };
    assert_eq!((run.task(1), run.text(1).as_str()), (Outcome::Exit(0), "x"));
    let verdicts: Vec<_> = run.calls(1).iter().map(|(record, _)| record.verdict).collect();
    assert_eq!(verdicts.iter().filter(|&&it| it == Verdict::Allowed).count(), 2);
    assert!(verdicts.len() > 3, "{verdicts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for, there is an answer, and the program goes on.
    #[test]
    fn no_call_harms_the_machine(
        memory in proptest::collection::vec(any::<u8>(), 256),
        calls in proptest::collection::vec((0..FUNCTIONS.len(), any::<[Number; 9]>()), 1..40),
    ) {
        let mut script = Script::new().data(64, b"a.txt").data(256, &memory);
        script = script.vectors(0, &[(128, 10), (65_500, 36), (0, 65_536), (u32::MAX, 2)]);
        for (function, arguments) in calls {
            let (name, types) = FUNCTIONS[function];
            if name == "proc_exit" {
                continue;
            }
            let arguments: String = types
                .chars()
                .zip(arguments)
                .map(|(of, Number(value))| match of {
                    'l' => format!("(i64.const {value}) "),
                    _ => format!("(i32.const {}) ", value as u32),
                })
                .collect();
            writeln!(script.steps, "(drop (call ${name} {arguments}))").unwrap();
        }
        let run = with_files(&script).run();
        prop_assert_eq!(run.task(1), Outcome::Exit(0));
        prop_assert!(run.ids == with_files(&script).run().ids);
    }
}

/// Numbers among which those that mean something are not rare.
#[derive(Clone, Copy, Debug)]
struct Number(i64);

impl Arbitrary for Number {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let small = 0i64..6;
        let place = 0i64..600;
        let edge = i64::from(MEMORY) - 64..i64::from(MEMORY) + 2;
        prop_oneof![4 => small, 4 => place, 1 => edge, 1 => any::<i64>()].prop_map(Number).boxed()
    }
}

#[test]
fn what_a_manifest_must_not_say_is_refused() {
    let nothing = Script::new();
    for (entry, reason) in [
        (told(&[], &[], None), "wasi"),
        (told(&["a\0b"], &[], None), "args[0]"),
        (told(&[], &["novalue"], None), "env[0]"),
        (told(&[], &["=x"], None), "env[0]"),
        (told(&[], &[], Some("a.txt")), "stdin"),
        (told(&vec!["x"; 257], &[], None), "args"),
    ] {
        let recipe = nothing.recipe().with(|task| task.wasi = Some(entry));
        let run = recipe.run();
        assert_eq!(run.reports.len(), 1);
        assert!(run.reports[0].contains(reason), "{:?} lacks {reason}", run.reports);
    }
}
