//! Why ServiceRadar material was not accepted.

use crate::{archive::ArchiveError, code::Code};

/// What is wrong with a token, a key, a URL or a package. No message repeats the offending text: it may be a secret, or a
/// stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceRadarError {
    /// Not a token, or one in another spelling than its maker's.
    #[error("malformed ServiceRadar token: expected {expected}")]
    MalformedToken {
        /// The rule that it breaks.
        expected: &'static str,
    },
    /// A token longer than [`crate::limits::SERVICERADAR_TOKEN_BYTES`]; nothing of it was parsed.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Version 1: anybody can have written it.
    #[error("token of version 1, which bears no signature")]
    UnsignedToken,
    /// An edge token where a collector token is expected, or the other way round.
    #[error("ServiceRadar token of another kind")]
    WrongKind,
    /// Not signed with the onboarding key.
    #[error("signature does not verify")]
    BadSignature,
    /// Authentic, and not to be understood in exactly one way.
    #[error("invalid payload: expected {expected}")]
    InvalidPayload {
        /// The rule that it breaks.
        expected: &'static str,
    },
    /// Authentic, but its time is over.
    #[error("token has expired")]
    Expired,
    /// Not a key in base64.
    #[error("expected an Ed25519 key in base64: 32 bytes, or 64 for a private key with its public half")]
    UnusableKey,
    /// A part of a package that its programs would not take.
    #[error("invalid {field}: expected {expected}")]
    InvalidPackage {
        /// Which part.
        field: &'static str,
        /// Its grammar.
        expected: &'static str,
    },
    /// The archive does not take it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl ServiceRadarError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::MalformedToken { .. } => Code::ServiceradarMalformedToken,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::UnsignedToken => Code::ServiceradarUnsignedToken,
            Self::WrongKind => Code::ServiceradarWrongKind,
            Self::BadSignature => Code::ServiceradarBadSignature,
            Self::InvalidPayload { .. } => Code::ServiceradarInvalidPayload,
            Self::Expired => Code::ServiceradarExpired,
            Self::UnusableKey => Code::UnusableKey,
            Self::InvalidPackage { .. } => Code::ServiceradarInvalidPackage,
            Self::Archive(error) => error.code(),
        }
    }
}
