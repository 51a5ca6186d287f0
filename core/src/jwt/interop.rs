//! The words of the `jsonwebtoken` crate, so that keys and algorithms pass between it and handfast. Nothing of its
//! cryptography is used.

use super::{Algorithm, JwtError, PublicKey, jwk};
use crate::crypto::CryptoError;

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::ES256,
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Rs384 => Self::RS384,
            Algorithm::Rs512 => Self::RS512,
        }
    }
}

impl TryFrom<jsonwebtoken::Algorithm> for Algorithm {
    type Error = JwtError;

    fn try_from(theirs: jsonwebtoken::Algorithm) -> Result<Self, JwtError> {
        let known = Self::ALL.into_iter().find(|ours| jsonwebtoken::Algorithm::from(*ours) == theirs);
        known.ok_or(JwtError::AlgorithmNotAllowed)
    }
}

/// As [`PublicKey::from_jwk`].
impl TryFrom<&jsonwebtoken::jwk::Jwk> for PublicKey {
    type Error = JwtError;

    fn try_from(theirs: &jsonwebtoken::jwk::Jwk) -> Result<Self, JwtError> {
        jwk::read(&serde_json::to_value(theirs).map_err(|_| CryptoError::UnusableKey)?)
    }
}

impl TryFrom<&PublicKey> for jsonwebtoken::jwk::Jwk {
    type Error = JwtError;

    fn try_from(ours: &PublicKey) -> Result<Self, JwtError> {
        serde_json::from_value(ours.to_jwk()).map_err(|_| CryptoError::UnusableKey.into())
    }
}
