//! Instance identity documents: AWS's own signed word on what an EC2 instance is (EC2 User Guide, "Instance identity
//! documents").
//!
//! ```text
//! metadata service of the instance          host                          handfast
//! /latest/dynamic/instance-identity/
//!   rsa2048                   --------> pkcs7                  --verify--> Verified<InstanceIdentity>
//!   document + signature      --------> document, signature    --verify-->
//! ```
//!
//! Three forms exist. `rsa2048` is the one to use: PKCS#7 with RSA-2048 and SHA-256, the document inside. `signature` is
//! RSA with SHA-256 over the document, but in every region with keys of 1024 bits, which can be broken: only behind
//! [`IdentityTrust::legacy_rsa_1024`]. `pkcs7` is DSA with SHA-1 and is refused.
//!
//! What it proves, and to whom. Every process on the instance can read the document, without privilege; so can whoever
//! makes a program on it fetch a URL (request forgery), and whoever was sent it once. It names no audience, so
//! that a service that is shown one can show it to another. And it never expires. Whoever has seen it can replay it
//! for as long as the instance lives, and after. Therefore it is a proof only together with
//!
//! - freshness: the instance was started a short time ago ([`IdentityTrust::max_age_seconds`]), and
//! - first use: the instance has not been enrolled with this start before. The caller sees to that; handfast's registrar
//!   does,
//!
//! and better still with the address that the request came from, or with `DescribeInstances`. An attacker who reads the
//! document before the instance itself has used it still wins the race: give an image that enrols at boot no
//! process that listens before.
//!
//! Every customer of AWS gets such documents, signed by the same keys: the account is what makes one ours, so there is no
//! trust without accounts. Certificates come from the host, by region (EC2 User Guide, "AWS public certificates for
//! instance identity document signatures"); one that the message brings along is never looked at. Several regions share
//! keys, so the region is the one that the signed document names, not the one whose certificate fits.

mod ber;
mod certificate;
mod document;
mod error;
mod pkcs7;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use self::{certificate::SigningKey, pkcs7::SignedData};
pub use self::{document::InstanceIdentity, error::IdentityError};
use super::{AccountId, Region};
use crate::{
    crypto::Backend,
    limits,
    time::{Now, Timestamp},
    verified::Verified,
};

/// Which identity documents are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IdentityTrust {
    /// AWS's certificates in PEM, by region: those that it publishes for the RSA-2048 form. Several for a region while AWS
    /// replaces one; at most [`limits::AWS_IDENTITY_CERTIFICATES`].
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, Vec<String>>"))]
    pub certificates: BTreeMap<Region, Vec<String>>,
    /// The accounts whose instances are believed. At least one: every customer of AWS gets authentic documents.
    pub accounts: BTreeSet<AccountId>,
    /// The regions whose instances are believed. Empty: every region that has a certificate.
    #[serde(default)]
    pub regions: BTreeSet<Region>,
    /// Seconds since the instance was started, 900 by default. As short as the slowest boot allows: within
    /// them, whoever has seen the document can use it. From [`limits::AWS_IDENTITY_MAX_AGE_MIN_SECONDS`] to
    /// [`limits::WINDOW_MAX_SECONDS`].
    #[serde(default = "default_max_age")]
    pub max_age_seconds: u32,
    /// Accept certificates with RSA-1024 keys, as the plain `signature` has in every region. Such keys can be broken.
    #[serde(default)]
    pub legacy_rsa_1024: bool,
}

impl IdentityTrust {
    /// Trust in instances of these accounts, with a certificate for one region and defaults for the rest.
    #[must_use]
    pub fn new(accounts: impl IntoIterator<Item = AccountId>, region: Region, certificate: String) -> Self {
        Self {
            certificates: BTreeMap::from([(region, vec![certificate])]),
            accounts: accounts.into_iter().collect(),
            regions: BTreeSet::new(),
            max_age_seconds: default_max_age(),
            legacy_rsa_1024: false,
        }
    }

    fn check(&self) -> Result<(), IdentityError> {
        let wrong = |reason: String| Err(IdentityError::Trust { reason });
        if self.accounts.is_empty() {
            return wrong("it names no account".into());
        }
        if self.certificates.is_empty() {
            return wrong("it has no certificate".into());
        }
        if let Some(region) = self.regions.iter().find(|region| !self.certificates.contains_key(*region)) {
            return wrong(format!("it has no certificate for {region}"));
        }
        let range = limits::AWS_IDENTITY_MAX_AGE_MIN_SECONDS..=limits::WINDOW_MAX_SECONDS;
        if !range.contains(&self.max_age_seconds) {
            let (least, most) = (range.start(), range.end());
            return wrong(format!("`max_age_seconds` is not from {least} to {most}"));
        }
        Ok(())
    }
}

fn default_max_age() -> u32 {
    limits::AWS_IDENTITY_MAX_AGE_SECONDS
}

/// What a node sends to prove which instance it runs on, exactly as the metadata service gave it.
#[derive(Clone, Copy, Debug)]
pub enum IdentityProof<'a> {
    /// The `rsa2048` form.
    Pkcs7 {
        /// The base64 text, with or without line breaks and PEM lines.
        pkcs7: &'a [u8],
        /// The `document`, if the signature is detached. Given with a signature that holds its document, it must be the same.
        document: Option<&'a [u8]>,
    },
    /// The `document` and `signature` forms.
    Signature {
        /// The document, byte for byte.
        document: &'a [u8],
        /// The base64 text, with or without line breaks.
        signature: &'a [u8],
    },
}

