//! One message, one certificate, one answer: what an engineer asks when a message will not verify.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Development, Headers, MessageType, Notification, Pin, Policy, Received, Receiver, SignatureVersion,
    SnsError, TopicArn, certificate, fields, pem,
};
use crate::{
    code::Code,
    crypto::Backend,
    time::{Now, Timestamp},
};

/// What to hold the message to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The one topic that is expected.
    pub topic: TopicArn,
    /// Seconds that the message may be old; `None` for [`crate::limits::SNS_MAX_AGE_SECONDS`].
    pub max_age_seconds: Option<u32>,
    /// [`Policy::legacy_rsa_1024`].
    pub legacy_rsa_1024: bool,
    /// Accept any certificate and a certificate URL of any host, as emulators have them.
    pub development: bool,
}

/// The answer, in the form that the verify-sns programs of every language print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The message is what SNS signed.
    Verified {
        /// One of the three types.
        #[serde(rename = "type")]
        message_type: &'static str,
        /// The topic.
        topic_arn: String,
        /// The id that SNS gave.
        message_id: String,
        /// `1` or `2`.
        signature_version: &'static str,
        /// The subject, of notifications that have one.
        subject: Option<String>,
    },
    /// It is not, or not for this host, or not now.
    Rejected {
        /// The stable code.
        code: Code,
        /// What to look at.
        reason: String,
    },
}

impl Verdict {
    /// One line of JSON without its newline, the same bytes in every language.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Exit status of a program: 0 when verified, 1 when rejected.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Verified { .. } => 0,
            Self::Rejected { .. } => 1,
        }
    }
}

/// Verifies one message with one PEM certificate, held to all that a fetched one is held to, or one PEM public key.
#[must_use]
pub fn verify_once(
    message: &[u8],
    certificate_or_key: &[u8],
    options: &Options,
    now: Timestamp,
    backend: Arc<dyn Backend>,
) -> Verdict {
    judge(message, certificate_or_key, options, now, backend)
        .unwrap_or_else(|error| Verdict::Rejected { code: error.code(), reason: error.to_string() })
}

/// Reads a duration: whole seconds, or whole numbers of `s`, `m`, `h` or `d`; for example `90s`, `15m`, `7d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<u32> {
    let (number, unit) = match text.split_at_checked(text.len().checked_sub(1)?)? {
        (number, "s") => (number, 1),
        (number, "m") => (number, 60),
        (number, "h") => (number, 60 * 60),
        (number, "d") => (number, 24 * 60 * 60),
        _ => (text, 1),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| number.parse::<u32>().ok()?.checked_mul(unit)).flatten()
}

fn judge(
    message: &[u8],
    certificate_or_key: &[u8],
    options: &Options,
    now: Timestamp,
    backend: Arc<dyn Backend>,
) -> Result<Verdict, SnsError> {
    let now = Now::trusted(now);
    let mut policy = Policy::for_topics([options.topic.clone()]);
    policy.legacy_rsa_1024 = options.legacy_rsa_1024;
    if let Some(seconds) = options.max_age_seconds {
        policy.max_age_seconds = seconds;
    }
    if options.development {
        policy.development = Some(Development::localstack(prefix_of_certificate(message)?));
    }
    if pem::is(certificate_or_key, certificate::PUBLIC_KEY) {
        let pem = String::from_utf8_lossy(certificate_or_key).into_owned();
        policy.pins = vec![Pin { pem, url: None }];
    }
    let mut receiver = Receiver::new(policy, backend)?;
    let received = match receiver.receive(message, &Headers::default(), now)? {
        Received::Need(fetch) => {
            receiver.certificate(&fetch.url, Ok(certificate_or_key), now)?;
            receiver.receive(message, &Headers::default(), now)?
        }
        other @ (Received::Wait
        | Received::Confirm(_)
        | Received::Notification(_)
        | Received::Unsubscribed(_)) => other,
    };
    verdict(&received)
}

fn verdict(received: &Received) -> Result<Verdict, SnsError> {
    let (kind, topic, id, version, subject) = match received {
        Received::Notification(it) => (
            MessageType::Notification,
            it.topic_arn(),
            it.message_id(),
            it.signature_version(),
            Notification::subject(it),
        ),
        Received::Confirm(it) => (
            MessageType::SubscriptionConfirmation,
            it.topic_arn(),
            it.message_id(),
            it.signature_version(),
            None,
        ),
        Received::Unsubscribed(it) => (
            MessageType::UnsubscribeConfirmation,
            it.topic_arn(),
            it.message_id(),
            it.signature_version(),
            None,
        ),
        // A fresh receiver that was given what it asked for neither asks again nor waits.
        Received::Need(_) | Received::Wait => return Err(SnsError::UnexpectedCertificate),
    };
    Ok(Verdict::Verified {
        message_type: kind.as_str(),
        topic_arn: topic.to_string(),
        message_id: id.to_owned(),
        signature_version: SignatureVersion::as_str(version),
        subject: subject.map(str::to_owned),
    })
}

/// The part of SigningCertURL before the file: the certificate is at hand, so its place does not matter.
fn prefix_of_certificate(message: &[u8]) -> Result<String, SnsError> {
    let fields = fields::parse(message)?;
    let url = fields.signing_cert_url;
    let (folder, _) = url.rsplit_once('/').unwrap_or_default();
    Ok(format!("{folder}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("0", 0)]
        {
            assert_eq!(parse_duration(text), Some(seconds), "{text}");
        }
        for text in ["", "s", "1w", "-1s", "+1s", "1.5h", " 1s", "1 s", "4294967296", "100000d", "1é"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn members_are_printed_in_their_order() {
        let verdict = Verdict::Verified {
            message_type: "Notification",
            topic_arn: "arn".into(),
            message_id: "id".into(),
            signature_version: "2",
            subject: None,
        };
        assert_eq!(
            verdict.to_json(),
            r#"{"verdict":"verified","type":"Notification","topic_arn":"arn","message_id":"id","signature_version":"2","subject":null}"#
        );
        let verdict = Verdict::Rejected { code: Code::SnsUnsigned, reason: "why".into() };
        assert_eq!(verdict.to_json(), r#"{"verdict":"rejected","code":"sns_unsigned","reason":"why"}"#);
    }
}
