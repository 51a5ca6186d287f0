//! One message, one certificate, one answer.

use handfast::{
    crypto::default_backend,
    sns::{self, Options},
};
use napi_derive::napi;

use crate::{
    error::{Result, Throw, invalid},
    system,
};

/// What to hold the message to.
#[napi(object, object_to_js = false)]
pub struct VerdictOptions {
    /// The one topic that is expected.
    pub topic: String,
    /// The present.
    pub now: i64,
    /// Seconds that the message may be old.
    pub max_age_seconds: Option<u32>,
    /// Accept 1024-bit certificates.
    pub legacy_rsa_1024: bool,
    /// Accept an emulator's certificate and certificate URL.
    pub development: bool,
}

/// The answer.
#[napi(object, object_from_js = false)]
pub struct Verdict {
    /// One line of JSON, the same bytes in every language.
    pub line: String,
    /// 0 when verified, 1 when rejected.
    pub exit_status: u8,
}

/// Verifies one message with one certificate or public key in PEM.
#[napi]
pub fn verify_once(message: &[u8], certificate_or_key: &[u8], options: VerdictOptions) -> Result<Verdict> {
    let now = system::instant(options.now, "now")?;
    let options = Options {
        topic: options.topic.parse().map_err(Throw::throw)?,
        max_age_seconds: options.max_age_seconds,
        legacy_rsa_1024: options.legacy_rsa_1024,
        development: options.development,
    };
    let verdict = sns::verify_once(message, certificate_or_key, &options, now, default_backend());
    Ok(Verdict { line: verdict.to_json(), exit_status: verdict.exit_status() })
}

/// Reads a duration in seconds.
#[napi]
pub fn parse_duration(text: String) -> Result<u32> {
    sns::parse_duration(&text)
        .ok_or_else(|| invalid("", "expected whole seconds, or whole numbers of s, m, h or d"))
}

/// The ARN of a topic, as it was given.
#[napi]
pub fn parse_topic_arn(text: String) -> Result<String> {
    let arn = text.parse::<sns::TopicArn>();
    arn.map(|arn| arn.to_string()).map_err(|_| invalid("", "expected the ARN of an SNS topic"))
}
