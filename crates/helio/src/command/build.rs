//! `helio build`: what boots, from the sources.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use witness::{hex, key};

use super::config::Configured;
use crate::build::tree::Tree;
use crate::build::{Built, Order, Part, Profile};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::keys::{self, Role, Store};
use crate::output::Output;
use crate::progress::Progress;
use crate::target::Target;

/// Build the kernel for a target, and what starts it there.
#[derive(Debug, Args)]
pub struct Build {
    /// What is built [default: the kernel and its loaders].
    #[arg(value_enum)]
    part: Vec<Part>,
    /// What it is for.
    #[arg(long, value_enum, default_value_t = Target::X86_64)]
    target: Target,
    /// Features of the kernel, in place of those that the configuration says;
    /// again, or with commas, for more.
    #[arg(long, value_delimiter = ',', value_name = "FEATURE")]
    features: Option<Vec<String>>,
    /// An optimised kernel, whatever the configuration says.
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// A kernel with checks of arithmetic and debug assertions.
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    configured: Configured,
    /// Sign the kernel with this operator's private key: its name among the
    /// keys, or a PEM file.
    #[arg(long)]
    key: Option<String>,
    /// Folder of the keys and the trust file: its root key goes into the
    /// loader.
    #[arg(long, default_value = super::KEYS)]
    keys: PathBuf,
    /// Folder for what is built; it goes into FOLDER/TARGET.
    #[arg(short, long, value_name = "FOLDER", default_value = super::BUILD)]
    output: PathBuf,
    /// Print the calls of cargo and do nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Line {
    path: PathBuf,
    bytes: u64,
    sha256: String,
}

#[derive(Serialize)]
struct Outcome {
    target: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    built: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<String>,
}

impl Build {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let tree = Tree::here()?;
        let store = Store::at(&self.keys);
        let config = self.configured.load()?;
        let known = tree.features()?;
        let features = match &self.features {
            // An empty word is how a script says: none.
            Some(given) => given.iter().filter(|name| !name.is_empty()).cloned().collect(),
            None => config.features(|name| known.contains(name)),
        };
        let is_debug = self.debug || config.is_debug() && !self.release;
        let public = store.public_path(Role::Root);
        let order = Order {
            target: self.target,
            features,
            profile: if is_debug { Profile::Debug } else { Profile::Release },
            root_key: public.exists().then(|| store.public(Role::Root)).transpose()?,
        };
        let parts = if self.part.is_empty() { Part::of(self.target) } else { &self.part };
        // All of it is judged before the first part takes its minutes.
        let jobs = parts.iter().map(|&part| order.job(part, &tree)).collect::<Result<Vec<_>>>()?;
        let key = self.key.as_deref().map(|key| keys::private_named(&store, key));
        let signer = key.map(|path| Ok((keys::read_private(&path)?, path))).transpose()?;
        let signer = signer.map(|(key, path)| {
            let name = keys::operator_name(&path, &key::public(&key));
            (key, name)
        });
        let signer = signer.as_ref().map(|(key, name)| (key, name.as_str()));
        let (mut built, mut commands) = (Vec::new(), Vec::new());
        for (&part, job) in parts.iter().zip(&jobs) {
            if self.dry_run {
                commands.push(tree.shown(job)?);
            } else {
                let what = match part {
                    // They are the same for every machine.
                    Part::Payloads => format!("building {}", name(part)),
                    _ => format!("building {} for {}", name(part), self.target),
                };
                let progress = Progress::start(output, &what);
                built.extend(order.build(part, &tree, &self.output, signer)?);
                progress.finish();
            }
        }
        let built = built.into_iter().map(Line::from).collect();
        output.show(&Outcome { target: self.target.name(), built, commands });
        Ok(ExitCode::Success)
    }
}

const fn name(part: Part) -> &'static str {
    match part {
        Part::Kernel => "the kernel",
        Part::Loader => "the UEFI loader",
        Part::Direct => "the direct boot image",
        Part::Payloads => "the payloads",
    }
}

impl From<Built> for Line {
    fn from(built: Built) -> Self {
        Self { path: built.path, bytes: built.bytes, sha256: hex::encode(&built.digest) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.commands.iter().try_for_each(|command| writeln!(f, "{command}"))?;
        self.built.iter().try_for_each(|Line { path, bytes, sha256 }| {
            writeln!(f, "{}  {bytes} bytes, sha256 {sha256}", path.display())
        })
    }
}
