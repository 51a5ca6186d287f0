//! How the program ends when it does not succeed.

use std::{
    fmt,
    io::{self, Write as _},
    process::ExitCode,
};

use handfast::Code;

/// What ends the program early. No message repeats a secret, nor anything else that was given as an argument: who pastes a
/// secret there by mistake must not find it in a log as well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was given is invalid, does not verify, or is not allowed. Trying again does not help.
    Refused {
        /// The stable code, where there is one.
        code: Option<String>,
        /// For people.
        message: String,
    },
    /// What was given is meant otherwise.
    Usage(&'static str),
    /// Trying again later may help.
    Unreachable(String),
    /// It was done, and what there is to say of it could not be written.
    Unwritten(String),
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

    /// Says it, and gives the exit code. Where nobody can be told, the code is all that there is.
    pub(crate) fn report(&self) -> ExitCode {
        let _nobody_listens = writeln!(io::stderr().lock(), "handfast: {self}");
        ExitCode::from(match self {
            Self::Refused { .. } => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Unwritten(_) => 4,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code: Some(code), message } => write!(formatter, "{message} ({code})"),
            Self::Usage(message) => formatter.write_str(message),
            Self::Refused { code: None, message } | Self::Unreachable(message) | Self::Unwritten(message) => {
                formatter.write_str(message)
            }
        }
    }
}
