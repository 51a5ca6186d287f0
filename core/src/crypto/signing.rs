//! Private keys, whatever the backend.
//!
//! Signing is deterministic for both algorithms (RFC 6979, RFC 8032): the same claims signed twice have the same bytes, so
//! a retry after a lost reply is a repetition, and no signature needs entropy that a fresh machine may not have. Both
//! keys are wiped when dropped and print only `[redacted]`.

use std::fmt;

use ed25519_dalek::{Signer as _, pkcs8::KeypairBytes};
use p256::{
    elliptic_curve::Generate as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::CryptoError;
use crate::secret::{Secret, SecretKey};

/// A P-256 key that signs ES256 (RFC 7518 section 3.4).
#[derive(Clone)]
pub struct Es256Key(p256::ecdsa::SigningKey);

impl Es256Key {
    /// Draws a new key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(p256::ecdsa::SigningKey::generate_from_rng(rng))
    }

    /// Takes the private scalar, big-endian.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when it is zero or not below the order of the group.
    pub fn from_scalar(scalar: &SecretKey) -> Result<Self, CryptoError> {
        p256::ecdsa::SigningKey::from_slice(scalar.expose()).map(Self).map_err(|_| CryptoError::UnusableKey)
    }

    /// The public point, uncompressed: 4, then x and y in 32 bytes each.
    #[must_use]
    pub fn public(&self) -> [u8; 65] {
        let mut point = [0; 65];
        let encoded = self.0.verifying_key().to_sec1_point(false);
        point.iter_mut().zip(encoded.as_bytes()).for_each(|(to, from)| *to = *from);
        point
    }

    /// Signs with SHA-256; r and s in 32 bytes each.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        signature.to_bytes().into()
    }

    /// Reads a DER PrivateKeyInfo (RFC 5958).
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] for every other key, and where the public key inside is not the private one's.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, CryptoError> {
        p256::SecretKey::from_pkcs8_der(der).map(|key| Self(key.into())).map_err(|_| CryptoError::UnusableKey)
    }

    /// Writes PKCS#8 in PEM (RFC 5958, RFC 7468), as `openssl genpkey` does.
    ///
    /// # Errors
    /// Never: a key of this type always has an encoding.
    pub fn to_pkcs8_pem(&self) -> Result<Secret, CryptoError> {
        let pem = p256::SecretKey::from(&self.0).to_pkcs8_pem(LineEnding::LF);
        pem.map(into_secret).map_err(|_| CryptoError::UnusableKey)
    }
}

/// An Ed25519 key that signs EdDSA (RFC 8037).
#[derive(Clone)]
pub struct Ed25519Key(ed25519_dalek::SigningKey);

impl Ed25519Key {
    /// Draws a new key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// Takes the 32-byte private key of RFC 8032 section 5.1.5, the seed.
    #[must_use]
    pub fn from_seed(seed: &SecretKey) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// The seed, for a file of the holder's own.
    pub(crate) fn seed(&self) -> SecretKey {
        SecretKey::new(self.0.to_bytes())
    }

    /// The public point.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs; R and S in 32 bytes each.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Reads a DER PrivateKeyInfo (RFC 8410), with or without the public key.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] for every other key, and where the public key inside is not the private one's.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, CryptoError> {
        ed25519_dalek::SigningKey::from_pkcs8_der(der).map(Self).map_err(|_| CryptoError::UnusableKey)
    }

    /// Writes PKCS#8 in PEM, version 1 without the public key, as `openssl genpkey` does: older readers know no other.
    ///
    /// # Errors
    /// Never: a key of this type always has an encoding.
    pub fn to_pkcs8_pem(&self) -> Result<Secret, CryptoError> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        pem.map(into_secret).map_err(|_| CryptoError::UnusableKey)
    }
}

/// Turns an ECDSA signature in DER (RFC 3279 section 2.2.3), as TPMs, OpenSSL and cloud key services give it, into the fixed
/// form of r and s in 32 bytes each that JWTs have and [`VerifyingKey`](super::VerifyingKey) takes.
///
/// Strictly DER: a signature has one spelling. Long lengths, padded or negative numbers and trailing bytes are refused, and so
/// are r or s of zero or not below the order.
///
/// # Errors
/// [`CryptoError::BadSignature`].
pub fn es256_signature_from_der(der: &[u8]) -> Result<[u8; 64], CryptoError> {
    let signature = p256::ecdsa::Signature::from_der(der).map_err(|_| CryptoError::BadSignature)?;
    Ok(signature.to_bytes().into())
}

fn into_secret(mut pem: Zeroizing<String>) -> Secret {
    Secret::new(std::mem::take(&mut *pem))
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}
