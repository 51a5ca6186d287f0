//! Whom a trust domain trusts with what.

use x509_cert::{
    Certificate,
    der::{Decode as _, Encode as _},
    ext::pkix::BasicConstraints,
};

use super::{SpireError, key::Key};
use crate::limits;

/// An authority for X.509-SVIDs: a certificate that may sign certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509Authority {
    der: Vec<u8>,
    pub(super) key: Key,
}

impl X509Authority {
    /// Reads a certificate in DER.
    pub(super) fn read(der: &[u8]) -> Result<Self, SpireError> {
        let limit = limits::SPIFFE_CERTIFICATE_BYTES;
        if der.len() > limit {
            return Err(SpireError::TooLarge { limit });
        }
        let unusable = SpireError::unusable("not a certificate in DER");
        let certificate = Certificate::from_der(der).map_err(|_| unusable)?;
        let body = certificate.tbs_certificate();
        let constraints = body.get_extension::<BasicConstraints>().map_err(|_| unusable)?;
        if !constraints.is_some_and(|(_, constraints)| constraints.ca) {
            return Err(SpireError::unusable("a certificate that is no authority's"));
        }
        let spki = body.subject_public_key_info().to_der().map_err(|_| unusable)?;
        Ok(Self { der: der.to_vec(), key: Key::from_spki(&spki)? })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// An authority for JWT-SVIDs: a public key with the name that tokens know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtAuthority {
    key_id: String,
    pub(super) key: Key,
    spki: Vec<u8>,
}

impl JwtAuthority {
    pub(super) fn new(key_id: &str, key: Key) -> Result<Self, SpireError> {
        let valid = (1..=limits::KID_BYTES).contains(&key_id.len()) && !key_id.chars().any(char::is_control);
        if !valid {
            return Err(SpireError::unusable("a key id is empty, too long or not plain text"));
        }
        let spki = key.to_spki()?;
        Ok(Self { key_id: key_id.to_owned(), key, spki })
    }

    /// The `kid` of tokens that it signs.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key, a DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.spki
    }
}
