//! The signature algorithms that handfast knows. `none` and everything with a symmetric key are not among them.

use std::{fmt, str::FromStr};

use super::JwtError;
use crate::crypto::RsaDigest;

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256: the default of a node's key.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256. The RSA ones are only verified, never made.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Es256, Self::EdDsa, Self::Rs256, Self::Rs384, Self::Rs512];

    /// The name as it stands in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// The digest of an RSA algorithm; `None` for the others.
    pub(super) const fn rsa_digest(self) -> Option<RsaDigest> {
        match self {
            Self::Es256 | Self::EdDsa => None,
            Self::Rs256 => Some(RsaDigest::Sha256),
            Self::Rs384 => Some(RsaDigest::Sha384),
            Self::Rs512 => Some(RsaDigest::Sha512),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = JwtError;

    fn from_str(text: &str) -> Result<Self, JwtError> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text);
        known.ok_or(if text.eq_ignore_ascii_case("none") {
            JwtError::Unsigned
        } else {
            JwtError::AlgorithmNotAllowed
        })
    }
}

/// The name of an algorithm, whether it is known here or not: only for saying what a token claims to be signed with.
pub(crate) struct AlgorithmName(pub(crate) &'static str);

/// The other signatures and MACs in IANA's registry (<https://www.iana.org/assignments/jose>).
const OTHERS: [&str; 11] =
    ["HS256", "HS384", "HS512", "ES384", "ES512", "ES256K", "PS256", "PS384", "PS512", "Ed25519", "Ed448"];

impl FromStr for AlgorithmName {
    type Err = JwtError;

    fn from_str(text: &str) -> Result<Self, JwtError> {
        match OTHERS.into_iter().find(|other| *other == text) {
            Some(other) => Ok(Self(other)),
            None => text.parse().map(|known: Algorithm| Self(known.as_str())),
        }
    }
}
