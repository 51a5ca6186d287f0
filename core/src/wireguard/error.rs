//! Why WireGuard material was not accepted.

use crate::code::Code;

/// What is wrong with a key or a configuration. No message repeats the offending text: it may be a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireGuardError {
    /// Not a key as `wg` writes one.
    #[error("malformed WireGuard key: {what}")]
    MalformedKey {
        /// What is wrong.
        what: &'static str,
    },
    /// Not the name or the address of a host, or no port with it.
    #[error("malformed host: {what}")]
    MalformedHost {
        /// What is wrong.
        what: &'static str,
    },
    /// A line that is not of the format, or not of the part of it that can be read in one way only.
    #[error("line {line}: {what}")]
    MalformedLine {
        /// The line, from one.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A configuration whose parts do not fit together.
    #[error("unusable configuration: {what}")]
    Inconsistent {
        /// What is wrong.
        what: &'static str,
    },
    /// A line that makes `wg-quick` run a command as root.
    #[error("line {line}: a command that would be run as root")]
    Command {
        /// The line, from one.
        line: usize,
    },
    /// A configuration longer than its limit; nothing of it was parsed.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl WireGuardError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::MalformedKey { .. } => Code::WireguardMalformedKey,
            Self::MalformedHost { .. } | Self::MalformedLine { .. } | Self::Inconsistent { .. } => {
                Code::WireguardMalformedConfig
            }
            Self::Command { .. } => Code::WireguardCommand,
            Self::TooLarge { .. } => Code::TooLarge,
        }
    }
}
