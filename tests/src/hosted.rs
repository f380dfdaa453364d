//! Runs in this process.

use helio::keys::{Role, Store};
use helio::log::{folder, stream};
use helio::session::hosted::{self, Ran, Start};
use machine::Cell;
use tempfile::TempDir;
use witness::manifest::TaskEnd;

use crate::log::Log;

/// The nonce of every hosted run.
pub const NONCE: [u8; 32] = [0x4e; 32];

/// What is left of a run.
pub struct Left {
    /// How the tasks ended, and what was refused.
    pub ran: Ran,
    /// What the tasks wrote to the console.
    pub console: String,
    /// The same, byte for byte.
    pub bytes: Vec<u8>,
    /// The log.
    pub log: Log,
}

impl Left {
    /// How the task of this name ended.
    pub fn task(&self, name: &str) -> &TaskEnd {
        self.ran.tasks.iter().find(|task| task.name == name).unwrap()
    }
}

/// Runs a package to its end with the keys of a store.
#[track_caller]
pub fn run(package: Vec<u8>, keys: &Store) -> Left {
    run_fed(package, keys, &mut |_| false)
}

/// The same, with events from `feed` when only those can help.
#[track_caller]
pub fn run_fed(package: Vec<u8>, keys: &Store, feed: &mut dyn FnMut(&mut Cell) -> bool) -> Left {
    let place = TempDir::new().unwrap();
    let disk = place.path().join("log.raw");
    let mut boot = [0; 16];
    helio::keys::random(&mut boot).unwrap();
    let start = Start {
        package,
        trust: keys.trust().unwrap(),
        device_key: keys.private(Role::Device).unwrap(),
        nonce: Some(NONCE),
        boot,
    };
    let mut console = Vec::new();
    let mut show = |bytes: &[u8]| console.extend_from_slice(bytes);
    let ran = hosted::run_fed(start, &disk, &mut show, feed).unwrap();
    let imported = stream::from_bytes(&std::fs::read(disk).unwrap(), None).unwrap();
    assert_eq!(imported.remarks, [""; 0]);
    let path = place.path().join("log");
    folder::write(&path, &imported.log).unwrap();
    let device = keys.public(Role::Device).unwrap();
    Left {
        ran,
        console: String::from_utf8_lossy(&console).into_owned(),
        bytes: console,
        log: Log::of(folder::read(&path).unwrap(), device),
    }
}
