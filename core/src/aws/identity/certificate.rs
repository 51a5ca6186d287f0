//! The keys that sign identity documents, as the host vouches for them.

use std::sync::Arc;

use x509_cert::{
    Certificate,
    der::{DecodePem, Encode},
    time::Time,
};

use crate::{
    crypto::{Backend, RsaDigest, RsaPublicKey},
    limits,
    time::Timestamp,
};

/// A certificate's key and the time in which it may be used.
#[derive(Debug)]
pub(super) struct SigningKey {
    key: Arc<dyn RsaPublicKey>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl SigningKey {
    /// Reads one PEM certificate. It is pinned, so that neither its name, its usages nor who signed it matter: AWS's own
    /// are self-signed and call themselves authorities.
    pub(super) fn read(pem: &str, legacy: bool, backend: &dyn Backend) -> Result<Self, &'static str> {
        if pem.len() > limits::AWS_IDENTITY_CERTIFICATE_BYTES {
            return Err("is too large");
        }
        let certificate = Certificate::from_pem(pem).map_err(|_| "is not one certificate in PEM")?;
        let body = certificate.tbs_certificate();
        let spki = body.subject_public_key_info().to_der().map_err(|_| "has no public key")?;
        let key = backend
            .rsa_public_key(&spki)
            .map_err(|_| "has no RSA key of 1024 to 8192 bits; those for `pkcs7` have DSA keys")?;
        if key.bits() < limits::RSA_MIN_BITS && !legacy {
            return Err("has an RSA key below 2048 bits, which needs the legacy switch");
        }
        if key.exponent() < limits::RSA_MIN_EXPONENT {
            return Err("has an RSA exponent below 65537");
        }
        let instant = |time| timestamp(time).ok_or("has a time out of range");
        let validity = body.validity();
        Ok(Self { key, not_before: instant(validity.not_before)?, not_after: instant(validity.not_after)? })
    }

    /// Whether it is valid at this time. The end is a whole second and belongs to it (RFC 5280 section 4.1.2.5).
    pub(super) fn is_valid(&self, at: Timestamp) -> bool {
        at >= self.not_before && at < self.not_after.plus_seconds(1)
    }

    /// Whether it signed these bytes, with RSASSA-PKCS1-v1_5 and SHA-256.
    pub(super) fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        self.key.verify(RsaDigest::Sha256, bytes, signature).is_ok()
    }
}

fn timestamp(time: Time) -> Option<Timestamp> {
    i64::try_from(time.to_unix_duration().as_millis()).ok().and_then(Timestamp::from_unix_millis)
}
