//! Signing certificates: read once, judged at every use.

use std::sync::Arc;

use x509_cert::{
    Certificate as X509, TbsCertificate, Version,
    der::{Decode, Encode, oid::AssociatedOid},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, name::GeneralName},
    time::Time,
};

use super::{SnsError, error::clip, pem};
use crate::{
    crypto::{Backend, RsaDigest, RsaPublicKey},
    limits,
    time::Timestamp,
};

/// What a certificate is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// Accept RSA-1024 and, where there is no subject alternative name, the common name: certificates until 2013.
    pub(super) legacy_rsa_1024: bool,
    /// Accept any name, an authority's certificate and missing usages: LocalStack's.
    pub(super) development: bool,
}

/// A certificate whose contents have been judged; its time, name and issuer are judged at each use.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) der: Vec<u8>,
    key: Arc<dyn RsaPublicKey>,
    not_before: Timestamp,
    not_after: Timestamp,
    names: Vec<String>,
    any_name: bool,
}

impl Certificate {
    /// Reads what was fetched: exactly one PEM block (an error page that contains one is none), strict DER, an RSA key
    /// of an allowed size, for digital signatures of a server, not an authority, no unknown critical extension.
    pub(super) fn read(file: &[u8], rules: Rules, backend: &dyn Backend) -> Result<Self, SnsError> {
        if file.len() > limits::SNS_CERTIFICATE_BYTES {
            let limit = limits::SNS_CERTIFICATE_BYTES;
            return Err(SnsError::CertificateTooLarge { bytes: file.len(), limit });
        }
        let der =
            pem::decode(file, "CERTIFICATE").map_err(|reason| SnsError::CertificateMalformed { reason })?;
        let x509 = X509::from_der(&der).map_err(|_| malformed("not a DER certificate"))?;
        let body = x509.tbs_certificate();
        let spki = body.subject_public_key_info().to_der().map_err(|_| malformed("no public key"))?;
        let key = read_key(&spki, rules.legacy_rsa_1024, backend)?;
        if !rules.development {
            check_usage(body)?;
        }
        Ok(Self {
            key,
            not_before: timestamp(body.validity().not_before)?,
            not_after: timestamp(body.validity().not_after)?,
            names: names(body, rules.legacy_rsa_1024)?,
            any_name: rules.development,
            der,
        })
    }

    /// Whether the certificate may vouch for a message of this time, from the region with this name.
    pub(super) fn check(&self, at: Timestamp, expected_name: Option<&str>) -> Result<(), SnsError> {
        // The end of validity is a whole second and belongs to it (RFC 5280 section 4.1.2.5).
        let end = self.not_after.unix_millis().saturating_add(999);
        if at < self.not_before || at.unix_millis() > end {
            let (not_before, not_after) = (self.not_before, self.not_after);
            return Err(SnsError::CertificateNotValid { not_before, not_after, at });
        }
        let named = |expected: &str| self.names.iter().any(|name| name.eq_ignore_ascii_case(expected));
        if self.any_name || expected_name.is_some_and(named) {
            return Ok(());
        }
        Err(SnsError::CertificateName {
            expected: expected_name.unwrap_or("any AWS region").to_owned(),
            found: clip(&self.names.join(", ")),
        })
    }

    pub(super) fn key(&self) -> &dyn RsaPublicKey {
        self.key.as_ref()
    }
}

/// Reads a bare public key, which a host may pin.
pub(super) fn read_public_key(
    file: &[u8],
    legacy_rsa_1024: bool,
    backend: &dyn Backend,
) -> Result<Arc<dyn RsaPublicKey>, SnsError> {
    let spki = pem::decode(file, PUBLIC_KEY).map_err(|reason| SnsError::CertificateMalformed { reason })?;
    read_key(&spki, legacy_rsa_1024, backend)
}

/// The PEM label of a bare public key (RFC 7468 section 13).
pub(super) const PUBLIC_KEY: &str = "PUBLIC KEY";

