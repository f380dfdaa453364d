//! The flags with which cargo builds for a bare target.

use std::path::{Path, PathBuf};

use witness::hex;

use super::tree::Tree;
use super::{Order, Part, Profile};
use crate::arch::Arch;
use crate::error::{HelioError, Result};

/// The library is built along: what is shipped is for other targets, or for
/// other settings of these.
const STD: [&str; 2] =
    ["-Zbuild-std=core,alloc,compiler_builtins", "-Zbuild-std-features=compiler-builtins-mem"];

/// Targets that are described by a file in this tree.
const DESCRIBED: &str = "-Zjson-target-spec";

/// The compiler cannot build the vectorised curve arithmetic for UEFI's
/// soft-float target.
const SERIAL: [&str; 2] = ["--cfg", "curve25519_dalek_backend=\"serial\""];

/// One call of cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    arguments: Vec<String>,
    flags: Vec<&'static str>,
    variables: Vec<(&'static str, String)>,
    output: PathBuf,
}

impl Job {
    /// The call that builds a part.
    ///
    /// # Errors
    /// A loader without a root key; the tree cannot be read.
    pub(super) fn new(order: &Order, part: Part, tree: &Tree) -> Result<Self> {
        let arch = order.target.arch();
        let mut flags = Vec::new();
        let mut variables = Vec::new();
        let (mut arguments, profile, output) = match part {
            Part::Kernel => {
                let target = format!("{arch}-heliograph");
                let file = format!("kernel/targets/{target}.json");
                let mut words = vec![DESCRIBED.into(), "-p".into(), "kernel".into()];
                words.extend(["--target".into(), file]);
                if !order.features.is_empty() {
                    words.extend(["--features".into(), order.features.join(",")]);
                }
                (words, order.profile, (target, "kernel"))
            }
            Part::Loader => {
                let target = format!("{arch}-unknown-uefi");
                let key = order.root_key.as_ref().ok_or_else(no_root)?;
                variables.push(("HELIOGRAPH_ROOT_KEY", hex::encode(key)));
                flags.extend(SERIAL);
                (package("boot-uefi", &target), Profile::Release, (target, "boot-uefi.efi"))
            }
            Part::Direct => {
                let target = direct(arch);
                let file = format!("boot/direct/{target}.json");
                let mut words = package("boot-direct", &file);
                words.insert(0, DESCRIBED.into());
                (words, Profile::Release, (target, "boot-direct"))
            }
            Part::Payloads => {
                let target = "wasm32-unknown-unknown";
                let names = tree.payloads()?.into_iter();
                let mut words: Vec<_> = names.flat_map(|name| ["-p".into(), name]).collect();
                words.extend(["--profile", "payload", "--target", target].map(String::from));
                (words, Profile::Debug, (target.into(), ""))
            }
        };
        let folder = match profile {
            Profile::Release => "release",
            Profile::Debug => "debug",
        };
        if profile == Profile::Release {
            arguments.push("--release".into());
        }
        let (target, file) = output;
        Ok(Self { arguments, flags, variables, output: Path::new(&target).join(folder).join(file) })
    }

    /// Cargo's arguments.
    pub fn arguments(&self) -> Vec<String> {
        let first = ["build", "--quiet", "--locked"].map(String::from);
        let std = STD.map(String::from);
        first.into_iter().chain(std).chain(self.arguments.iter().cloned()).collect()
    }

    /// What the compiler is told, after the paths that it is to leave out.
    pub fn flags(&self) -> &[&'static str] {
        &self.flags
    }

    /// Variables of the environment.
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// Where the result is, below cargo's target folder.
    pub fn output(&self) -> &Path {
        &self.output
    }
}

fn package(name: &str, target: &str) -> Vec<String> {
    ["-p", name, "--target", target].map(String::from).into()
}

fn direct(arch: Arch) -> String {
    format!("{arch}-direct")
}

fn no_root() -> HelioError {
    HelioError::input(
        "build",
        "loader",
        "there is no root key to build into it",
        "run `helio keys init`, or name the folder of the keys with --keys",
    )
}
