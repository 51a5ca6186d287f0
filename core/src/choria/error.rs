//! Why a token, a key or a helper's document of Choria was not accepted.

use super::Purpose;
use crate::{code::Code, jwt::JwtError};

/// What is wrong. No message repeats anything of the token: it may be a secret, or a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChoriaError {
    /// What is wrong with every JWT of this form; the code is that of the [`JwtError`].
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// [`Code::ChoriaUnknownPurpose`].
    #[error("neither purpose nor sub names a kind of Choria token")]
    UnknownPurpose,
    /// [`Code::ChoriaWrongPurpose`].
    #[error("expected a {expected} token")]
    WrongPurpose {
        /// The kind that was wanted.
        expected: Purpose,
    },
    /// [`Code::ChoriaInvalidClaim`].
    #[error("claim {claim} is not {expected}")]
    InvalidClaim {
        /// The claim, by Choria's name.
        claim: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// [`Code::ChoriaNoToken`].
    #[error("no provisioning secret (cht)")]
    NoToken,
    /// [`Code::ChoriaNoBroker`].
    #[error("no SRV domain (chsrv) and no URLs (chu)")]
    NoBroker,
    /// [`Code::ChoriaTwoBrokers`].
    #[error("both an SRV domain (chsrv) and URLs (chu)")]
    TwoBrokers,
    /// [`Code::ChoriaBrokenChain`].
    #[error("the chain of trust is broken: {what}")]
    BrokenChain {
        /// Where.
        what: &'static str,
    },
    /// [`Code::ChoriaUnusableKey`].
    #[error("expected {expected}")]
    UnusableKey {
        /// The forms that are read.
        expected: &'static str,
    },
    /// [`Code::ChoriaNotAnIssuer`].
    #[error("not to be issued by this issuer: {what}")]
    NotAnIssuer {
        /// Why.
        what: &'static str,
    },
    /// [`Code::ChoriaValidity`].
    #[error("invalid time of expiry: {what}")]
    Validity {
        /// Why.
        what: &'static str,
    },
    /// [`Code::ChoriaMalformedHelper`].
    #[error("malformed helper document: {what}")]
    MalformedHelper {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ChoriaError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Jwt(error) => error.code(),
            Self::UnknownPurpose => Code::ChoriaUnknownPurpose,
            Self::WrongPurpose { .. } => Code::ChoriaWrongPurpose,
            Self::InvalidClaim { .. } => Code::ChoriaInvalidClaim,
            Self::NoToken => Code::ChoriaNoToken,
            Self::NoBroker => Code::ChoriaNoBroker,
            Self::TwoBrokers => Code::ChoriaTwoBrokers,
            Self::BrokenChain { .. } => Code::ChoriaBrokenChain,
            Self::UnusableKey { .. } => Code::ChoriaUnusableKey,
            Self::NotAnIssuer { .. } => Code::ChoriaNotAnIssuer,
            Self::Validity { .. } => Code::ChoriaValidity,
            Self::MalformedHelper { .. } => Code::ChoriaMalformedHelper,
        }
    }
}
