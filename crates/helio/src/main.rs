#![forbid(unsafe_code)]
//! The command `helio`: see the library for what it does.

use std::process::ExitCode;

use helio::cli::Cli;

fn main() -> ExitCode {
    Cli::main().into()
}
