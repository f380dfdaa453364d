//! A machine that is watched: over a pseudoterminal, TCP and a unix socket,
//! with reconnects, damage and keys.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::common::{Recipe, device_key, helio_json, helio_text, put, text};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// Longest wait for anything: a test that fails is not to hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// A monitor that runs, whose output is read as it comes: a full pipe would
/// stop it.
struct Started {
    child: Child,
    out: JoinHandle<String>,
    error: JoinHandle<String>,
}

/// `helio monitor` with these arguments, and a way to type to it.
fn spawn(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helio"));
    command.arg("monitor").args(arguments).args(["--limit", "20"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn start(arguments: &[&str]) -> Started {
    let mut child = spawn(arguments);
    let (out, error) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
    Started { child, out, error }
}

fn drain(mut source: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        text
    })
}

/// What came of it: exit code, stdout, stderr.
fn ended(started: Started) -> (i32, String, String) {
    let Started { mut child, out, error } = started;
    let code = child.wait().unwrap().code().unwrap();
    (code, out.join().unwrap(), error.join().unwrap())
}

/// The lines of a `--json` run.
fn events(out: &str) -> Vec<Value> {
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

/// The next connection; a monitor that does not come is not waited for.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let until = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(error) => {
                assert!(Instant::now() < until, "{error}");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp:{}", listener.local_addr().unwrap());
    (listener, address)
}

/// Verifies the log of a boot that a monitor kept.
fn verify(place: &TempDir, logs: &str, boot: &[u8; 16]) -> (i32, Value) {
    let key = witness::key::public_to_pem(&device_key());
    let key = text(&put(place.path(), "device.pem", key.as_bytes()));
    let log = text(&Path::new(logs).join(witness::hex::encode(boot)));
    helio_json(&["verify", &log, "--key", &key])
}

#[test]
fn a_run_over_tcp_is_shown_kept_and_verifies() {
    let place = tempdir().unwrap();
    let logs = text(&place.path().join("logs"));
    let capture = text(&place.path().join("capture"));
    let recipe = Recipe::default();
    // It begins behind a prompt, where a person would stand.
    let stream = recipe.run().uart;
    let first = stream.iter().position(|&byte| byte == 0x1e).unwrap();
    let stream = [b"> ", &stream[first..]].concat();
    let (listener, address) = listen();
    let child = start(&[&address, "-o", &logs, "--capture", &capture, "--until-end"]);
    let mut machine = accept(&listener);
    // In pieces that begin and end anywhere.
    for piece in stream.chunks(101) {
        machine.write_all(piece).unwrap();
    }
    let (code, out, error) = ended(child);
    assert_eq!(code, 0, "{error}");
    // Console text without escapes, and each record on a line of its own.
    assert!(out.starts_with("> \n[log]      0  "), "{out}");
    assert!(out.contains("estimate 1.5[kernel] sealing\r\n[log]      4  "), "{out}");
    assert!(!out.contains('\x1b') && !out.contains('\x1e'));
    let records: Vec<_> = out.lines().filter(|line| line.starts_with("[log] ")).collect();
    assert_eq!(records.len(), 25);
    assert!(records[3].contains("     3  ") && records[3].contains("task_spawn"), "{}", records[3]);
    assert!(out.contains("the run has ended: 1 connections, 25 records, 0 gaps"), "{out}");
    assert!(error.contains("log of boot 626f6f74206f66207468652074657374"), "{error}");
    assert_eq!(verify(&place, &logs, &recipe.boot).0, 0);
    assert_eq!(std::fs::read(&capture).unwrap(), stream);
}

#[test]
fn records_come_decoded_as_lines_of_json() {
    let (listener, address) = listen();
    let child = start(&[&address, "--until-end", "--json"]);
    accept(&listener).write_all(&Recipe::default().run().uart).unwrap();
    let (code, out, error) = ended(child);
    assert_eq!((code, error.as_str()), (0, ""));
    let events = events(&out);
    let records = of(&events, "record");
    assert_eq!(records.len(), 25);
    for (index, record) in records.iter().enumerate() {
        assert_eq!((&record["index"], &record["placed"]), (&index.into(), &true.into()));
    }
    assert_eq!((&records[24]["kind"], &records[24]["previous"]), (&"exit".into(), &23.into()));
    assert_eq!(of(&events, "boot")[0]["boot"], witness::hex::encode(b"boot of the test"));
    let sizes: Vec<_> = of(&events, "checkpoint").iter().map(|it| it["size"].clone()).collect();
    assert_eq!(sizes, [4, 14, 25]);
    let text: String =
        of(&events, "console").iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert!(text.starts_with("[kernel] sealing\r\n"), "{text}");
    assert_eq!(of(&events, "run-ended").len(), 1);
    let last = events.last().unwrap();
    assert_eq!(
        (&last["event"], &last["reason"], &last["lost"]),
        (&"left".into(), &"run-ended".into(), &0.into())
    );
}

#[test]
fn a_connection_that_breaks_is_made_again_and_nothing_is_missing() {
    let place = tempdir().unwrap();
    let logs = text(&place.path().join("logs"));
    let recipe = Recipe { calls: 300, ..Recipe::default() };
    let stream = recipe.run().uart;
    // Between two lines, so that every byte arrives.
    let cut = stream.len() / 2;
    let cut = cut + stream[cut..].iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let (listener, address) = listen();
    let child = start(&[&address, "-o", &logs, "--until-end", "--json"]);
    let mut machine = accept(&listener);
    machine.write_all(&stream[..cut]).unwrap();
    drop(machine);
    accept(&listener).write_all(&stream[cut..]).unwrap();
    let (code, out, _) = ended(child);
    assert_eq!(code, 0, "{out}");
    let events = events(&out);
    assert_eq!((of(&events, "connected").len(), of(&events, "disconnected").len()), (2, 1));
    let last = events.last().unwrap();
    assert_eq!(
        (&last["connections"], &last["records"], &last["lost"]),
        (&2.into(), &305.into(), &0.into())
    );
    let saved = &last["logs"][0];
    assert_eq!((&saved["records"], &saved["complete"]), (&305.into(), &true.into()));
    assert_eq!(verify(&place, &logs, &recipe.boot).0, 0);
}

#[test]
fn what_a_broken_connection_swallowed_ends_the_log_that_is_kept_not_the_watching() {
    let place = tempdir().unwrap();
    let logs = text(&place.path().join("logs"));
    let recipe = Recipe { calls: 300, ..Recipe::default() };
    let stream = recipe.run().uart;
    let (listener, address) = listen();
    let child = start(&[&address, "-o", &logs, "--json"]);
    let mut machine = accept(&listener);
    // The line breaks off in its middle, and some lines never come.
    let half = stream.len() / 2;
    machine.write_all(&stream[..half]).unwrap();
    drop(machine);
    let mut machine = accept(&listener);
    machine.write_all(&stream[stream.len() * 11 / 20..]).unwrap();
    // And then the machine starts again.
    let second = Recipe { boot: [9; 16], calls: 5, ..Recipe::default() };
    machine.write_all(&second.run().uart).unwrap();
    drop(machine);
    let mut child = child;
    // Leave by the key, once all has come.
    let machine = accept(&listener);
    child.child.stdin.take().unwrap().write_all(b"\x1d").unwrap();
    let (code, out, _) = ended(child);
    drop(machine);
    assert_eq!(code, 0, "{out}");
    let events = events(&out);
    assert!(!of(&events, "lost").is_empty());
    let strays = of(&events, "record").iter().filter(|it| it["placed"] == false).count();
    assert!(strays > 0);
    let last = events.last().unwrap();
    assert_eq!(last["reason"], "left");
    let saved = last["logs"].as_array().unwrap();
    assert_eq!(saved.len(), 2);
    assert_eq!((&saved[0]["complete"], &saved[1]["complete"]), (&false.into(), &true.into()));
    assert!(
        saved[0]["remarks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it.as_str().unwrap().contains("missing or damaged"))
    );
    // What was kept of the first is its beginning; the second is whole.
    let (code, json) = verify(&place, &logs, &recipe.boot);
    assert_eq!((code, &json["verdict"]), (4, &"incomplete".into()));
    assert_eq!(verify(&place, &logs, &second.boot).0, 0);
}

#[test]
fn damaged_frames_are_told_and_never_become_records() {
    let place = tempdir().unwrap();
    let recipe = Recipe { calls: 300, ..Recipe::default() };
    let stream = recipe.run().uart;
    let whole = helio::log::stream::from_bytes(&stream, None).unwrap().log.entries;
    for (round, at) in (0..stream.len()).step_by(stream.len() / 6).enumerate() {
        let mut bad = stream.clone();
        bad[at] ^= 0x15;
        let logs = text(&place.path().join(round.to_string()));
        let (listener, address) = listen();
        let child = start(&[&address, "-o", &logs, "--once", "--json"]);
        accept(&listener).write_all(&bad).unwrap();
        let (code, out, _) = ended(child);
        assert_eq!(code, 0);
        let placed =
            of(&events(&out), "record").into_iter().filter(|it| it["placed"] == true).count();
        let kept = Path::new(&logs).join(witness::hex::encode(&recipe.boot));
        if kept.exists() {
            let kept = helio::log::folder::read(&kept).unwrap().entries;
            assert!(whole.starts_with(&kept), "damage at {at}");
            assert!(kept.len() <= placed && placed <= whole.len());
        }
    }
}

#[test]
fn keys_reach_the_machine_over_a_pseudoterminal_and_ctrl_bracket_leaves() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let port = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let mut machine = File::from(master);
    let place = tempdir().unwrap();
    let logs = text(&place.path().join("logs"));
    let mut child = spawn(&[&port, "-o", &logs, "--baud", "9600"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut keys = child.stdin.take().unwrap();

    // Keys as they are: no echo, no translation of ^C, ^D or carriage return.
    let typed = b"tasks -j\r\x03\x04\x1b[A";
    keys.write_all(typed).unwrap();
    let mut seen = vec![0; typed.len()];
    machine.read_exact(&mut seen).unwrap();
    assert_eq!(seen, typed);

    let recipe = Recipe::default();
    machine.write_all(b"answer\r\n").unwrap();
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "answer\r\n");
    machine.write_all(&recipe.run().uart).unwrap();
    let mut lines = out.by_ref().lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("[log]     24  ")));

    // What is typed before the key still goes out.
    keys.write_all(b"bye\x1dnot this").unwrap();
    let rest: Vec<_> = lines.collect();
    assert!(
        rest.iter().any(|line| line.starts_with("left: 1 connections, 25 records")),
        "{rest:?}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(verify(&place, &logs, &recipe.boot).0, 0);
}

#[test]
fn a_unix_socket_that_comes_later_is_waited_for() {
    let place = tempdir().unwrap();
    let socket = place.path().join("serial");
    let child = start(&[&text(&socket), "--wait", "--until-end", "--read-only", "--no-records"]);
    thread::sleep(Duration::from_millis(200));
    let listener = UnixListener::bind(&socket).unwrap();
    let (mut machine, _) = listener.accept().unwrap();
    machine.write_all(&Recipe::default().run().uart).unwrap();
    let (code, out, error) = ended(child);
    assert_eq!(code, 0, "{error}");
    assert!(!out.contains("[log]") && out.contains("sealing"), "{out}");
    assert!(error.contains("waiting for it"), "{error}");
}

#[test]
fn what_cannot_be_watched_is_refused_with_the_reason() {
    let place = tempdir().unwrap();
    let file = text(&put(place.path(), "file", b"x"));
    let (code, json) = helio_json(&["monitor", &file]);
    assert_eq!((code, &json["error"]["object"]), (2, &file.into()));
    assert!(json["error"]["reason"].as_str().unwrap().contains("neither a serial port"));
    let none = text(&place.path().join("none"));
    assert_eq!(helio_json(&["monitor", &none]).0, 2);
    assert_eq!(helio_text(&["monitor", "tcp:host"]).0, 2);
    // Nobody listens there.
    let (listener, address) = listen();
    drop(listener);
    assert_eq!(helio_json(&["monitor", &address]).0, 2);
}

#[test]
fn a_run_that_does_not_end_is_a_failure_for_a_script() {
    let (listener, address) = listen();
    let child = start(&[&address, "--until-end", "--once"]);
    accept(&listener)
        .write_all(&Recipe { finished: false, ..Recipe::default() }.run().uart)
        .unwrap();
    let (code, out, error) = ended(child);
    assert_eq!(code, 1);
    assert!(out.contains("the connection was lost"), "{out}");
    assert!(error.contains("before the run had ended"), "{error}");
}
