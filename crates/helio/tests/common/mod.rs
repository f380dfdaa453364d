//! Logs made as a machine makes them, without a machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use abi::Call;
use durable::disk::{DiskLog, Sectors};
use durable::{Device, Recorder};
use helio::keys::{Role, Store};
use witness::checkpoint::{default_device_name, origin};
use witness::frame::uart;
use witness::manifest::{End, Outcome, RunManifest, TaskEnd};
use witness::note::SigningKey;
use witness::record::{
    Arch, Board, Body, CallBody, Draft, Exit, Flags, Genesis, MachineFacts, Point, Short, Subject,
    Verdict,
};
use witness::{BootId, Hash, Hasher, Index, Log, key};

pub const HASHER: Hasher = Hasher::SOFTWARE;
pub const NONCE: [u8; 32] = [0x6e; 32];

pub fn device() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub fn device_key() -> [u8; 32] {
    key::public(&device())
}

/// What a run leaves behind: a disk and a capture of the serial port.
pub struct Run {
    pub disk: Vec<u8>,
    pub uart: Vec<u8>,
}

/// How a run is made.
#[derive(Clone, Copy)]
pub struct Recipe {
    pub boot: BootId,
    pub arch: Arch,
    /// Records of the one task, before its exit.
    pub calls: u32,
    pub seed: u64,
    pub finished: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { boot: *b"boot of the test", arch: Arch::X86_64, calls: 20, seed: 7, finished: true }
    }
}

/// A package without a signature, whose program does nothing.
pub fn package() -> Vec<u8> {
    let program = helio::pack::program::Program {
        name: "nothing".into(),
        module: b"\0asm\x01\0\0\0".to_vec(),
        args: vec![],
        env: vec![],
        files: vec![],
        stdin: None,
        fuel: 1 << 20,
        memory: 1 << 16,
    };
    helio::pack::unsigned(&program.contents()).unwrap()
}

pub fn package_digest() -> Hash {
    HASHER.hash(b"package")
}

impl Recipe {
    fn facts(&self) -> MachineFacts {
        MachineFacts {
            nonce: Some(NONCE),
            previous_checkpoint: [0; 32],
            boot_id: self.boot,
            kernel: HASHER.hash(b"kernel"),
            loader: [0; 32],
            trust: HASHER.hash(b"trust"),
            device_key: device_key(),
            serial: 0,
            arch: self.arch,
            board: if self.arch == Arch::X86_64 { Board::Pc } else { Board::Virt },
            flags: Flags::TO_DISK | Flags::DEVELOPMENT_KEYS,
        }
    }

    pub fn run(self) -> Run {
        let mut disk = Memory(Vec::new());
        let sectors = DiskLog::begin(&mut disk, self.boot).unwrap();
        self.record(&mut Recorder::new(sectors, self.boot, self.origin(), device()));
        let mut uart = Recorder::new(Lines::default(), self.boot, self.origin(), device());
        self.record(&mut uart);
        Run { disk: disk.0, uart: uart.device().bytes.clone() }
    }

    fn origin(&self) -> String {
        origin(&default_device_name(&device_key()), &self.boot)
    }

    fn record<D: Device<Error: std::fmt::Debug>>(&self, recorder: &mut Recorder<D>) {
        let mut writer = Writer { log: Log::new(HASHER, 4096), time: 0, last: Vec::new() };
        let profile = Short::new(abi::profile::NAME.as_bytes()).unwrap();
        let (package, seed) = (package_digest(), self.seed);
        let state_root = witness::sha256::EMPTY;
        writer.raw(&Draft::genesis(Genesis { package, seed, state_root, profile }));
        writer.raw(&Draft::machine(self.facts()));
        let mount = CallBody { digest: package, ..CallBody::new(Call::RvfMount) };
        let mount = writer.write(Subject::KERNEL, None, Body::Call(mount));
        let spawn = CallBody {
            result: 1,
            tail: Short::new(b"demo").unwrap(),
            ..CallBody::new(Call::TaskSpawn)
        };
        writer.write(Subject::KERNEL, Some(mount), Body::Call(spawn));
        recorder.commit(&mut writer.log).unwrap();
        for number in 0..self.calls {
            let send = CallBody {
                object: 3,
                length: 4,
                result: 4,
                digest: HASHER.hash(&number.to_le_bytes()),
                ..CallBody::new(Call::QueueSend)
            };
            writer.write(Subject(1), None, Body::Call(send));
            if number % 100 == 9 {
                recorder.commit(&mut writer.log).unwrap();
            }
        }
        writer.write(Subject(1), None, Body::Exit(Exit { code: 0, pages: 2 }));
        recorder.commit(&mut writer.log).unwrap();
        if self.finished {
            recorder.close(|records, root| self.manifest(records, root)).unwrap();
        }
    }

