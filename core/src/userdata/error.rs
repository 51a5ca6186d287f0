//! Why user data cannot be made, or not be used.

use super::Cloud;
use crate::code::Code;

/// What is wrong. No message repeats what was given: it may be the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// Something that user data cannot be made with.
    #[error("invalid {field}: expected {expected}")]
    Invalid {
        /// Which part.
        field: &'static str,
        /// What is wanted.
        expected: &'static str,
    },
    /// More than the cloud takes.
    #[error("{bytes} bytes of user data, of which {cloud} takes {limit}")]
    TooLarge {
        /// The cloud.
        cloud: Cloud,
        /// The bytes of the document.
        bytes: usize,
        /// The limit in bytes, before any base64.
        limit: usize,
    },
}

impl UserDataError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Invalid { .. } => Code::UserdataInvalid,
            Self::TooLarge { .. } => Code::UserdataTooLarge,
        }
    }
}
