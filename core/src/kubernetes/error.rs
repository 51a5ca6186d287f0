//! Why Kubernetes material was not accepted.

use crate::code::Code;

/// What is wrong with a token, a label, a cluster-info or a pin. No message repeats the offending text: it may be a
/// secret, or a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubernetesError {
    /// A bootstrap token or its id is not of its grammar.
    #[error("expected a bootstrap token: 6 and 16 lower-case letters and digits with a full stop between")]
    MalformedToken,
    /// Something that goes into a manifest is not what the API server accepts there.
    #[error("invalid {field}: expected {expected}")]
    InvalidManifest {
        /// Which part.
        field: &'static str,
        /// Its grammar.
        expected: &'static str,
    },
    /// A `cluster-info` that no node could use, or that would weaken one.
    #[error("malformed cluster-info: {what}")]
    MalformedClusterInfo {
        /// What is wrong.
        what: &'static str,
    },
    /// A document longer than its limit; nothing of it was parsed.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// `cluster-info` bears no signature of this token: it is not (yet) signed, or the token has expired.
    #[error("no signature for this token id")]
    MissingSignature,
    /// The signature was not made with this token over this content.
    #[error("signature does not verify")]
    BadSignature,
    /// A pin that is not `sha256:` and 64 hexadecimal digits.
    #[error("expected a pin: `sha256:` and 64 hexadecimal digits")]
    MalformedPin,
    /// Not a certificate.
    #[error("expected a certificate in PEM or DER")]
    MalformedCertificate,
    /// None of the cluster's authorities has a pinned key.
    #[error("no certificate authority of the cluster is pinned")]
    PinMismatch,
}

impl KubernetesError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::MalformedToken => Code::KubernetesMalformedToken,
            Self::InvalidManifest { .. } => Code::KubernetesInvalidManifest,
            Self::MalformedClusterInfo { .. } => Code::KubernetesMalformedClusterInfo,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::MissingSignature => Code::KubernetesMissingSignature,
            Self::BadSignature => Code::KubernetesBadSignature,
            Self::MalformedPin => Code::KubernetesMalformedPin,
            Self::MalformedCertificate => Code::KubernetesMalformedCertificate,
            Self::PinMismatch => Code::KubernetesPinMismatch,
        }
    }
}
