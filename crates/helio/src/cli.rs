//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::command;
use crate::error::{HelioError, Result};
use crate::exit::{self, ExitCode};
use crate::keys::passphrase;
use crate::output::Output;

/// The host command of the Heliograph kernel.
#[derive(Debug, Parser)]
#[command(name = "helio", version, about, after_help = exit::HELP)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// Print results and errors as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Take the passphrase of encrypted keys from the first line of this file
    /// (or from the variable HELIO_PASSPHRASE).
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands; each is explained in its own file.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "the arguments' types say it, and clap shows that")]
pub enum Command {
    Keys(command::keys::Keys),
    Sign(command::sign::Sign),
    Pack(command::pack::Pack),
    Approve(command::approve::Approve),
    Build(command::build::Build),
    Config(command::config::Configuration),
    Image(command::image::Image),
    Flash(Box<command::flash::Flash>),
    Run(Box<command::run::Run>),
    Log(command::log::Log),
    Verify(command::verify::Verify),
    Replay(command::replay::Replay),
    Diff(command::diff::Diff),
    Monitor(command::monitor::Monitor),
    Dtb(command::dtb::Dtb),
    Security(command::security::Security),
    Symbolize(command::symbolize::Symbolize),
    Trim(command::trim::Trim),
    Completions(command::completions::Completions),
}

impl Cli {
    /// Reads the process's command line and does it.
    pub fn main() -> ExitCode {
        match Self::try_parse() {
            Ok(cli) => cli.run(),
            Err(error) => Self::refuse(&error),
        }
    }

    /// Shows help, or what is wrong with the command line: in JSON if that was
    /// asked for, wherever it stands.
    fn refuse(error: &clap::Error) -> ExitCode {
        let mut words = std::env::args_os().skip(1).take_while(|word| word != "--");
        if !error.use_stderr() {
            // Nothing is left to do where stdout is gone.
            let _ = error.print();
            return ExitCode::Success;
        }
        if words.any(|word| word == "--json") {
            let text = error.render().to_string();
            let reason = text.split("\n\n").next().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ").split_whitespace();
            let reason = reason.collect::<Vec<_>>().join(" ");
            let advice = "`helio --help` and `helio COMMAND --help` say what there is";
            Output::new(true).fail(&HelioError::input("usage", "command line", reason, advice));
        } else {
            let _ = error.print();
        }
        ExitCode::WrongInput
    }

    /// Does it, and prints what came of it.
    pub fn run(self) -> ExitCode {
        let output = Output::new(self.json);
        if let Some(path) = self.passphrase_file {
            passphrase::take_from(path);
        }
        let code = self.command.run(output).unwrap_or_else(|error| {
            output.fail(&error);
            error.exit_code()
        });
        match output.finish() {
            Ok(()) => code,
            Err(error) => {
                // Stdout is where it cannot be said.
                Output::new(false).fail(&error);
                // A verdict that is known goes before its being shown.
                if code == ExitCode::Success { ExitCode::Failed } else { code }
            }
        }
    }
}

impl Command {
    fn run(self, output: Output) -> Result<ExitCode> {
        match self {
            Self::Keys(arguments) => arguments.run(output),
            Self::Sign(arguments) => arguments.run(output),
            Self::Pack(arguments) => arguments.run(output),
            Self::Approve(arguments) => arguments.run(output),
            Self::Build(arguments) => arguments.run(output),
            Self::Config(arguments) => arguments.run(output),
            Self::Image(arguments) => arguments.run(output),
            Self::Flash(arguments) => arguments.run(output),
            Self::Run(arguments) => arguments.run(output),
            Self::Log(arguments) => arguments.run(output),
            Self::Verify(arguments) => arguments.run(output),
            Self::Replay(arguments) => arguments.run(output),
            Self::Diff(arguments) => arguments.run(output),
            Self::Monitor(arguments) => arguments.run(output),
            Self::Dtb(arguments) => arguments.run(output),
            Self::Security(arguments) => arguments.run(output),
            Self::Symbolize(arguments) => arguments.run(output),
            Self::Trim(arguments) => arguments.run(output),
            Self::Completions(arguments) => arguments.run(output),
        }
    }
}
