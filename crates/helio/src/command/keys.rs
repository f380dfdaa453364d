//! `helio keys`: makes keys, shows them, signs with them, and says whom to
//! trust.

mod list;
mod show;
mod signature;
mod trust;

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::error::Result;
use crate::exit::ExitCode;
use crate::keys::{Made, Purpose, Store, hexadecimal};
use crate::output::Output;

/// Make keys, show them, sign with them, and say whom to trust.
#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make root, operator and device keys and a trust file, where there are
    /// none yet.
    Init {
        #[command(flatten)]
        folder: Folder,
        /// Not for development: root and operator are encrypted with a
        /// passphrase.
        #[arg(long)]
        production: bool,
    },
    /// Make one key.
    Generate {
        /// What its files are called: NAME.pem and NAME.pub.pem.
        name: String,
        #[command(flatten)]
        folder: Folder,
        /// Encrypt the private key with a passphrase.
        #[arg(long)]
        encrypt: bool,
    },
    /// List the keys here and in the trust file.
    List {
        #[command(flatten)]
        folder: Folder,
    },
    Show(show::Show),
    Sign(signature::Sign),
    Verify(signature::Verify),
    Trust(trust::Trusting),
    Revoke(trust::Revoking),
}

/// The key store.
#[derive(Clone, Debug, Args)]
struct Folder {
    /// Folder of the keys.
    #[arg(long, default_value = super::KEYS)]
    dir: PathBuf,
}

impl Folder {
    fn store(&self) -> Store {
        Store::at(&self.dir)
    }
}

impl Keys {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match self.action {
            Action::Init { folder, production } => {
                let purpose = if production { Purpose::Production } else { Purpose::Development };
                output.show(&folder.store().init_for(purpose)?);
            }
            Action::Generate { name, folder, encrypt } => {
                let store = folder.store();
                let key = hexadecimal(&store.generate(&name, encrypt)?);
                let (private, public) = (store.private_path_of(&name), store.public_path_of(&name));
                output.show(&Generated { name, key, private, public, encrypted: encrypt });
            }
            Action::List { folder } => output.show(&list::list(&folder.store())?),
            Action::Show(show) => show.run(output)?,
            Action::Sign(sign) => sign.run(output)?,
            Action::Verify(verify) => return verify.run(output),
            Action::Trust(trusting) => trusting.run(output)?,
            Action::Revoke(revoking) => revoking.run(output)?,
        }
        Ok(ExitCode::Success)
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.made.is_empty() {
            return f.write_str("keys and trust file are there");
        }
        f.write_str(if self.development { "made, for development only:" } else { "made:" })?;
        self.made.iter().try_for_each(|path| write!(f, "\n  {}", path.display()))
    }
}

#[derive(Serialize)]
struct Generated {
    name: String,
    key: String,
    private: PathBuf,
    public: PathBuf,
    encrypted: bool,
}

impl fmt::Display for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, key, private, public, encrypted } = self;
        let how = if *encrypted { ", encrypted" } else { "" };
        writeln!(f, "{name}  {key}")?;
        write!(f, "  private  {}{how}\n  public   {}", private.display(), public.display())
    }
}
