//! What can go wrong in `helio`, in words that say what to do next.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::exit::ExitCode;

/// A result of this crate.
pub type Result<T, E = HelioError> = core::result::Result<T, E>;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub enum HelioError {
    /// A file could not be read or written.
    File {
        /// What was being done: "read", "write", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something given to the command is wrong.
    Input {
        /// What was being done, as a noun: "manifest", "image", "log import".
        stage: &'static str,
        /// Which file, key, argument or part of one.
        object: String,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        advice: String,
    },
    /// A program or file of the system that the command needs is not there.
    Missing {
        /// What is missing.
        what: String,
        /// How to get it.
        advice: String,
    },
    /// A program that was started, or the machine in it, failed.
    Failed {
        /// What failed.
        what: String,
        /// How.
        reason: String,
        /// What to do about it.
        advice: String,
    },
}

impl HelioError {
    /// Wrong input: `stage` found that `object` is not right.
    pub fn input(
        stage: &'static str,
        object: impl fmt::Display,
        reason: impl fmt::Display,
        advice: impl Into<String>,
    ) -> Self {
        Self::Input {
            stage,
            object: object.to_string(),
            reason: reason.to_string(),
            advice: advice.into(),
        }
    }

    /// A file that could not be read.
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        Self::File { action: "read", path: path.to_owned(), source }
    }

    /// A file that could not be written.
    pub fn write(path: &Path, source: std::io::Error) -> Self {
        Self::File { action: "write", path: path.to_owned(), source }
    }

    /// What was being done.
    pub fn stage(&self) -> &str {
        match self {
            Self::File { action, .. } => action,
            Self::Input { stage, .. } => stage,
            Self::Missing { .. } => "set-up",
            Self::Failed { .. } => "run",
        }
    }

    /// To what.
    pub fn object(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Input { object, .. } => object.clone(),
            Self::Missing { what, .. } | Self::Failed { what, .. } => what.clone(),
        }
    }

    /// What is wrong.
    pub fn reason(&self) -> String {
        match self {
            Self::File { source, .. } => source.to_string(),
            Self::Input { reason, .. } | Self::Failed { reason, .. } => reason.clone(),
            Self::Missing { .. } => "not found".into(),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::File { action: "read", .. } => "check the path and that you may read it".into(),
            Self::File { .. } => {
                "check the path, the free space and that you may write there".into()
            }
            Self::Input { advice, .. }
            | Self::Missing { advice, .. }
            | Self::Failed { advice, .. } => advice.clone(),
        }
    }

    /// The status `helio` exits with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::File { .. } | Self::Input { .. } => ExitCode::WrongInput,
            Self::Missing { .. } => ExitCode::Missing,
            Self::Failed { .. } => ExitCode::Failed,
        }
    }
}

impl fmt::Display for HelioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { action, path, source } => {
                write!(f, "cannot {action} {}: {source}", path.display())?;
            }
            Self::Input { stage, object, reason, .. } => write!(f, "{stage}: {object}: {reason}")?,
            Self::Missing { what, .. } => write!(f, "{what} is not there")?,
            Self::Failed { what, reason, .. } => write!(f, "{what}: {reason}")?,
        }
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for HelioError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