    fn manifest(&self, records: u64, root: Hash) -> RunManifest {
        let facts = self.facts();
        RunManifest {
            arch: facts.arch,
            board: facts.board,
            boot_id: self.boot,
            development_keys: true,
            device_key: facts.device_key,
            end: End::Finished,
            package: package_digest(),
            profile: abi::profile::NAME.into(),
            records,
            root,
            tasks: vec![TaskEnd {
                name: "demo".into(),
                subject: 1,
                outcome: Outcome::Exit,
                code: 0,
            }],
        }
    }
}

/// Writes chains of records.
struct Writer {
    log: Log,
    time: u64,
    last: Vec<(Subject, u32, Index)>,
}

impl Writer {
    fn raw(&mut self, draft: &Draft<'_>) -> Index {
        let reservation = self.log.reserve().unwrap();
        let index = self.log.write(reservation, draft);
        self.last.retain(|(subject, ..)| *subject != draft.subject);
        self.last.push((draft.subject, draft.sequence, index));
        index
    }

    fn write(&mut self, subject: Subject, cause: Option<Index>, body: Body<'_>) -> Index {
        let last = self.last.iter().find(|(it, ..)| *it == subject).copied();
        self.time += 1000;
        let point = Point { time_ns: self.time, slice: self.time / 5000, fuel: self.time };
        self.raw(&Draft {
            verdict: Verdict::Allowed,
            subject,
            sequence: last.map_or(0, |(_, sequence, _)| sequence + 1),
            point,
            previous: last.map(|(.., index)| index),
            cause,
            body,
        })
    }
}

/// A disk in memory that is as large as it must be.
pub struct Memory(pub Vec<u8>);

impl Sectors for &mut Memory {
    type Error = std::convert::Infallible;

    fn count(&self) -> u64 {
        1 << 20
    }

    fn write(&mut self, sector: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        let at = sector as usize * 512;
        self.0.resize(self.0.len().max(at + bytes.len()), 0);
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A serial port with a talkative machine on it.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    writer: uart::Writer,
}

impl Device for Lines {
    type Error = std::convert::Infallible;

    fn append(&mut self, frames: Vec<u8>) -> Result<(), Self::Error> {
        self.bytes.extend_from_slice(b"[kernel] \x1b[1msealing\x1b[0m\r\n");
        let bytes = &mut self.bytes;
        self.writer.send(&frames, &mut |line| bytes.extend_from_slice(line));
        self.bytes.extend_from_slice(b"estimate 1.5");
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Imports a stream into a folder, through the library.
pub fn import(stream: &[u8], folder: &Path) {
    let imported = helio::log::stream::from_bytes(stream, None).unwrap();
    assert_eq!(imported.remarks, Vec::<String>::new());
    helio::log::folder::write(folder, &imported.log).unwrap();
}

/// A key store in a temporary folder.
pub fn store() -> (tempfile::TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let store = Store::at(&place.path().join("keys"));
    store.init().unwrap();
    (place, store)
}

/// A file of a store as an argument.
pub fn private(store: &Store, role: Role) -> String {
    text(&store.private_path(role))
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs the command.
pub fn helio(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_helio")).args(arguments).output().unwrap()
}

/// Runs it and returns its exit code, stdout and stderr.
pub fn helio_text(arguments: &[&str]) -> (i32, String, String) {
    let output = helio(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs it with `--json` and reads what it says.
pub fn helio_json(arguments: &[&str]) -> (i32, serde_json::Value) {
    let (code, out, _) = helio_text(&[arguments, &["--json"]].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out:?}")))
}

pub fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Both ends of a terminal: a person's, and the one for a program.
pub fn terminal() -> (std::fs::File, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let terminal =
        std::fs::OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (person.into(), terminal)
}