/// Checks the signature under a key. SNS has no other algorithms than these two.
pub(super) fn verify(
    key: &dyn RsaPublicKey,
    digest: RsaDigest,
    text: &str,
    signature: &[u8],
) -> Result<(), SnsError> {
    if signature.len() != key.bits().div_ceil(8) {
        return Err(SnsError::SignatureEncoding { expected: "as long as the key's modulus" });
    }
    key.verify(digest, text.as_bytes(), signature).map_err(|_| SnsError::BadSignature)
}

fn read_key(spki: &[u8], legacy: bool, backend: &dyn Backend) -> Result<Arc<dyn RsaPublicKey>, SnsError> {
    let unusable = |reason| SnsError::CertificateKey { reason };
    let key = backend
        .rsa_public_key(spki)
        .map_err(|_| unusable("not an RSA key of 1024 to 8192 bits with an odd exponent"))?;
    if key.bits() < limits::RSA_MIN_BITS && !legacy {
        return Err(unusable("RSA below 2048 bits, as SNS had until 2013, needs the legacy switch"));
    }
    if key.exponent() < limits::RSA_MIN_EXPONENT {
        return Err(unusable("the RSA exponent is below 65537"));
    }
    Ok(key)
}

fn check_usage(body: &TbsCertificate) -> Result<(), SnsError> {
    let wrong = |reason| Err(SnsError::CertificateUsage { reason });
    if body.version() != Version::V3 {
        return wrong("not X.509 version 3");
    }
    let known = [KeyUsage::OID, ExtendedKeyUsage::OID, BasicConstraints::OID, SubjectAltName::OID];
    let extensions = body.extensions().map_or(&[][..], Vec::as_slice);
    if extensions.iter().any(|extension| extension.critical && !known.contains(&extension.extn_id)) {
        return wrong("it has a critical extension that is unknown");
    }
    if extension::<BasicConstraints>(body)?.is_some_and(|constraints| constraints.ca) {
        return wrong("it is an authority's");
    }
    if !extension::<KeyUsage>(body)?.is_some_and(|usage| usage.digital_signature()) {
        return wrong("its key usage is not digital signature");
    }
    if !extension::<ExtendedKeyUsage>(body)?.is_some_and(|usage| usage.0.contains(&SERVER_AUTH)) {
        return wrong("its extended key usage is not server authentication");
    }
    Ok(())
}

/// id-kp-serverAuth (RFC 5280 section 4.2.1.12).
const SERVER_AUTH: x509_cert::spki::ObjectIdentifier =
    x509_cert::spki::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

fn names(body: &TbsCertificate, legacy: bool) -> Result<Vec<String>, SnsError> {
    if let Some(alternatives) = extension::<SubjectAltName>(body)? {
        let dns = alternatives.0.iter().filter_map(|name| match name {
            GeneralName::DnsName(dns) => Some(dns.as_str().to_owned()),
            GeneralName::OtherName(_)
            | GeneralName::Rfc822Name(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::UniformResourceIdentifier(_)
            | GeneralName::IpAddress(_)
            | GeneralName::RegisteredId(_) => None,
        });
        return Ok(dns.collect());
    }
    if !legacy {
        return Ok(Vec::new());
    }
    let common = body.subject().common_name().map_err(|_| malformed("an unreadable common name"))?;
    Ok(common.iter().map(|name| name.value().into_owned()).collect())
}

fn extension<'a, T>(body: &'a TbsCertificate) -> Result<Option<T>, SnsError>
where
    T: Decode<'a> + AssociatedOid,
{
    body.get_extension::<T>()
        .map(|found| found.map(|(_, extension)| extension))
        .map_err(|_| malformed("an unreadable or repeated extension"))
}

fn timestamp(time: Time) -> Result<Timestamp, SnsError> {
    i64::try_from(time.to_unix_duration().as_millis())
        .ok()
        .and_then(Timestamp::from_unix_millis)
        .ok_or_else(|| malformed("a time out of range"))
}

fn malformed(reason: &'static str) -> SnsError {
    SnsError::CertificateMalformed { reason }
}
