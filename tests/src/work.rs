//! Folders for a machine's files.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of its own, removed when the test is over, but kept where it
/// failed.
pub struct Work(Option<TempDir>);

impl Work {
    /// A fresh folder whose name begins with `name`.
    pub fn new(name: &str) -> Self {
        let below = below();
        std::fs::create_dir_all(&below).unwrap();
        let place = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(&below);
        Self(Some(place.unwrap()))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(place) = self.0.take()
        {
            eprintln!("the machine's files are in {}", place.keep().display());
        }
    }
}

/// Where cargo wants tests to write. It tells only programs that are built
/// as tests, which lie in target/PROFILE/deps.
fn below() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().join("tmp")
}
