//! `helio log`: brings a log home, shows it, hands it on and proves things
//! about it.

mod export;
mod import;
mod proof;
mod show;

use clap::{Args, Subcommand};

use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::Output;

/// Import, show, export witness logs and prove what is in them.
#[derive(Debug, Args)]
pub struct Log {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(import::Import),
    Show(show::Show),
    Tail(show::Tail),
    Export(export::Export),
    Prove(proof::Prove),
    CheckProof(proof::CheckProof),
}

impl Log {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        match self.action {
            Action::Import(arguments) => arguments.run(output),
            Action::Show(arguments) => arguments.run(output),
            Action::Tail(arguments) => arguments.run(output),
            Action::Export(arguments) => arguments.run(output),
            Action::Prove(arguments) => arguments.run(output),
            Action::CheckProof(arguments) => arguments.run(output),
        }
    }
}
