//! Running a WebAssembly program that is in no package yet.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{HelioError, Result};
use crate::file;
use crate::keys::{self, Role, Store};
use crate::pack::inspect::inspect;
use crate::pack::program::{self, name_like};
use crate::pack::write::NamedBytes;

/// What a program is given that is in no package.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "For a WebAssembly program that is in no package")]
pub(super) struct Program {
    /// A file for it to read, by its own name or another; again for more.
    #[arg(long, value_name = "[NAME=]FILE")]
    file: Vec<String>,
    /// The files of a folder, but not of those below it.
    #[arg(long, value_name = "FOLDER")]
    dir: Vec<PathBuf>,
    /// A file as its standard input.
    #[arg(long, value_name = "FILE")]
    stdin: Option<PathBuf>,
    /// A variable for it; again for more.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Fuel it may spend [default: 1000 logical seconds' worth].
    #[arg(long)]
    fuel: Option<u64>,
    /// Bytes of memory it may have [default: 32 MiB].
    #[arg(long, value_name = "BYTES")]
    memory: Option<u32>,
    /// Its arguments.
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// Fuel of a program, by default.
const FUEL: u64 = 1_000_000_000_000;

/// Memory of a program, by default.
const MEMORY: u32 = 32 << 20;

impl Program {
    /// The package's bytes: `bytes` of the file at `path` as they are, or in a
    /// package of their own if they are a program.
    pub(super) fn package(&self, path: &Path, bytes: Vec<u8>, keys: &Store) -> Result<Vec<u8>> {
        if !bytes.starts_with(program::MAGIC) {
            inspect(path, &bytes, None)?;
            return match self.is_empty() {
                true => Ok(bytes),
                false => Err(HelioError::input(
                    "package",
                    path.display(),
                    "has what its tasks are given in itself",
                    "leave the program's options out, or name a WebAssembly program",
                )),
            };
        }
        let name = path.file_name().map_or("program".into(), |name| name.to_string_lossy());
        let contents = program::Program {
            name: name_like(&name),
            module: bytes,
            args: self.args.clone(),
            env: self.env.clone(),
            files: self.files()?,
            stdin: self.stdin.as_deref().map(file::read).transpose()?,
            fuel: self.fuel.unwrap_or(FUEL),
            memory: self.memory.unwrap_or(MEMORY),
        }
        .contents();
        let operator = keys::read_private(&keys.private_path(Role::Operator))?;
        contents.sign(&operator).map_err(|error| {
            HelioError::input(
                "program",
                path.display(),
                error,
                "docs/WASI.md says what a program can be given",
            )
        })
    }

    fn is_empty(&self) -> bool {
        let Self { file, dir, stdin, env, fuel, memory, args } = self;
        let has_files = !file.is_empty() || !dir.is_empty() || stdin.is_some();
        let has_words = !env.is_empty() || !args.is_empty();
        !has_files && !has_words && fuel.is_none() && memory.is_none()
    }

    fn files(&self) -> Result<Vec<NamedBytes>> {
        let mut files = Vec::new();
        for given in &self.file {
            let (name, path) = match given.split_once('=') {
                Some((name, path)) => (name.to_owned(), Path::new(path)),
                None => (own_name(Path::new(given)), Path::new(given)),
            };
            files.push(NamedBytes { name, bytes: file::read(path)? });
        }
        for folder in &self.dir {
            let entries = folder.read_dir().map_err(|source| HelioError::read(folder, source))?;
            let mut paths = Vec::new();
            for entry in entries {
                let path = entry.map_err(|source| HelioError::read(folder, source))?.path();
                if path.is_file() {
                    paths.push(path);
                }
            }
            // A folder's order is not the same everywhere.
            paths.sort();
            for path in paths {
                files.push(NamedBytes { name: own_name(&path), bytes: file::read(&path)? });
            }
        }
        Ok(files)
    }
}

fn own_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
