//! What went wrong with the input, the store or the configuration: never a rule that said no.

use crate::{code::Code, crypto::CryptoError, id::KeyId};

/// Bad input, a broken store or a mistaken configuration. A rule that says no is a [`super::Refusal`] instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value does not fit; the path says which.
    #[error("{}{message}", prefix(path))]
    Input {
        /// Where in the value, for example `contents[0].name`; empty for the whole.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// The store gave back a record that cannot be read.
    #[error("stored record is corrupt: {0}")]
    CorruptRecord(String),
    /// The store holds a record of a newer schema than this version knows.
    #[error("stored record has schema {0}, newer than this version knows")]
    NewerSchema(u32),
    /// A stored digest or sealed secret names a key that the configuration does not hold.
    #[error("key {0} is not in the key ring")]
    MissingKey(KeyId),
    /// A sealed secret is not in the vault although its record says that it is.
    #[error("sealed secret {0} is not in the vault")]
    MissingSecret(crate::id::SecretId),
    /// A primitive refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The operator's own rule could not say, and nothing happens without its word.
    #[error(transparent)]
    Rule(#[from] crate::rules::RuleError),
    /// Too many conflicts on the same records; try again later.
    #[error("too many conflicting commits")]
    Busy,
    /// The caller used the library wrongly: a bug in the host.
    #[error("misuse: {0}")]
    Misuse(&'static str),
}

impl Error {
    pub(crate) fn input(path: &str, message: &str) -> Self {
        Self::Input { path: path.to_owned(), message: message.to_owned() }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Input { .. } => Code::InvalidInput,
            Self::CorruptRecord(_) => Code::CorruptRecord,
            Self::NewerSchema(_) => Code::NewerSchema,
            Self::MissingKey(_) => Code::MissingKey,
            Self::MissingSecret(_) => Code::MissingSecret,
            Self::Crypto(error) => error.code(),
            Self::Rule(error) => error.code(),
            Self::Busy => Code::Busy,
            Self::Misuse(_) => Code::Misuse,
        }
    }
}

impl From<crate::id::InvalidId> for Error {
    fn from(error: crate::id::InvalidId) -> Self {
        Self::input("", &error.to_string())
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}
