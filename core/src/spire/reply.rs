//! What `GetBundle` answers.

use serde::Deserialize;

use super::{Bundle, SpireError, TrustDomain, protojson};
use crate::time::Timestamp;

/// A `spire.api.types.Bundle`, field by field; read as protobuf libraries write it in JSON, with the names of the proto or in
/// lowerCamelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BundleReply {
    /// Whose bundle it is.
    #[serde(alias = "trustDomain")]
    pub trust_domain: String,
    /// The authorities for X.509-SVIDs.
    #[serde(alias = "x509Authorities")]
    pub x509_authorities: Vec<X509Certificate>,
    /// The authorities for JWT-SVIDs.
    #[serde(alias = "jwtAuthorities")]
    pub jwt_authorities: Vec<JwtKey>,
    /// Seconds; none for 0.
    #[serde(alias = "refreshHint", deserialize_with = "protojson::integer")]
    pub refresh_hint: i64,
    /// Rises with each change.
    #[serde(alias = "sequenceNumber", deserialize_with = "protojson::integer")]
    pub sequence_number: u64,
}

/// A `spire.api.types.X509Certificate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct X509Certificate {
    /// The certificate in DER.
    #[serde(deserialize_with = "protojson::bytes")]
    pub asn1: Vec<u8>,
    /// No longer secure.
    pub tainted: bool,
}

/// A `spire.api.types.JWTKey`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct JwtKey {
    /// A DER SubjectPublicKeyInfo.
    #[serde(alias = "publicKey", deserialize_with = "protojson::bytes")]
    pub public_key: Vec<u8>,
    /// The `kid`.
    #[serde(alias = "keyId")]
    pub key_id: String,
    /// Seconds of the Unix epoch; never for 0.
    #[serde(alias = "expiresAt", deserialize_with = "protojson::integer")]
    pub expires_at: i64,
    /// No longer secure.
    pub tainted: bool,
}

impl BundleReply {
    /// The bundle of the trust domain that was asked for, without authorities that are tainted or expired.
    ///
    /// # Errors
    /// `spire_malformed_bundle`, also for another trust domain's; `spire_unusable_authority`.
    pub fn into_bundle(self, trust_domain: TrustDomain, now: Timestamp) -> Result<Bundle, SpireError> {
        if self.trust_domain != trust_domain.as_str() {
            return Err(SpireError::malformed("of another trust domain"));
        }
        let mut bundle = Bundle::new(trust_domain).with_sequence(self.sequence_number)?;
        for certificate in self.x509_authorities.iter().filter(|certificate| !certificate.tainted) {
            bundle = bundle.with_x509_authority(&certificate.asn1)?;
        }
        let seconds = now.unix_millis().div_euclid(1000);
        let lives = |key: &&JwtKey| !key.tainted && (key.expires_at == 0 || seconds < key.expires_at);
        for key in self.jwt_authorities.iter().filter(lives) {
            bundle = bundle.with_jwt_authority(&key.key_id, &key.public_key)?;
        }
        match u32::try_from(self.refresh_hint) {
            Ok(0) => Ok(bundle),
            Ok(seconds) => Ok(bundle.with_refresh_hint_seconds(seconds)),
            Err(_) => Err(SpireError::malformed("refresh_hint is out of range")),
        }
    }
}
