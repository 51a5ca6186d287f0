//! Why a message, a certificate or a policy was refused.

use crate::{code::Code, time::Timestamp};

use super::FetchFailure;

/// Why a message is not a verified one. Every variant has a code of its own; the message says what to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnsError {
    /// [`Code::SnsTooLarge`].
    #[error("the body has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// The size of the body, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// [`Code::SnsNotUtf8`].
    #[error("the body is not UTF-8 after byte {valid_bytes}")]
    NotUtf8 {
        /// Where the first invalid sequence begins.
        valid_bytes: usize,
    },
    /// [`Code::SnsMalformedJson`].
    #[error("the body is not one strict JSON object: {reason} (line {line} column {column})")]
    MalformedJson {
        /// What is wrong.
        reason: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// [`Code::SnsDuplicateField`].
    #[error("member {name:?} is given twice, or in two spellings")]
    DuplicateField {
        /// The member's name as sent, shortened.
        name: String,
    },
    /// [`Code::SnsFieldType`].
    #[error("member {name} is not a string")]
    FieldType {
        /// The member's name.
        name: &'static str,
    },
    /// [`Code::SnsMissingField`].
    #[error("member {name} is missing{}", if *name == "Type" { ": a raw delivery, or not from SNS" } else { "" })]
    MissingField {
        /// The member's name.
        name: &'static str,
    },
    /// [`Code::SnsInvalidField`].
    #[error("member {name} is not of the form {expected}")]
    InvalidField {
        /// The member's name.
        name: &'static str,
        /// The form that it must have.
        expected: &'static str,
    },
    /// [`Code::SnsUnsigned`].
    #[error("raw message delivery carries no signature: turn it off for this subscription")]
    Unsigned,
    /// [`Code::SnsUnknownType`].
    #[error("Type is {found:?}, not Notification, SubscriptionConfirmation or UnsubscribeConfirmation")]
    UnknownType {
        /// The type as sent, shortened.
        found: String,
    },
    /// [`Code::SnsHeaderMismatch`].
    #[error("header {header} is given twice or differs from the body")]
    HeaderMismatch {
        /// The header's name.
        header: &'static str,
    },
    /// [`Code::SnsUnsupportedVersion`].
    #[error("SignatureVersion is {found:?}, not \"1\" or \"2\"")]
    UnsupportedVersion {
        /// The version as sent, shortened.
        found: String,
    },
    /// [`Code::SnsSignatureEncoding`].
    #[error("Signature is not {expected}")]
    SignatureEncoding {
        /// What it should be.
        expected: &'static str,
    },
    /// [`Code::SnsTopicNotAllowed`].
    #[error("topic {topic} is not on the list of allowed topics")]
    TopicNotAllowed {
        /// The topic of the message.
        topic: String,
    },
    /// [`Code::SnsVersionTooLow`].
    #[error("the policy demands signature version 2 for this topic; set its SignatureVersion attribute to 2")]
    VersionTooLow,
    /// [`Code::SnsVersionDowngrade`].
    #[error("the topic was seen with signature version 2 before and now comes with version 1")]
    VersionDowngrade,
    /// [`Code::SnsTooOld`].
    #[error("the message is {age_seconds} s old, the limit is {limit_seconds} s")]
    TooOld {
        /// Now minus Timestamp, in whole seconds.
        age_seconds: i64,
        /// The policy's limit, in seconds.
        limit_seconds: u32,
    },
    /// [`Code::SnsTooFarAhead`].
    #[error(
        "the message is {ahead_seconds} s in the future, the limit is {limit_seconds} s: check the clock"
    )]
    TooFarAhead {
        /// Timestamp minus now, in whole seconds.
        ahead_seconds: i64,
        /// The policy's limit, in seconds.
        limit_seconds: u32,
    },
    /// [`Code::SnsClockUntrusted`].
    #[error("the clock is not trusted, so that the age of the message cannot be judged")]
    ClockUntrusted,
    /// [`Code::SnsCertificateUrl`].
    #[error("SigningCertURL {reason}; expected {expected}")]
    CertificateUrl {
        /// What is wrong with it.
        reason: &'static str,
        /// The form that it must have for this topic.
        expected: String,
    },
    /// [`Code::SnsSubscribeUrl`].
    #[error("SubscribeURL is not the confirmation of this topic and token at {expected}")]
    SubscribeUrl {
        /// The place where it must point.
        expected: String,
    },
    /// [`Code::SnsFetchFailed`].
    #[error("the signing certificate could not be fetched: {failure}")]
    FetchFailed {
        /// What the host reported.
        failure: FetchFailure,
    },
    /// [`Code::SnsFetchLimited`].
    #[error("too many unproven certificates of region {region} were asked for in the last minute")]
    FetchLimited {
        /// The topic's region.
        region: String,
    },
    /// [`Code::SnsUnexpectedCertificate`].
    #[error("no message is waiting for a certificate from this URL")]
    UnexpectedCertificate,
    /// [`Code::SnsCertificateTooLarge`].
    #[error("the certificate has {bytes} bytes, the limit is {limit}")]
    CertificateTooLarge {
        /// The size, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// [`Code::SnsCertificateMalformed`].
    #[error("the certificate is malformed: {reason}")]
    CertificateMalformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// [`Code::SnsCertificateKey`].
    #[error("the certificate's key is unusable: {reason}")]
    CertificateKey {
        /// What is wrong.
        reason: &'static str,
    },
    /// [`Code::SnsCertificateUsage`].
    #[error("the certificate is not for this use: {reason}")]
    CertificateUsage {
        /// What is wrong.
        reason: &'static str,
    },
    /// [`Code::SnsCertificateName`].
    #[error("the certificate is not for {expected}, but for {found}")]
    CertificateName {
        /// The name that SNS has in the topic's region.
        expected: String,
        /// The certificate's names, shortened.
        found: String,
    },
    /// [`Code::SnsCertificateNotValid`].
    #[error("the certificate is valid from {not_before} to {not_after}, the message is of {at}")]
    CertificateNotValid {
        /// Start of validity.
        not_before: Timestamp,
        /// End of validity, inclusive.
        not_after: Timestamp,
        /// The message's Timestamp.
        at: Timestamp,
    },
    /// [`Code::SnsCertificateUntrusted`].
    #[error("the certificate does not lead to a pinned root: {reason}")]
    CertificateUntrusted {
        /// What the path builder said.
        reason: String,
    },
    /// [`Code::SnsBadSignature`].
    #[error("the signature does not verify: the message was altered, or another key signed it")]
    BadSignature,
    /// [`Code::SnsInvalidPolicy`].
    #[error("the policy cannot be used: {reason}")]
    InvalidPolicy {
        /// What is wrong.
        reason: String,
    },
}

