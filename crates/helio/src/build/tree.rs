//! The sources, and the compiler for them.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cargo::Job;
use crate::error::{HelioError, Result};
use crate::file;

/// What `make` writes its choice of a compiler to.
const TOOLS: &str = "build/tools.mk";

/// How the line of that file begins which says where programs are looked for.
const PATH: &str = "export PATH := ";

/// Variables with which a user's environment would change what is built.
const FOREIGN: [&str; 4] =
    ["RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_INCREMENTAL"];

/// How the names of more of them begin.
const FOREIGN_PROFILE: &str = "CARGO_PROFILE_";

/// A source tree of Heliograph.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    target: PathBuf,
}

impl Tree {
    /// The tree that the current folder is in.
    ///
    /// # Errors
    /// It is in none.
    pub fn here() -> Result<Self> {
        let here = env::current_dir().map_err(|source| HelioError::read(Path::new("."), source))?;
        Self::around(&here)
    }

    /// The tree that a folder is in.
    ///
    /// # Errors
    /// It is in none.
    pub fn around(folder: &Path) -> Result<Self> {
        let is_root = |path: &&Path| {
            path.join("kernel/targets").is_dir() && path.join("Cargo.lock").is_file()
        };
        let root = folder.ancestors().find(is_root).ok_or_else(|| {
            HelioError::input(
                "build",
                folder.display(),
                "this folder is not inside Heliograph's source tree",
                "change into the clone of the repository and try again",
            )
        })?;
        let target = env::var_os("CARGO_TARGET_DIR").map(|path| folder.join(path));
        let target = target.unwrap_or_else(|| root.join("target"));
        Ok(Self { root: root.to_owned(), target })
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds.
    pub fn target_folder(&self) -> &Path {
        &self.target
    }

    /// Names of the kernel's features.
    ///
    /// # Errors
    /// Its manifest cannot be read.
    pub fn features(&self) -> Result<BTreeSet<String>> {
        let path = self.root.join("kernel/Cargo.toml");
        let manifest: toml::Table = file::read_text("build", &path)?.parse().map_err(|error| {
            HelioError::input(
                "build",
                path.display(),
                error,
                "restore the file from the repository",
            )
        })?;
        let features = manifest.get("features").and_then(toml::Value::as_table);
        Ok(features.map(|table| table.keys().cloned().collect()).unwrap_or_default())
    }

    /// Names of the payloads in Rust that have a package's manifest, sorted.
    ///
    /// # Errors
    /// That folder cannot be read.
    pub fn payloads(&self) -> Result<Vec<String>> {
        let folder = self.root.join("payload");
        let entries = folder.read_dir().map_err(|source| HelioError::read(&folder, source))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| HelioError::read(&folder, source))?;
            let has = |file: &str| entry.path().join(file).is_file();
            if has("package.toml") && has("Cargo.toml") {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Refuses a feature that the kernel does not have.
    ///
    /// # Errors
    /// It is named, with those there are.
    pub fn check_features(&self, features: &[String]) -> Result<()> {
        let known = self.features()?;
        match features.iter().find(|feature| !known.contains(*feature)) {
            None => Ok(()),
            Some(unknown) => {
                let known: Vec<_> = known.into_iter().collect();
                let there = if known.is_empty() { "it has none".into() } else { known.join(", ") };
                Err(HelioError::input(
                    "build",
                    format_args!("feature {unknown}"),
                    "the kernel has no such feature",
                    format!("give one of: {there}"),
                ))
            }
        }
    }

    /// Calls cargo.
    ///
    /// # Errors
    /// It is not there, or fails.
    pub fn run(&self, job: &Job) -> Result<()> {
        let status = self.command(job)?.stdin(Stdio::null()).status();
        let status = status.map_err(|_| no_compiler())?;
        if status.success() {
            return Ok(());
        }
        Err(HelioError::Failed {
            what: "cargo".into(),
            reason: "it could not build this; what it said is above".into(),
            advice: "mend that, or run `make setup` if a program or target is missing".into(),
        })
    }

    /// The call of cargo as a shell takes it.
    ///
    /// # Errors
    /// There is no compiler.
    pub fn shown(&self, job: &Job) -> Result<String> {
        let command = self.command(job)?;
        let mut line = String::new();
        for (name, value) in command.get_envs() {
            let name = name.to_string_lossy();
            match value {
                Some(_) if name == "PATH" => line += "PATH=\"$PWD/scripts:$PATH\" ",
                Some(value) => {
                    let value = value.to_string_lossy().replace('\u{1f}', " ");
                    line += &format!("{}={} ", name.replace("CARGO_ENCODED_", ""), quoted(&value));
                }
                None => {}
            }
        }
        line += "cargo";
        for argument in command.get_args() {
            line += &format!(" {}", quoted(&argument.to_string_lossy()));
        }
        Ok(line)
    }

    fn command(&self, job: &Job) -> Result<Command> {
        let path = self.program_path()?;
        let mut command = Command::new("cargo");
        command.current_dir(&self.root).args(job.arguments());
        let names = env::vars_os().map(|(name, _)| name);
        let is_profile = |name: &OsString| name.to_string_lossy().starts_with(FOREIGN_PROFILE);
        for name in FOREIGN.map(OsString::from).into_iter().chain(names.filter(is_profile)) {
            command.env_remove(name);
        }
        // Clippy looks at what is compiled. Its place is not part of its name,
        // which has a part in the bytes.
        command.env("RUSTC_WORKSPACE_WRAPPER", "lint-beside");
        let programs = path.clone().or_else(|| env::var("PATH").ok()).unwrap_or_default();
        command.env("PATH", format!("{}:{programs}", self.root.join("scripts").display()));
        let flags = self.flags(job, path.as_deref())?;
        command.env("CARGO_TARGET_DIR", &self.target);
        // Flags may have blanks in them: paths do.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        command.env("RUSTC_BOOTSTRAP", "1");
        command.envs(job.variables().iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// What the compiler is told: above all, that no path of this machine may
    /// reach a binary, so that the same sources and compiler give the same
    /// bytes.
    fn flags(&self, job: &Job, path: Option<&str>) -> Result<Vec<String>> {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
        let library = sysroot(path)?.join("lib/rustlib");
        let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        let mut flags = vec![remap(&self.root, "heliograph")];
        flags.extend(home.map(|home| remap(&home, "cargo")));
        flags.push(remap(&library, "rust"));
        flags.extend(job.flags().iter().map(|&flag| flag.to_owned()));
        Ok(flags)
    }

    /// Where `make` found the compiler, if it has looked; else it is looked
    /// for where everything is.
    fn program_path(&self) -> Result<Option<String>> {
        let path = self.root.join(TOOLS);
        if !path.exists() {
            return Ok(None);
        }
        let tools = file::read_text("build", &path)?;
        Ok(tools.lines().find_map(|line| line.strip_prefix(PATH)).map(str::to_owned))
    }
}

fn sysroot(path: Option<&str>) -> Result<PathBuf> {
    let mut command = Command::new("rustc");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let output = command.args(["--print", "sysroot"]).output().map_err(|_| no_compiler())?;
    let text = String::from_utf8_lossy(&output.stdout);
    match output.status.success() && !text.trim().is_empty() {
        true => Ok(text.trim().into()),
        false => Err(no_compiler()),
    }
}

fn no_compiler() -> HelioError {
    HelioError::Missing {
        what: "the Rust compiler (rustc and cargo)".into(),
        advice: "run `make setup`, which finds or installs it".into(),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
