//! `helio completions`: what a shell needs to complete helio's commands.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueEnum};
use serde::Serialize;

use crate::cli::Cli;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::file;
use crate::output::Output;

/// Print or write the completions for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
    /// Where they go; by default to stdout.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

/// A shell.
#[derive(Clone, Copy, Debug, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shell {
    /// `helio completions bash -o ~/.local/share/bash-completion/completions/helio`
    Bash,
    /// `helio completions zsh -o DIR/_helio`, for a DIR of $fpath
    Zsh,
    /// `helio completions fish -o ~/.config/fish/completions/helio.fish`
    Fish,
}

#[derive(Serialize)]
struct Script {
    shell: Shell,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
}

impl Completions {
    /// Runs it.
    pub fn run(self, output: Output) -> Result<ExitCode> {
        let script = script(self.shell);
        let shell = self.shell;
        match self.output {
            Some(path) => {
                file::write(&path, script.as_bytes())?;
                output.show(&Script { shell, file: Some(path), script: None });
            }
            None => output.show(&Script { shell, file: None, script: Some(script) }),
        }
        Ok(ExitCode::Success)
    }
}

/// The script for a shell.
fn script(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "helio", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.script, &self.file) {
            (Some(script), _) => f.write_str(script),
            (None, Some(path)) => f.write_str(&path.display().to_string()),
            (None, None) => Ok(()),
        }
    }
}
