//! Public keys, each one value with its algorithm.

use std::{fmt, sync::Arc};

use serde_json::Value;
use x509_cert::{
    der::{Decode as _, Document, oid::ObjectIdentifier},
    spki::SubjectPublicKeyInfoRef,
};

use super::{Algorithm, JwtError, Thumbprint, jwk};
use crate::{
    crypto::{Backend, CryptoError, RsaDigest, RsaPublicKey, VerifyingKey, point, rsa_key},
    json, limits,
};

/// id-ecPublicKey (RFC 5480 section 2.1.1) with secp256r1, and id-Ed25519 (RFC 8410 section 3).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A public key for exactly one algorithm. A point is known to lie on its curve and not to be weak; RSA moduli have
/// [`limits::RSA_MIN_BITS`] to [`limits::RSA_MAX_BITS`] and an exponent of [`limits::RSA_MIN_EXPONENT`] or more, and are not of
/// those that can be factored since ROCA (CVE-2017-15361).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(pub(super) Material);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Material {
    /// An uncompressed P-256 point.
    Es256([u8; 65]),
    /// An Ed25519 point.
    EdDsa([u8; 32]),
    /// A DER SubjectPublicKeyInfo.
    Rsa(Algorithm, Arc<[u8]>),
}

impl PublicKey {
    /// Takes an uncompressed P-256 point.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`].
    pub fn es256(point: [u8; 65]) -> Result<Self, CryptoError> {
        point::p256(&point)?;
        Ok(Self(Material::Es256(point)))
    }

    /// Takes an Ed25519 point.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`].
    pub fn ed25519(point: [u8; 32]) -> Result<Self, CryptoError> {
        point::ed25519(&point)?;
        Ok(Self(Material::EdDsa(point)))
    }

    /// Reads a JSON Web Key (RFC 7517). An RSA key must name its `alg`; the others imply it. A key with `use` or `key_ops` must be
    /// one for signatures.
    ///
    /// # Errors
    /// [`JwtError::PrivateKey`] when private members are there; [`JwtError::AlgorithmMismatch`];
    /// [`CryptoError::UnusableKey`] for everything else, JSON that is not strict among it.
    pub fn from_jwk(text: &str) -> Result<Self, JwtError> {
        let value = json::parse(text.as_bytes(), limits::KEY_BYTES).map_err(|_| CryptoError::UnusableKey)?;
        jwk::read(&value)
    }

    /// Reads a SubjectPublicKeyInfo in PEM (`-----BEGIN PUBLIC KEY-----`, RFC 7468 section 13), for this algorithm.
    ///
    /// # Errors
    /// As [`PublicKey::from_spki_der`].
    pub fn from_spki_pem(pem: &str, algorithm: Algorithm) -> Result<Self, CryptoError> {
        if pem.len() > limits::KEY_BYTES {
            return Err(CryptoError::UnusableKey);
        }
        match Document::from_pem(pem) {
            Ok(("PUBLIC KEY", document)) => Self::from_spki_der(document.as_bytes(), algorithm),
            Ok(_) | Err(_) => Err(CryptoError::UnusableKey),
        }
    }

    /// Reads a DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), for this algorithm.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when it is no key, or not one of this algorithm.
    pub fn from_spki_der(der: &[u8], algorithm: Algorithm) -> Result<Self, CryptoError> {
        let unusable = CryptoError::UnusableKey;
        match algorithm {
            Algorithm::Es256 => Self::es256(spki_point(der, EC_PUBLIC_KEY, Some(SECP256R1)).ok_or(unusable)?),
            Algorithm::EdDsa => Self::ed25519(spki_point(der, ED25519, None).ok_or(unusable)?),
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => {
                let key = rsa_key::Components::from_spki(der)?;
                if key.bits < limits::RSA_MIN_BITS || key.exponent < limits::RSA_MIN_EXPONENT {
                    return Err(unusable);
                }
                Ok(Self(Material::Rsa(algorithm, der.into())))
            }
        }
    }

    /// The one algorithm that the key is for.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Material::Es256(_) => Algorithm::Es256,
            Material::EdDsa(_) => Algorithm::EdDsa,
            Material::Rsa(algorithm, _) => *algorithm,
        }
    }

    /// The point of an Ed25519 key.
    pub(crate) fn ed25519_point(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Material::EdDsa(point) => Some(*point),
            Material::Es256(_) | Material::Rsa(_, _) => None,
        }
    }

    /// The key as a JSON Web Key, without `kid` and `use`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        Value::Object(jwk::write(self))
    }

    /// The key's name that follows from the key alone (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&Value::Object(jwk::required(self)))
    }

    /// Parses the key for verifying with a backend.
    ///
    /// # Errors
    /// [`CryptoError::UnusableKey`] when the backend does not take it, which none does to a key that could be built.
    pub fn verifier(&self, backend: &dyn Backend) -> Result<Verifier, CryptoError> {
        let parsed = match &self.0 {
            Material::Es256(point) => Parsed::Curve(backend.es256_public_key(point)?),
            Material::EdDsa(point) => Parsed::Curve(backend.ed25519_public_key(point)?),
            Material::Rsa(algorithm, spki) => {
                let digest = algorithm.rsa_digest().ok_or(CryptoError::UnusableKey)?;
                Parsed::Rsa(backend.rsa_public_key(spki)?, digest)
            }
        };
        Ok(Verifier { algorithm: self.algorithm(), parsed })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({}, {})", self.algorithm(), self.thumbprint())
    }
}

/// A public key, parsed by a backend.
#[derive(Clone, Debug)]
pub struct Verifier {
    algorithm: Algorithm,
    parsed: Parsed,
}

#[derive(Clone, Debug)]
enum Parsed {
    Curve(Arc<dyn VerifyingKey>),
    Rsa(Arc<dyn RsaPublicKey>, RsaDigest),
}

impl Verifier {
    /// The one algorithm that the key is for.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Verifies a bare signature.
    ///
    /// # Errors
    /// [`JwtError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JwtError> {
        let verified = match &self.parsed {
            Parsed::Curve(key) => key.verify(message, signature),
            Parsed::Rsa(key, digest) => key.verify(*digest, message, signature),
        };
        verified.map_err(|_| JwtError::BadSignature)
    }

    /// How long a signature is.
    pub(super) fn signature_bytes(&self) -> usize {
        match &self.parsed {
            Parsed::Curve(_) => 64,
            Parsed::Rsa(key, _) => key.bits().div_ceil(8),
        }
    }
}

/// The point of a key whose algorithm identifier is exactly this.
fn spki_point<const N: usize>(
    der: &[u8],
    algorithm: ObjectIdentifier,
    parameters: Option<ObjectIdentifier>,
) -> Option<[u8; N]> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let found = match info.algorithm.parameters {
        None => None,
        Some(any) => Some(any.decode_as::<ObjectIdentifier>().ok()?),
    };
    let matches = info.algorithm.oid == algorithm && found == parameters;
    matches.then(|| info.subject_public_key.as_bytes()?.try_into().ok()).flatten()
}
