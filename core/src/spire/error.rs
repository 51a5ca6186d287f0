//! Why SPIFFE or SPIRE material was not accepted.

use crate::code::Code;

/// What is wrong with a bundle, an authority or a request. No message repeats the offending text: it may be a token, or
/// a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpireError {
    /// A document longer than its limit; nothing of it was parsed.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A bundle that no two readers need understand alike.
    #[error("malformed trust bundle: {what}")]
    MalformedBundle {
        /// What is wrong.
        what: &'static str,
    },
    /// A certificate or key that must not be trusted as an authority.
    #[error("unusable authority: {what}")]
    UnusableAuthority {
        /// What is wrong.
        what: &'static str,
    },
    /// A private key stands in a bundle. Whoever published it must replace it.
    #[error("a private key in a trust bundle")]
    PrivateKey,
    /// A request that the server would refuse, or understand otherwise.
    #[error("invalid {field}: expected {expected}")]
    InvalidRequest {
        /// Which part.
        field: &'static str,
        /// Its grammar.
        expected: &'static str,
    },
}

impl SpireError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::TooLarge,
            Self::MalformedBundle { .. } => Code::SpireMalformedBundle,
            Self::UnusableAuthority { .. } => Code::SpireUnusableAuthority,
            Self::PrivateKey => Code::JwkPrivate,
            Self::InvalidRequest { .. } => Code::SpireInvalidRequest,
        }
    }

    pub(super) fn malformed(what: &'static str) -> Self {
        Self::MalformedBundle { what }
    }

    pub(super) fn unusable(what: &'static str) -> Self {
        Self::UnusableAuthority { what }
    }
}
