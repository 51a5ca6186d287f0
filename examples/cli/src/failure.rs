//! How the program ends when it does not succeed.

use std::{fmt, process::ExitCode};

use handfast::Code;

/// What ends the program early. No message repeats a secret.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was given is invalid, does not verify, or is not allowed. Trying again does not help.
    Refused {
        /// The stable code, where there is one.
        code: Option<String>,
        /// For people.
        message: String,
    },
    /// Trying again later may help.
    Unreachable(String),
}

impl Failure {
    /// With a code of handfast's own.
    pub(crate) fn coded(code: Code, message: impl fmt::Display) -> Self {
        Self::Refused { code: Some(code.as_str().to_owned()), message: message.to_string() }
    }

    /// Without a code.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::Refused { code: None, message: message.into() }
    }

    /// Says it, and gives the exit code.
    #[expect(clippy::print_stderr, reason = "a command-line program's diagnostics")]
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Refused { code: Some(code), message } => eprintln!("handfast: {message} ({code})"),
            Self::Refused { code: None, message } | Self::Unreachable(message) => {
                eprintln!("handfast: {message}")
            }
        }
        ExitCode::from(match self {
            Self::Refused { .. } => 1,
            Self::Unreachable(_) => 3,
        })
    }
}
