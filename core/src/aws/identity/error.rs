//! Why an identity document was not accepted.

use crate::{
    aws::{AccountId, Region},
    code::Code,
    time::Timestamp,
};

/// Why an identity document is no evidence. Nothing of the document but its region, account and time is repeated, and
/// the account and time only where the signature has been verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The trust cannot be used: an operator's mistake, never the sender's.
    #[error("unusable trust: {reason}")]
    Trust {
        /// What is wrong with it.
        reason: String,
    },
    /// Larger than anything that AWS gives; nothing of it was parsed.
    #[error("{part} of {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit, from [`crate::limits`].
        limit: usize,
    },
    /// The signature or the document does not have the one shape that AWS gives it.
    #[error("malformed identity document: {part}")]
    Malformed {
        /// The offending part, as RFC 5652 or AWS names it.
        part: &'static str,
    },
    /// A signature that is not RSA with SHA-256: most likely the metadata service's `pkcs7`, which is DSA with SHA-1.
    #[error("the signature is not RSA with SHA-256: send the metadata service's `rsa2048`")]
    UnsupportedAlgorithm,
    /// The trust does not cover the region, or has no certificate for it. The claim is not verified yet.
    #[error("region {region} is not trusted")]
    UntrustedRegion {
        /// The region that the document claims.
        region: Region,
    },
    /// Every certificate of the region has expired or is not valid yet: replace it with the one that AWS publishes now.
    #[error("no certificate of region {region} is valid now")]
    CertificateNotValid {
        /// The region that the document claims.
        region: Region,
    },
    /// The signature does not verify under any certificate of the region: altered, or not AWS's.
    #[error("signature of the identity document does not verify")]
    BadSignature,
    /// AWS signed it, for an account that is not trusted: every customer of AWS can get such a document.
    #[error("account {account} is not trusted")]
    UntrustedAccount {
        /// The account that the instance is in.
        account: AccountId,
    },
    /// The instance was started longer ago than the trust allows.
    #[error("the instance was started at {pending_at}, which is too long ago")]
    TooOld {
        /// When it was started, signed by AWS.
        pending_at: Timestamp,
    },
    /// The instance will have been started in the future: this host's clock is wrong.
    #[error("the instance was started at {pending_at}, which is in the future")]
    TooFarAhead {
        /// When it was started, signed by AWS.
        pending_at: Timestamp,
    },
    /// The host's clock is not trusted, so that neither the document's age nor a certificate's can be judged.
    #[error("the clock is not trusted, so that the age of the document cannot be judged")]
    ClockUntrusted,
}

impl IdentityError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Trust { .. } => Code::AwsIdentityInvalidTrust,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Malformed { .. } => Code::AwsIdentityMalformed,
            Self::UnsupportedAlgorithm => Code::AwsIdentityUnsupportedAlgorithm,
            Self::UntrustedRegion { .. } => Code::AwsIdentityUntrustedRegion,
            Self::CertificateNotValid { .. } => Code::AwsIdentityCertificateNotValid,
            Self::BadSignature => Code::AwsIdentityBadSignature,
            Self::UntrustedAccount { .. } => Code::AwsIdentityUntrustedAccount,
            Self::TooOld { .. } => Code::AwsIdentityTooOld,
            Self::TooFarAhead { .. } => Code::AwsIdentityTooFarAhead,
            Self::ClockUntrusted => Code::AwsIdentityClockUntrusted,
        }
    }
}
