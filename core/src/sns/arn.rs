//! Topic names.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::SnsError;

/// An Amazon Resource Name of an SNS topic: `arn:<partition>:sns:<region>:<account>:<name>`.
///
/// The grammar is strict, because the text is part of what SNS signs and decides which host a certificate may
/// come from: partition and region of lower-case letters, digits and hyphens, twelve digits of account, a name of
/// 1 to 256 letters, digits, `-` and `_`, ending in `.fifo` for FIFO topics (SNS API reference, `CreateTopic`).
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicArn(Arc<str>);

impl TopicArn {
    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `aws`, `aws-cn`, `aws-us-gov` and so on.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The region, for example `eu-central-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The twelve digits of the account that owns the topic.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// The topic's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.part(5)
    }

    fn part(&self, position: usize) -> &str {
        self.0.split(':').nth(position).unwrap_or_default()
    }
}

impl FromStr for TopicArn {
    type Err = SnsError;

    /// Errors: [`crate::code::Code::SnsInvalidField`].
    fn from_str(text: &str) -> Result<Self, SnsError> {
        if is_topic_arn(text) { Ok(Self(text.into())) } else { Err(SnsError::invalid("TopicArn", EXPECTED)) }
    }
}

pub(super) const EXPECTED: &str =
    "arn:<partition>:sns:<region>:<12 digits>:<1 to 256 letters, digits, - and _>[.fifo]";

/// Whether the text is a topic's name, without allocating.
pub(super) fn is_topic_arn(text: &str) -> bool {
    let mut parts = text.split(':');
    let mut next = || parts.next().unwrap_or_default();
    next() == "arn"
        && is_label(next())
        && next() == "sns"
        && is_label(next())
        && is_account(next())
        && is_name(next())
        && parts.next().is_none()
}

/// Lower-case letters, digits and single inner hyphens, beginning with a letter: nothing that could end a host label.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len())
        && text.bytes().all(allowed)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    !stem.is_empty()
        && text.len() <= 256
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl Borrow<str> for TopicArn {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for TopicArn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TopicArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for TopicArn {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TopicArn".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": EXPECTED })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let arn: TopicArn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:nodes_1-x.fifo".parse().unwrap();
        assert_eq!(
            (arn.partition(), arn.region(), arn.account(), arn.name()),
            ("aws-us-gov", "us-gov-west-1", "123456789012", "nodes_1-x.fifo")
        );
    }

    #[test]
    fn nothing_else_is_a_topic() {
        for text in [
            "",
            "arn:aws:sns:us-east-1:123456789012:",
            "arn:aws:sns:us-east-1:123456789012:.fifo",
            "arn:aws:sns:us-east-1:123456789012:a.b",
            "arn:aws:sns:us-east-1:123456789012:a:b",
            "arn:aws:sns:us-east-1:12345678901:a",
            "arn:aws:sns:us-east-1:12345678901x:a",
            "arn:aws:sns:US-east-1:123456789012:a",
            "arn:aws:sns:evil.com/:123456789012:a",
            "arn:aws:sns:us-east-1-:123456789012:a",
            "arn:aws:sns::123456789012:a",
            "arn:aws:sqs:us-east-1:123456789012:a",
            "arn:aws:sns:us-east-1:123456789012:a\n",
            "Arn:aws:sns:us-east-1:123456789012:a",
        ] {
            assert!(text.parse::<TopicArn>().is_err(), "{text}");
        }
        assert!(
            format!("arn:aws:sns:us-east-1:123456789012:{}", "a".repeat(257)).parse::<TopicArn>().is_err()
        );
    }
}
