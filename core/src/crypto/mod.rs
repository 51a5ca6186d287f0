//! The handful of cryptographic primitives that handfast needs, behind one small interface.
//!
//! A backend is an instance that travels in the configuration, never a process global: two libraries in one
//! process may choose differently. Keys are parsed once and kept. Both backends may be compiled in; the tests
//! then hold them against each other.

#[cfg(feature = "aws-lc")]
mod aws_lc;
pub(crate) mod point;
pub(crate) mod rsa_key;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;
mod signing;

use std::{fmt, sync::Arc};

use crate::{code::Code, secret::SecretKey};

#[cfg(feature = "aws-lc")]
pub use aws_lc::AwsLc;
#[cfg(feature = "rust-crypto")]
pub use rust_crypto::RustCrypto;
pub use signing::{Ed25519Key, Es256Key, es256_signature_from_der};

/// The backend to use where nobody has a reason to choose: aws-lc where it is compiled in, else pure Rust.
#[cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#[must_use]
pub fn default_backend() -> Arc<dyn Backend> {
    #[cfg(feature = "aws-lc")]
    {
        Arc::new(AwsLc)
    }
    #[cfg(not(feature = "aws-lc"))]
    {
        Arc::new(RustCrypto)
    }
}

/// Why a primitive refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The key is not of the expected kind, is outside the size limits, or is wrongly encoded.
    #[error("unusable key")]
    UnusableKey,
    /// The signature does not verify.
    #[error("signature does not verify")]
    BadSignature,
    /// The ciphertext was not made with this key, nonce and associated data.
    #[error("sealed data does not open")]
    SealBroken,
}

impl CryptoError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::UnusableKey => Code::UnusableKey,
            Self::BadSignature => Code::BadSignature,
            Self::SealBroken => Code::SealBroken,
        }
    }
}

/// The digest under an RSASSA-PKCS1-v1_5 signature (RFC 8017 section 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RsaDigest {
    /// SHA-1: only for SNS signature version 1, where AWS still uses it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// An RSA public key, parsed once.
pub trait RsaPublicKey: fmt::Debug + Send + Sync {
    /// The modulus length in bits.
    fn bits(&self) -> usize;

    /// The public exponent.
    fn exponent(&self) -> u64;

    /// Verifies an RSASSA-PKCS1-v1_5 signature; its length must be that of the modulus. Moduli below
    /// [`crate::limits::RSA_MIN_BITS`] verify SHA-1 and SHA-256 only.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`], whatever was wrong with it.
    fn verify(&self, digest: RsaDigest, message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
}

/// A public key of one signature algorithm that has no options: ES256 or Ed25519. Parsed once.
pub trait VerifyingKey: fmt::Debug + Send + Sync {
    /// Verifies a signature of exactly 64 bytes.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`], whatever was wrong with it.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
}

/// What a backend provides.
pub trait Backend: fmt::Debug + Send + Sync {
    /// A short name for diagnostics, for example `aws-lc`.
    fn name(&self) -> &'static str;

    /// SHA-256 (FIPS 180-4).
    fn sha256(&self, message: &[u8]) -> [u8; 32];

    /// HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32];

    /// Parses an RSA key from a DER SubjectPublicKeyInfo. Odd moduli of [`crate::limits::RSA_LEGACY_MIN_BITS`] to
    /// [`crate::limits::RSA_MAX_BITS`] with an odd exponent from 3 to [`crate::limits::RSA_MAX_EXPONENT`] are
    /// accepted here; whether a short modulus or a small exponent is allowed is the caller's policy.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`].
    fn rsa_public_key(&self, spki: &[u8]) -> Result<Arc<dyn RsaPublicKey>, CryptoError>;

    /// Takes an uncompressed P-256 point for ECDSA with SHA-256 over fixed-length r and s (RFC 7518 section 3.4). DER
    /// signatures do not verify; r or s of zero, or not below the order, neither.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when it is not a point of the curve.
    fn es256_public_key(&self, point: &[u8; 65]) -> Result<Arc<dyn VerifyingKey>, CryptoError>;

    /// Takes an Ed25519 point (RFC 8032 section 5.1.5). Signatures whose S is not reduced do not verify.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when it is not a point of the curve, is of small order, or is not in its one
    /// canonical encoding.
    fn ed25519_public_key(&self, point: &[u8; 32]) -> Result<Arc<dyn VerifyingKey>, CryptoError>;

    /// AES-256-GCM (NIST SP 800-38D): the ciphertext followed by its 16-byte tag. A nonce must never repeat under a key.
    ///
    /// # Errors
    /// [`CryptoError::SealBroken`] when the plaintext is longer than the mode allows.
    fn seal(
        &self,
        key: &SecretKey,
        nonce: &[u8; 12],
        associated: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, CryptoError>;

    /// Opens what [`Backend::seal`] made.
    ///
    /// # Errors
    /// [`CryptoError::SealBroken`].
    fn open(
        &self,
        key: &SecretKey,
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError>;
}
