//! Keys as Choria keeps them.

use std::{fmt, str::FromStr, sync::Arc};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x509_cert::{
    Certificate,
    der::{DecodePem as _, Document, Encode as _},
};

use super::ChoriaError;
use crate::{
    crypto::{Backend, point},
    jwt::{Algorithm, JwtError, PublicKey, Verifier},
    limits,
};

const UNUSABLE: ChoriaError = ChoriaError::UnusableKey {
    expected: "64 lower-case hexadecimal digits of an Ed25519 key, or an Ed25519 or RSA key or certificate in PEM",
};

/// An Ed25519 public key as Choria's tokens and files have it: 64 hexadecimal digits. Only lower-case ones are read, so
/// that a key has one spelling and a list of banned keys cannot be evaded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexKey([u8; 32]);

impl HexKey {
    /// The point.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn new(point: [u8; 32]) -> Self {
        Self(point)
    }

    pub(super) fn verifier(&self, backend: &dyn Backend) -> Result<Verifier, ChoriaError> {
        let key = PublicKey::ed25519(self.0).and_then(|key| key.verifier(backend));
        key.map_err(|error| JwtError::from(error).into())
    }
}

impl FromStr for HexKey {
    type Err = ChoriaError;

    fn from_str(text: &str) -> Result<Self, ChoriaError> {
        let point = fixed::<32>(text).ok_or(UNUSABLE)?;
        point::ed25519(&point).map_err(|_| UNUSABLE)?;
        Ok(Self(point))
    }
}

impl fmt::Display for HexKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for HexKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HexKey({self})")
    }
}

impl Serialize for HexKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HexKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::id::from_text(deserializer)
    }
}

/// Whom tokens are believed: the organisation's key, parsed once. An RSA key is one for RS256, RS384 and RS512, because
/// Choria's key files do not say which; it is never one for anything else.
#[derive(Clone, Debug)]
pub struct IssuerKey {
    pub(super) kind: Kind,
    pub(super) backend: Arc<dyn Backend>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Ed25519(HexKey, Verifier),
    Rsa([Verifier; 3]),
}

impl IssuerKey {
    /// Reads a key file: 64 hexadecimal digits of an Ed25519 key, or an Ed25519 or RSA key in PEM
    /// (`-----BEGIN PUBLIC KEY-----`) or in a PEM certificate. White space around it is ignored. A certificate is only where
    /// the key is kept: the operator vouches for it, so neither its validity nor who signed it matters, as in Choria.
    ///
    /// # Errors
    /// `choria_unusable_key`, also for RSA below [`limits::RSA_MIN_BITS`].
    pub fn read(text: &str, backend: Arc<dyn Backend>) -> Result<Self, ChoriaError> {
        let text = text.trim_ascii();
        if text.len() > limits::KEY_BYTES {
            return Err(UNUSABLE);
        }
        if !text.starts_with("-----BEGIN") {
            return Self::ed25519(text.parse()?, backend);
        }
        let spki = spki(text).ok_or(UNUSABLE)?;
        if let Some(key) = ed25519_of(&spki) {
            return Self::ed25519(key, backend);
        }
        let key = |algorithm| {
            let key = PublicKey::from_spki_der(&spki, algorithm);
            key.and_then(|key| key.verifier(backend.as_ref())).map_err(|_| UNUSABLE)
        };
        let keys = [key(Algorithm::Rs256)?, key(Algorithm::Rs384)?, key(Algorithm::Rs512)?];
        Ok(Self { kind: Kind::Rsa(keys), backend })
    }

    /// Takes an Ed25519 key.
    ///
    /// # Errors
    /// Never: a key that could be read can be used.
    pub fn ed25519(key: HexKey, backend: Arc<dyn Backend>) -> Result<Self, ChoriaError> {
        let verifier = key.verifier(backend.as_ref())?;
        Ok(Self { kind: Kind::Ed25519(key, verifier), backend })
    }

    /// The key, where it is an Ed25519 one: only those can be at the top of a chain.
    #[must_use]
    pub fn hex(&self) -> Option<&HexKey> {
        match &self.kind {
            Kind::Ed25519(key, _) => Some(key),
            Kind::Rsa(_) => None,
        }
    }

    /// The key for the algorithm that a token names, if it is one of this key's.
    pub(super) fn verifier(&self, algorithm: Algorithm) -> Result<&Verifier, JwtError> {
        let own = match &self.kind {
            Kind::Ed25519(_, key) => std::slice::from_ref(key),
            Kind::Rsa(keys) => keys.as_slice(),
        };
        own.iter().find(|key| key.algorithm() == algorithm).ok_or(JwtError::AlgorithmMismatch)
    }
}

/// The bytes of exactly as many lower-case hexadecimal digits.
pub(super) fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

fn spki(pem: &str) -> Option<Vec<u8>> {
    if pem.starts_with("-----BEGIN CERTIFICATE-----") {
        let certificate = Certificate::from_pem(pem).ok()?;
        return certificate.tbs_certificate().subject_public_key_info().to_der().ok();
    }
    match Document::from_pem(pem).ok()? {
        ("PUBLIC KEY", document) => Some(document.as_bytes().to_vec()),
        (_, _) => None,
    }
}

fn ed25519_of(spki: &[u8]) -> Option<HexKey> {
    PublicKey::from_spki_der(spki, Algorithm::EdDsa).ok()?.ed25519_point().map(HexKey)
}