/// Verifies identity documents under one [`IdentityTrust`], whose keys it has parsed.
#[derive(Clone, Debug)]
pub struct IdentityVerifier {
    trust: Arc<IdentityTrust>,
    keys: Arc<BTreeMap<Region, Vec<SigningKey>>>,
    backend: Arc<dyn Backend>,
}

impl IdentityVerifier {
    /// Reads the certificates and checks the trust as a whole.
    ///
    /// # Errors
    /// [`IdentityError::Trust`], with the reason.
    pub fn new(trust: IdentityTrust, backend: Arc<dyn Backend>) -> Result<Self, IdentityError> {
        trust.check()?;
        let mut keys = BTreeMap::new();
        for (region, certificates) in &trust.certificates {
            let wrong =
                |reason: &str| IdentityError::Trust { reason: format!("a certificate of {region} {reason}") };
            if !(1..=limits::AWS_IDENTITY_CERTIFICATES).contains(&certificates.len()) {
                return Err(wrong("is missing, or there are too many"));
            }
            let read = certificates
                .iter()
                .map(|pem| SigningKey::read(pem, trust.legacy_rsa_1024, backend.as_ref()).map_err(wrong))
                .collect::<Result<Vec<_>, _>>()?;
            keys.insert(region.clone(), read);
        }
        Ok(Self { trust: Arc::new(trust), keys: Arc::new(keys), backend })
    }

    /// The trust.
    #[must_use]
    pub fn trust(&self) -> &IdentityTrust {
        &self.trust
    }

    /// Verifies a proof. That the same instance has not used one before is for the caller to see to.
    ///
    /// # Errors
    /// The first check that fails, in this order: shape, region, signature, account, age; see [`IdentityError`].
    pub fn verify(
        &self,
        proof: &IdentityProof<'_>,
        now: Now,
    ) -> Result<Verified<InstanceIdentity>, IdentityError> {
        let identity = match *proof {
            IdentityProof::Pkcs7 { pkcs7, document } => self.verify_pkcs7(pkcs7, document, now)?,
            IdentityProof::Signature { document, signature } => {
                let signature = pkcs7::base64(signature.trim_ascii(), "signature")?;
                let identity = InstanceIdentity::read(document)?;
                self.check_signature(identity.region(), document, &signature, now)?;
                identity
            }
        };
        self.check_account_and_age(&identity, now.at)?;
        Ok(Verified::new(identity))
    }

    fn verify_pkcs7(
        &self,
        pkcs7: &[u8],
        document: Option<&[u8]>,
        now: Now,
    ) -> Result<InstanceIdentity, IdentityError> {
        let bytes = pkcs7::decode(pkcs7)?;
        let signed = SignedData::read(&bytes)?;
        let content = match (&signed.content, document) {
            (Some(content), None) => content.as_ref(),
            (Some(content), Some(document)) if content.as_ref() == document => document,
            (None, Some(document)) => document,
            (Some(_), Some(_)) | (None, None) => return Err(IdentityError::Malformed { part: "eContent" }),
        };
        let identity = InstanceIdentity::read(content)?;
        let message: Cow<'_, [u8]> = signed.signed_bytes(content, self.backend.as_ref())?;
        self.check_signature(identity.region(), &message, signed.signature, now)?;
        Ok(identity)
    }

    /// One of the region's keys, valid now, must have signed the message.
    fn check_signature(
        &self,
        region: &Region,
        message: &[u8],
        signature: &[u8],
        now: Now,
    ) -> Result<(), IdentityError> {
        let covered = self.trust.regions.is_empty() || self.trust.regions.contains(region);
        let Some(keys) = self.keys.get(region).filter(|_| covered) else {
            return Err(IdentityError::UntrustedRegion { region: region.clone() });
        };
        if !now.trusted {
            return Err(IdentityError::ClockUntrusted);
        }
        let mut valid = keys.iter().filter(|key| key.is_valid(now.at)).peekable();
        if valid.peek().is_none() {
            return Err(IdentityError::CertificateNotValid { region: region.clone() });
        }
        if valid.any(|key| key.has_signed(message, signature)) {
            Ok(())
        } else {
            Err(IdentityError::BadSignature)
        }
    }

    /// Ours, and started a short time ago: too old if and only if `now` has reached the end of the age.
    fn check_account_and_age(
        &self,
        identity: &InstanceIdentity,
        now: Timestamp,
    ) -> Result<(), IdentityError> {
        let pending_at = identity.pending_at();
        if !self.trust.accounts.contains(identity.account()) {
            return Err(IdentityError::UntrustedAccount { account: identity.account().clone() });
        }
        if now >= pending_at.plus_seconds(self.trust.max_age_seconds) {
            return Err(IdentityError::TooOld { pending_at });
        }
        if pending_at > now.plus_seconds(limits::AWS_IDENTITY_MAX_AHEAD_SECONDS) {
            return Err(IdentityError::TooFarAhead { pending_at });
        }
        Ok(())
    }
}
