//! Trust bundles: the authorities of one trust domain, and their PEM.

use x509_cert::der::{Document, pem::LineEnding};

use super::{JwtAuthority, SpireError, TrustDomain, X509Authority, key::Key};
use crate::limits;

/// The authorities of one trust domain: whoever signs with one of their keys can be any workload in it.
///
/// Nothing in a bundle proves itself, not even whose it is: the trust domain comes from the configuration of whoever
/// reads it, and the text from a channel that is trusted for this very domain (SPIFFE Trust Domain and Bundle, section
/// 3, <https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Trust_Domain_and_Bundle.md>).
///
/// Refused: a certificate that is no authority's, weak or unknown keys, the same authority or key id twice, private
/// keys, a JWK that says another key than its certificate. Ignored, as the standard demands: keys of a `use` or `kty`
/// that is not known, and other members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    trust_domain: TrustDomain,
    x509_authorities: Vec<X509Authority>,
    jwt_authorities: Vec<JwtAuthority>,
    sequence: Option<u64>,
    refresh_hint_seconds: Option<u32>,
}

const CERTIFICATE: &str = "CERTIFICATE";

impl Bundle {
    /// A bundle without authorities: nobody is anybody in this trust domain.
    #[must_use]
    pub fn new(trust_domain: TrustDomain) -> Self {
        let (x509_authorities, jwt_authorities) = (Vec::new(), Vec::new());
        Self { trust_domain, x509_authorities, jwt_authorities, sequence: None, refresh_hint_seconds: None }
    }

    /// Reads certificates in PEM, one after the other and nothing between them but blank lines, as SPIRE's agents take
    /// their bootstrap bundle. There is at least one.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_pem(trust_domain: TrustDomain, text: &str) -> Result<Self, SpireError> {
        check_size(text)?;
        let (header, footer) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        let mut bundle = Self::new(trust_domain);
        let mut rest = text.trim_ascii();
        while !rest.is_empty() {
            let end = rest.find(footer).map_or(rest.len(), |at| at.saturating_add(footer.len()));
            let (block, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            match Document::from_pem(block) {
                Ok((CERTIFICATE, document)) if block.starts_with(header) => {
                    bundle = bundle.with_x509_authority(document.as_bytes())?
                }
                Ok(_) | Err(_) => return Err(SpireError::malformed("not certificates in PEM, or more")),
            }
            rest = after.trim_ascii_start();
        }
        if bundle.x509_authorities.is_empty() {
            return Err(SpireError::malformed("no certificate in it"));
        }
        Ok(bundle)
    }

    /// Adds an authority for X.509-SVIDs, a certificate in DER.
    ///
    /// # Errors
    /// `spire_unusable_authority`; `too_large` beyond [`limits::SPIFFE_CERTIFICATE_BYTES`]; `spire_malformed_bundle` when it
    /// is there already, or with more than [`limits::SPIFFE_AUTHORITIES`].
    pub fn with_x509_authority(mut self, der: &[u8]) -> Result<Self, SpireError> {
        let authority = X509Authority::read(der)?;
        if self.x509_authorities.contains(&authority) {
            return Err(SpireError::malformed("the same certificate twice"));
        }
        if self.x509_authorities.len() >= limits::SPIFFE_AUTHORITIES {
            return Err(SpireError::malformed("too many authorities"));
        }
        self.x509_authorities.push(authority);
        Ok(self)
    }

    /// Adds an authority for JWT-SVIDs, a DER SubjectPublicKeyInfo with its `kid`.
    ///
    /// # Errors
    /// As [`Self::with_x509_authority`]; a `kid` has 1 to [`limits::KID_BYTES`] bytes without control characters.
    pub fn with_jwt_authority(self, key_id: &str, spki: &[u8]) -> Result<Self, SpireError> {
        self.with_jwt_key(key_id, Key::from_spki(spki)?)
    }

    pub(super) fn with_jwt_key(mut self, key_id: &str, key: Key) -> Result<Self, SpireError> {
        let authority = JwtAuthority::new(key_id, key)?;
        if self.jwt_authorities.iter().any(|other| other.key_id() == key_id) {
            return Err(SpireError::malformed("the same key id twice"));
        }
        if self.jwt_authorities.len() >= limits::SPIFFE_AUTHORITIES {
            return Err(SpireError::malformed("too many authorities"));
        }
        self.jwt_authorities.push(authority);
        Ok(self)
    }

    /// Sets the number that rises with each change, at most [`limits::JSON_INTEGER_MAX`], up to which all readers of JSON
    /// agree (RFC 8259 section 6).
    ///
    /// # Errors
    /// `spire_malformed_bundle`.
    pub fn with_sequence(self, sequence: u64) -> Result<Self, SpireError> {
        if sequence > limits::JSON_INTEGER_MAX {
            return Err(SpireError::malformed("spiffe_sequence is out of range"));
        }
        Ok(Self { sequence: Some(sequence), ..self })
    }

    /// Sets how often readers should look for a newer one.
    #[must_use]
    pub fn with_refresh_hint_seconds(self, seconds: u32) -> Self {
        Self { refresh_hint_seconds: Some(seconds), ..self }
    }

    /// The trust domain that it was read for.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The authorities for X.509-SVIDs, in their order.
    #[must_use]
    pub fn x509_authorities(&self) -> &[X509Authority] {
        &self.x509_authorities
    }

    /// The authorities for JWT-SVIDs, in their order.
    #[must_use]
    pub fn jwt_authorities(&self) -> &[JwtAuthority] {
        &self.jwt_authorities
    }

    /// Rises with each change.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// How often readers should look for a newer one, in seconds.
    #[must_use]
    pub fn refresh_hint_seconds(&self) -> Option<u32> {
        self.refresh_hint_seconds
    }

    /// The certificates in PEM, for an agent's `trust_bundle_path`. What else is in the bundle has no place there.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let pem = |authority: &X509Authority| {
            Document::try_from(authority.der())
                .and_then(|document| document.to_pem(CERTIFICATE, LineEnding::LF))
                .unwrap_or_default()
        };
        self.x509_authorities.iter().map(pem).collect()
    }
}

pub(super) fn check_size(text: &str) -> Result<(), SpireError> {
    let limit = limits::SPIFFE_BUNDLE_BYTES;
    if text.len() > limit { Err(SpireError::TooLarge { limit }) } else { Ok(()) }
}
