//! What SNS has signed, as values.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

use super::TopicArn;
use crate::time::Timestamp;

/// The three messages that SNS sends over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Something was published to the topic.
    Notification,
    /// Somebody wants this endpoint to receive a topic.
    SubscriptionConfirmation,
    /// This endpoint no longer receives a topic.
    UnsubscribeConfirmation,
}

impl MessageType {
    /// The text as SNS has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        [Self::Notification, Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How a message is signed. The version itself is not signed: see `Policy` for the guard against downgrades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SignatureVersion {
    /// RSASSA-PKCS1-v1_5 with SHA-1, still the default of SNS.
    #[default]
    #[serde(rename = "1")]
    V1,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "2")]
    V2,
}

impl SignatureVersion {
    /// `1` or `2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }
}

/// The signed text, and where its values lie in it: one allocation for the whole message.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) text: String,
    pub(super) message: Range<usize>,
    pub(super) message_id: Range<usize>,
    pub(super) subject: Option<Range<usize>>,
    pub(super) timestamp: Timestamp,
    pub(super) topic: TopicArn,
    pub(super) version: SignatureVersion,
}

impl Signed {
    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn debug(&self, name: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct(name)
            .field("topic_arn", &self.topic.as_str())
            .field("message_id", &self.slice(&self.message_id))
            .field("timestamp", &self.timestamp)
            .field("signature_version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What every verified message can tell.
macro_rules! envelope {
    ($name:ident) => {
        impl $name {
            /// The id that SNS gave: a UUID. SNS delivers a message again under the same id when the answer was lost:
            /// `(topic_arn, message_id)` is the key under which a host remembers what it has handled.
            #[must_use]
            pub fn message_id(&self) -> &str {
                self.signed().slice(&self.signed().message_id)
            }

            /// When SNS took the message.
            #[must_use]
            pub fn timestamp(&self) -> Timestamp {
                self.signed().timestamp
            }

            /// The topic, which is on the receiver's list.
            #[must_use]
            pub fn topic_arn(&self) -> &TopicArn {
                &self.signed().topic
            }

            /// How the message was signed.
            #[must_use]
            pub fn signature_version(&self) -> SignatureVersion {
                self.signed().version
            }
        }

        impl fmt::Debug for $name {
            /// Without the contents, which are the publisher's.
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.signed().debug(stringify!($name), formatter)
            }
        }
    };
}

/// A message that was published to a topic. Only signed fields are here: `MessageAttributes` and `UnsubscribeURL`
/// are not authenticated by SNS and are dropped.
///
/// A verified notification proves that SNS delivered it from this topic, and nothing about who published it: whoever
/// may publish to the topic can send a body that looks like an event of EC2.
#[derive(Clone, PartialEq, Eq)]
pub struct Notification(pub(super) Signed);

impl Notification {
    fn signed(&self) -> &Signed {
        &self.0
    }

    /// The published text.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.slice(&self.0.message)
    }

    /// The published subject; `None` when there is none, which an empty one is not.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_ref().map(|range| self.0.slice(range))
    }
}

envelope!(Notification);

/// SNS asks whether this endpoint wants the topic. AWS signs this for everybody's topics: what makes it wanted is
/// the receiver's list, which has been checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub(super) signed: Signed,
    pub(super) url: String,
}

impl Confirmation {
    fn signed(&self) -> &Signed {
        &self.signed
    }

    /// What to GET, once, to confirm: rebuilt from topic and token, never the URL that was sent. It contains the
    /// token, so it belongs in no log.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

envelope!(Confirmation);

/// The endpoint was unsubscribed. The URL in the message would subscribe it again; it is not offered.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsubscription(pub(super) Signed);

impl Unsubscription {
    fn signed(&self) -> &Signed {
        &self.0
    }
}

envelope!(Unsubscription);