impl SnsError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::SnsTooLarge,
            Self::NotUtf8 { .. } => Code::SnsNotUtf8,
            Self::MalformedJson { .. } => Code::SnsMalformedJson,
            Self::DuplicateField { .. } => Code::SnsDuplicateField,
            Self::FieldType { .. } => Code::SnsFieldType,
            Self::MissingField { .. } => Code::SnsMissingField,
            Self::InvalidField { .. } => Code::SnsInvalidField,
            Self::Unsigned => Code::SnsUnsigned,
            Self::UnknownType { .. } => Code::SnsUnknownType,
            Self::HeaderMismatch { .. } => Code::SnsHeaderMismatch,
            Self::UnsupportedVersion { .. } => Code::SnsUnsupportedVersion,
            Self::SignatureEncoding { .. } => Code::SnsSignatureEncoding,
            Self::TopicNotAllowed { .. } => Code::SnsTopicNotAllowed,
            Self::VersionTooLow => Code::SnsVersionTooLow,
            Self::VersionDowngrade => Code::SnsVersionDowngrade,
            Self::TooOld { .. } => Code::SnsTooOld,
            Self::TooFarAhead { .. } => Code::SnsTooFarAhead,
            Self::ClockUntrusted => Code::SnsClockUntrusted,
            Self::CertificateUrl { .. } => Code::SnsCertificateUrl,
            Self::SubscribeUrl { .. } => Code::SnsSubscribeUrl,
            Self::FetchFailed { .. } => Code::SnsFetchFailed,
            Self::FetchLimited { .. } => Code::SnsFetchLimited,
            Self::UnexpectedCertificate => Code::SnsUnexpectedCertificate,
            Self::CertificateTooLarge { .. } => Code::SnsCertificateTooLarge,
            Self::CertificateMalformed { .. } => Code::SnsCertificateMalformed,
            Self::CertificateKey { .. } => Code::SnsCertificateKey,
            Self::CertificateUsage { .. } => Code::SnsCertificateUsage,
            Self::CertificateName { .. } => Code::SnsCertificateName,
            Self::CertificateNotValid { .. } => Code::SnsCertificateNotValid,
            Self::CertificateUntrusted { .. } => Code::SnsCertificateUntrusted,
            Self::BadSignature => Code::SnsBadSignature,
            Self::InvalidPolicy { .. } => Code::SnsInvalidPolicy,
        }
    }

    /// Whether the same message may be accepted later without anybody changing anything, so that a host answers
    /// with status 503 and SNS delivers again; otherwise it answers 403.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::FetchFailed { .. } | Self::FetchLimited { .. } | Self::ClockUntrusted)
    }

    pub(super) fn invalid(name: &'static str, expected: &'static str) -> Self {
        Self::InvalidField { name, expected }
    }

    pub(super) fn policy(reason: impl Into<String>) -> Self {
        Self::InvalidPolicy { reason: reason.into() }
    }
}

/// What a stranger sent, short enough for a message in a log.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}
