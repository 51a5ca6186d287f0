//! Pins of certificate authorities, as `kubeadm join --discovery-token-ca-cert-hash` takes them.

use std::{fmt, str::FromStr};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use subtle::ConstantTimeEq;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

use super::KubernetesError;
use crate::{crypto::Backend, limits};

/// `sha256:` and the SHA-256 of a certificate's DER SubjectPublicKeyInfo in lower-case hexadecimal (RFC 7469's idea).
/// It names a key, so it survives the renewal of a certificate and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaPin([u8; 32]);

impl CaPin {
    /// The pin of one certificate, in PEM or DER.
    ///
    /// # Errors
    /// `kubernetes_malformed_certificate`, also for more than one certificate, or more than
    /// [`limits::KUBERNETES_CERTIFICATE_BYTES`].
    pub fn of_certificate(backend: &dyn Backend, certificate: &[u8]) -> Result<Self, KubernetesError> {
        if certificate.len() > limits::KUBERNETES_CERTIFICATE_BYTES {
            return Err(KubernetesError::MalformedCertificate);
        }
        let keys = if certificate.starts_with(&[0x30]) {
            keys_of_der(certificate)?
        } else {
            keys_of_pem(certificate)?
        };
        match keys.as_slice() {
            [key] => Ok(Self::of_key(backend, key)),
            _ => Err(KubernetesError::MalformedCertificate),
        }
    }

    /// The pin of a DER SubjectPublicKeyInfo.
    pub(super) fn of_key(backend: &dyn Backend, key: &[u8]) -> Self {
        Self(backend.sha256(key))
    }

    /// Whether both name the same key, in constant time.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl FromStr for CaPin {
    type Err = KubernetesError;

    /// As kubeadm reads it: letters of either case.
    fn from_str(text: &str) -> Result<Self, KubernetesError> {
        let (format, digits) = text.split_once(':').ok_or(KubernetesError::MalformedPin)?;
        if !format.eq_ignore_ascii_case("sha256") {
            return Err(KubernetesError::MalformedPin);
        }
        let digest =
            HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| KubernetesError::MalformedPin)?;
        digest.try_into().map(Self).map_err(|_| KubernetesError::MalformedPin)
    }
}

impl fmt::Display for CaPin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", HEXLOWER.encode(&self.0))
    }
}

impl Serialize for CaPin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CaPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CaPin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CaPin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^sha256:[0-9a-fA-F]{64}$" })
    }
}

/// The SubjectPublicKeyInfo, in DER, of every certificate of a PEM bundle.
pub(super) fn keys_of_pem(bundle: &[u8]) -> Result<Vec<Vec<u8>>, KubernetesError> {
    let malformed = |_| KubernetesError::MalformedCertificate;
    let certificates = Certificate::load_pem_chain(bundle).map_err(malformed)?;
    if certificates.is_empty() || certificates.len() > limits::KUBERNETES_AUTHORITIES {
        return Err(KubernetesError::MalformedCertificate);
    }
    certificates.iter().map(key).collect()
}

fn keys_of_der(certificate: &[u8]) -> Result<Vec<Vec<u8>>, KubernetesError> {
    let certificate =
        Certificate::from_der(certificate).map_err(|_| KubernetesError::MalformedCertificate)?;
    Ok(vec![key(&certificate)?])
}

fn key(certificate: &Certificate) -> Result<Vec<u8>, KubernetesError> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    info.to_der().map_err(|_| KubernetesError::MalformedCertificate)
}
