//! Why a token, a key or a claim was refused.

use std::fmt;

use crate::{code::Code, crypto::CryptoError};

/// Which of the three parts of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The first one.
    Header,
    /// The second one.
    Payload,
    /// The third one.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Why a token is not a verified one. No message repeats anything of the token: it is a secret, or a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// [`Code::JwtTooLarge`].
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// [`Code::JwtNotCompact`].
    #[error("not three parts with full stops between")]
    NotCompact,
    /// [`Code::JwtEncoding`].
    #[error("{part} is not canonical unpadded base64url")]
    Encoding {
        /// Where.
        part: Part,
    },
    /// [`Code::JwtMalformedJson`].
    #[error("{part} is not one strict JSON object")]
    MalformedJson {
        /// Where.
        part: Part,
    },
    /// [`Code::JwtDuplicateMember`].
    #[error("{part} has a member twice")]
    DuplicateMember {
        /// Where.
        part: Part,
    },
    /// [`Code::JwtInvalidHeader`].
    #[error("header member {name} is not {expected}")]
    InvalidHeader {
        /// The member.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// [`Code::JwtUnsigned`].
    #[error("not signed: the algorithm is none")]
    Unsigned,
    /// [`Code::JwtAlgorithmNotAllowed`].
    #[error("signature algorithm not allowed")]
    AlgorithmNotAllowed,
    /// [`Code::JwtAlgorithmMismatch`].
    #[error("another signature algorithm than the key's")]
    AlgorithmMismatch,
    /// [`Code::JwtCriticalExtension`].
    #[error("critical extensions are not supported")]
    CriticalExtension,
    /// [`Code::JwtUnencodedPayload`].
    #[error("header member b64 is not allowed in a JWT")]
    UnencodedPayload,
    /// [`Code::JwtEmbeddedKey`].
    #[error("header member {name} brings a key along")]
    EmbeddedKey {
        /// The member.
        name: &'static str,
    },
    /// [`Code::JwtWrongType`].
    #[error("another type of token than expected")]
    WrongType,
    /// [`Code::JwtUnknownKey`].
    #[error("kid is missing or names no known key")]
    UnknownKey,
    /// [`Code::JwtSignatureLength`].
    #[error("signature is not of the algorithm's length")]
    SignatureLength,
    /// [`Code::JwtBadSignature`].
    #[error("signature does not verify")]
    BadSignature,
    /// [`Code::JwtMissingClaim`].
    #[error("claim {name} is missing")]
    MissingClaim {
        /// The claim.
        name: &'static str,
    },
    /// [`Code::JwtInvalidClaim`].
    #[error("claim {name} is not {expected}")]
    InvalidClaim {
        /// The claim.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// [`Code::JwtExpired`].
    #[error("expired")]
    Expired,
    /// [`Code::JwtNotYetValid`].
    #[error("not valid yet")]
    NotYetValid,
    /// [`Code::JwtIssuedAhead`].
    #[error("issued in the future")]
    IssuedAhead,
    /// [`Code::JwtWrongIssuer`].
    #[error("another issuer than expected")]
    WrongIssuer,
    /// [`Code::JwtWrongAudience`].
    #[error("meant for somebody else")]
    WrongAudience,
    /// [`Code::JwkPrivate`].
    #[error("a private key where a public one belongs")]
    PrivateKey,
    /// A key that cannot be used.
    #[error(transparent)]
    Key(#[from] CryptoError),
}

impl JwtError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::JwtTooLarge,
            Self::NotCompact => Code::JwtNotCompact,
            Self::Encoding { .. } => Code::JwtEncoding,
            Self::MalformedJson { .. } => Code::JwtMalformedJson,
            Self::DuplicateMember { .. } => Code::JwtDuplicateMember,
            Self::InvalidHeader { .. } => Code::JwtInvalidHeader,
            Self::Unsigned => Code::JwtUnsigned,
            Self::AlgorithmNotAllowed => Code::JwtAlgorithmNotAllowed,
            Self::AlgorithmMismatch => Code::JwtAlgorithmMismatch,
            Self::CriticalExtension => Code::JwtCriticalExtension,
            Self::UnencodedPayload => Code::JwtUnencodedPayload,
            Self::EmbeddedKey { .. } => Code::JwtEmbeddedKey,
            Self::WrongType => Code::JwtWrongType,
            Self::UnknownKey => Code::JwtUnknownKey,
            Self::SignatureLength => Code::JwtSignatureLength,
            Self::BadSignature => Code::JwtBadSignature,
            Self::MissingClaim { .. } => Code::JwtMissingClaim,
            Self::InvalidClaim { .. } => Code::JwtInvalidClaim,
            Self::Expired => Code::JwtExpired,
            Self::NotYetValid => Code::JwtNotYetValid,
            Self::IssuedAhead => Code::JwtIssuedAhead,
            Self::WrongIssuer => Code::JwtWrongIssuer,
            Self::WrongAudience => Code::JwtWrongAudience,
            Self::PrivateKey => Code::JwkPrivate,
            Self::Key(error) => error.code(),
        }
    }
}
