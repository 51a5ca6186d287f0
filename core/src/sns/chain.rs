//! The optional check that a signing certificate leads to a pinned root.

use std::{sync::Arc, time::Duration};

use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor,
    UnixTime, alg_id,
};
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::{
    der::{
        Encode,
        asn1::{BitStringRef, Null},
    },
    spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef},
};

use super::{SnsError, pem};
use crate::{
    crypto::{Backend, RsaDigest},
    limits,
    time::Timestamp,
};

/// The roots that a host pins, and the intermediates that it supplies, because SNS serves only the leaf.
#[derive(Debug)]
pub(super) struct Chain {
    roots: Vec<TrustAnchor<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    algorithms: [RsaPkcs1; 3],
}

impl Chain {
    /// Reads PEM certificates; `None` where no root is pinned.
    pub(super) fn read(
        roots: &[String],
        intermediates: &[String],
        backend: &Arc<dyn Backend>,
    ) -> Result<Option<Self>, SnsError> {
        if roots.is_empty() {
            return if intermediates.is_empty() {
                Ok(None)
            } else {
                Err(SnsError::policy("intermediates without roots have no effect"))
            };
        }
        let anchor = |file: &String| {
            let der = certificate(file, "root")?;
            webpki::anchor_from_trusted_cert(&der)
                .map(|anchor| anchor.to_owned())
                .map_err(|error| SnsError::policy(format!("a root is not usable: {error}")))
        };
        Ok(Some(Self {
            roots: roots.iter().map(anchor).collect::<Result<_, _>>()?,
            intermediates: intermediates
                .iter()
                .map(|file| certificate(file, "intermediate"))
                .collect::<Result<_, _>>()?,
            algorithms: [
                (RsaDigest::Sha256, alg_id::RSA_PKCS1_SHA256),
                (RsaDigest::Sha384, alg_id::RSA_PKCS1_SHA384),
                (RsaDigest::Sha512, alg_id::RSA_PKCS1_SHA512),
            ]
            .map(|(digest, signature)| RsaPkcs1 {
                backend: Arc::clone(backend),
                digest,
                signature,
            }),
        }))
    }

    /// Builds a path from a root to this leaf that was valid at the message's time (RFC 5280 section 6).
    pub(super) fn check(&self, leaf: &[u8], at: Timestamp) -> Result<(), SnsError> {
        let untrusted = |error: webpki::Error| SnsError::CertificateUntrusted { reason: error.to_string() };
        let seconds = u64::try_from(at.unix_millis().div_euclid(1000)).unwrap_or_default();
        let der = CertificateDer::from(leaf);
        let [sha256, sha384, sha512] = &self.algorithms;
        let algorithms: [&dyn SignatureVerificationAlgorithm; 3] = [sha256, sha384, sha512];
        EndEntityCert::try_from(&der)
            .and_then(|leaf| {
                leaf.verify_for_usage(
                    &algorithms,
                    &self.roots,
                    &self.intermediates,
                    UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                    KeyUsage::server_auth(),
                    None,
                    None,
                )
                .map(|_| ())
            })
            .map_err(untrusted)
    }
}

fn certificate(file: &str, what: &str) -> Result<CertificateDer<'static>, SnsError> {
    pem::decode(file.as_bytes(), "CERTIFICATE")
        .map(CertificateDer::from)
        .map_err(|reason| SnsError::policy(format!("a PEM {what} {reason}")))
}

/// RSASSA-PKCS1-v1_5 of the configured backend, as webpki wants it.
#[derive(Clone, Debug)]
struct RsaPkcs1 {
    backend: Arc<dyn Backend>,
    digest: RsaDigest,
    signature: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for RsaPkcs1 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = subject_public_key_info(public_key)
            .and_then(|spki| self.backend.rsa_public_key(&spki).ok())
            .filter(|key| key.bits() >= limits::RSA_MIN_BITS && key.exponent() >= limits::RSA_MIN_EXPONENT)
            .ok_or(InvalidSignature)?;
        key.verify(self.digest, message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// Puts an RSAPublicKey back into the structure that it was taken from.
fn subject_public_key_info(key: &[u8]) -> Option<Vec<u8>> {
    const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(Null.into()) };
    let subject_public_key = BitStringRef::from_bytes(key).ok()?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()
}
