//! `helio keys`: makes and shows keys.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::error::Result;
use crate::exit::ExitCode;
use crate::keys::{Made, Role, Store, hexadecimal};
use crate::output::Output;

/// Make and show keys.
#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make development keys and a trust file, where there are none yet.
    Init {
        /// Folder of the keys.
        #[arg(long, default_value = super::KEYS)]
        dir: PathBuf,
    },
    /// Show public keys and whom the trust file trusts.
    Show {
        /// Folder of the keys.
        #[arg(long, default_value = super::KEYS)]
        dir: PathBuf,
        /// Print only this public key, in hexadecimal.
        #[arg(long, value_name = "ROLE")]
        public: Option<Role>,
    },
}

impl Keys {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match self.action {
            Action::Init { dir } => output.show(&Store::at(&dir).init()?),
            Action::Show { dir, public: Some(role) } => {
                let key = hexadecimal(&Store::at(&dir).public(role)?);
                output.show(&One { role, key });
            }
            Action::Show { dir, public: None } => output.show(&shown(&Store::at(&dir))?),
        }
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.made.is_empty() {
            return f.write_str("keys and trust file are there");
        }
        f.write_str("made, for development only:")?;
        self.made.iter().try_for_each(|path| write!(f, "\n  {}", path.display()))
    }
}

#[derive(Serialize)]
struct One {
    role: Role,
    key: String,
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

#[derive(Serialize)]
struct Shown {
    keys: Vec<Line>,
    trust: Trusted,
}

#[derive(Serialize)]
struct Line {
    role: Role,
    key: String,
    file: PathBuf,
}

#[derive(Serialize)]
struct Trusted {
    digest: String,
    development: bool,
    devices: Vec<Named>,
    operators: Vec<Named>,
    revoked: Vec<String>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    key: String,
}

fn shown(store: &Store) -> Result<Shown> {
    let line = |role| {
        let key = hexadecimal(&store.public(role)?);
        Ok(Line { role, key, file: store.public_path(role) })
    };
    let trust = store.trust()?;
    let named = |list: &[witness::trust::NamedKey]| {
        let one = |it: &witness::trust::NamedKey| Named {
            name: it.name.clone(),
            key: hexadecimal(&it.key),
        };
        list.iter().map(one).collect()
    };
    Ok(Shown {
        keys: Role::ALL.into_iter().map(line).collect::<Result<_>>()?,
        trust: Trusted {
            digest: hexadecimal(&trust.digest),
            development: trust.development,
            devices: named(&trust.devices),
            operators: named(&trust.operators),
            revoked: trust.revoked.iter().map(hexadecimal).collect(),
        },
    })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.keys {
            writeln!(f, "{:<9} {}  {}", line.role.name(), line.key, line.file.display())?;
        }
        let kind = if self.trust.development { " (development)" } else { "" };
        writeln!(f, "\ntrust file {}{kind}", &self.trust.digest[..16])?;
        for (what, list) in [("operator", &self.trust.operators), ("device", &self.trust.devices)] {
            for named in list {
                writeln!(f, "  {what:<8} {:<16} {}", named.name, named.key)?;
            }
        }
        self.trust.revoked.iter().try_for_each(|key| writeln!(f, "  revoked  {key}"))
    }
}
