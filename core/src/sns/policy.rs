//! What a host demands of messages.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{SignatureVersion, TopicArn};
use crate::limits;

/// What a receiver accepts. Only the topics are required: everything else has a strict default.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SnsPolicy"))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The topics whose messages are wanted, compared whole. AWS signs messages of everybody's topics, and a
    /// confirmation of anybody's topic can be aimed at this host: without a list, a stranger's topic is as good.
    pub topics: Vec<TopicPolicy>,
    /// Seconds that a message may be old; 3600 by default, because SNS retries HTTP deliveries for up to an hour.
    /// Behind SQS, dead-letter queues or Lambda it may have to be days.
    #[serde(default = "default_max_age")]
    pub max_age_seconds: u32,
    /// Seconds that a message may seem to come from the future; 300 by default.
    #[serde(default = "default_max_ahead")]
    pub max_ahead_seconds: u32,
    /// Accept RSA-1024 certificates without a subject alternative name, as SNS had until 2013. Such keys can be
    /// broken: this is for reading old records, never for a live endpoint.
    #[serde(default)]
    pub legacy_rsa_1024: bool,
    /// Accept signature version 1 from a topic that has been seen with version 2. Off, because the version is not
    /// signed: whoever can break SHA-1 would choose version 1.
    #[serde(default)]
    pub allow_version_downgrade: bool,
    /// PEM certificates of roots that signing certificates must lead to. Without any, a certificate is trusted
    /// because the host fetched it by TLS from the SNS host of the topic's region. Pin roots (Amazon Root CA 1),
    /// never intermediates, which change.
    #[serde(default)]
    pub roots: Vec<String>,
    /// PEM certificates between signing certificates and roots, supplied by the host: SNS publishes only the leaf.
    #[serde(default)]
    pub intermediates: Vec<String>,
    /// The DNS name in the signing certificate, by region, where the built-in table does not know it.
    #[serde(default)]
    pub expected_names: BTreeMap<String, String>,
    /// Certificates or keys that the host vouches for itself; they are used instead of being fetched.
    #[serde(default)]
    pub pins: Vec<Pin>,
    /// What only a development set-up needs. Anybody who can reach it can enrol: leave it out everywhere else.
    #[serde(default)]
    pub development: Option<Development>,
}

/// One wanted topic.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TopicPolicy {
    /// The topic.
    pub arn: TopicArn,
    /// `"2"` refuses SHA-1 signatures; set the topic's `SignatureVersion` attribute to 2 first. `"1"` by default,
    /// as it is in SNS.
    #[serde(default)]
    pub minimum_signature_version: SignatureVersion,
}

/// A certificate or key that the host vouches for.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SnsPin"))]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// A PEM certificate, held to the same name, time and usage as a fetched one but to no roots; or a PEM public key,
    /// held to nothing but its size.
    pub pem: String,
    /// The SigningCertURL that it stands for; all, when left out.
    #[serde(default)]
    pub url: Option<String>,
}

/// Trust for emulators such as LocalStack.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SnsDevelopment"))]
#[serde(deny_unknown_fields)]
pub struct Development {
    /// Where certificates may also come from, up to and with the last slash, for example
    /// `http://127.0.0.1:4566/_aws/sns/`. Confirmations of messages with such a certificate go to the same origin.
    pub certificate_url_prefix: String,
    /// Accept from there any name, an authority's own certificate and missing usages.
    #[serde(default)]
    pub any_certificate: bool,
    /// Accept version 1 for UnsubscribeConfirmation on a topic of version 2, as LocalStack sends it.
    #[serde(default)]
    pub version_1_unsubscribe: bool,
}

impl Policy {
    /// The default policy for these topics.
    #[must_use]
    pub fn for_topics<I: IntoIterator<Item = TopicArn>>(topics: I) -> Self {
        let minimum_signature_version = SignatureVersion::default();
        Self {
            topics: topics.into_iter().map(|arn| TopicPolicy { arn, minimum_signature_version }).collect(),
            max_age_seconds: default_max_age(),
            max_ahead_seconds: default_max_ahead(),
            legacy_rsa_1024: false,
            allow_version_downgrade: false,
            roots: Vec::new(),
            intermediates: Vec::new(),
            expected_names: BTreeMap::new(),
            pins: Vec::new(),
            development: None,
        }
    }
}

impl Development {
    /// What LocalStack needs, with its certificate under this prefix.
    #[must_use]
    pub fn localstack(certificate_url_prefix: impl Into<String>) -> Self {
        Self {
            certificate_url_prefix: certificate_url_prefix.into(),
            any_certificate: true,
            version_1_unsubscribe: true,
        }
    }
}

fn default_max_age() -> u32 {
    limits::SNS_MAX_AGE_SECONDS
}

fn default_max_ahead() -> u32 {
    limits::SNS_MAX_AHEAD_SECONDS
}
