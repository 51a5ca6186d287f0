//! Private keys of nodes and hosts.

use std::fmt;

use p256::pkcs8::{PrivateKeyInfoRef, SecretDocument};
use rand_core::CryptoRng;

use super::{Algorithm, PublicKey, key::Material};
use crate::{
    crypto::{CryptoError, Ed25519Key, Es256Key},
    limits,
    secret::Secret,
};

/// A private key for ES256 or EdDSA; wiped when dropped, never printed. What it signs is deterministic.
#[derive(Clone)]
pub struct SigningKey(Kind);

#[derive(Clone)]
enum Kind {
    Es256(Es256Key),
    EdDsa(Ed25519Key),
}

impl SigningKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] for the RSA algorithms, which handfast only verifies.
    pub fn generate(algorithm: Algorithm, rng: &mut dyn CryptoRng) -> Result<Self, CryptoError> {
        match algorithm {
            Algorithm::Es256 => Ok(Es256Key::generate(rng).into()),
            Algorithm::EdDsa => Ok(Ed25519Key::generate(rng).into()),
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => Err(CryptoError::UnusableKey),
        }
    }

    /// Reads an unencrypted P-256 or Ed25519 key in PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`, RFC 5958), as
    /// `openssl genpkey` writes it.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`], whatever is wrong with it.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, CryptoError> {
        if pem.len() > limits::KEY_BYTES {
            return Err(CryptoError::UnusableKey);
        }
        let Ok(("PRIVATE KEY", document)) = SecretDocument::from_pem(pem) else {
            return Err(CryptoError::UnusableKey);
        };
        let der = document.as_bytes();
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| CryptoError::UnusableKey)?;
        if info.algorithm == ed25519_dalek::pkcs8::ALGORITHM_ID {
            Ed25519Key::from_pkcs8_der(der).map(Self::from)
        } else {
            Es256Key::from_pkcs8_der(der).map(Self::from)
        }
    }

    /// Writes the key as [`SigningKey::from_pkcs8_pem`] reads it.
    ///
    /// # Errors
    /// Never: a key of this type always has an encoding.
    pub fn to_pkcs8_pem(&self) -> Result<Secret, CryptoError> {
        match &self.0 {
            Kind::Es256(key) => key.to_pkcs8_pem(),
            Kind::EdDsa(key) => key.to_pkcs8_pem(),
        }
    }

    /// The one algorithm that the key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Kind::Es256(_) => Algorithm::Es256,
            Kind::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Kind::Es256(key) => Material::Es256(key.public()),
            Kind::EdDsa(key) => Material::EdDsa(key.public()),
        })
    }

    /// Signs bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        match &self.0 {
            Kind::Es256(key) => key.sign(message),
            Kind::EdDsa(key) => key.sign(message),
        }
    }
}

impl From<Es256Key> for SigningKey {
    fn from(key: Es256Key) -> Self {
        Self(Kind::Es256(key))
    }
}

impl From<Ed25519Key> for SigningKey {
    fn from(key: Ed25519Key) -> Self {
        Self(Kind::EdDsa(key))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({}, [redacted])", self.algorithm())
    }
}
