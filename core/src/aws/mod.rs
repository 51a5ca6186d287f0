//! AWS events about EC2 instances, read from verified SNS notifications.
//!
//! ```text
//! Verified<sns::Notification> --read(.., &[Trust])--> Received::Instance(InstanceEvent)
//!                                                     Received::NotForUs(reason)
//! ```
//!
//! SNS proves SNS, not EC2: whoever may publish to a topic can send a body that looks like EC2's. Three things
//! stand against that. The topic must be one that a [`Trust`] names, and its policy should admit nobody but
//! EventBridge and Auto Scaling. Account and region must be in that trust, so an event of another account on a shared bus
//! goes nowhere. And each kind of event must bear the `aws.` source it belongs to, which `PutEvents` refuses to
//! everybody but AWS (EventBridge User Guide, "AWS service event metadata").

mod autoscaling;
mod event;
mod eventbridge;
mod fields;
pub mod identity;
mod ids;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::{
    event::{Activity, Change, InstanceEvent, InstanceState, LifecycleAction, Place, SpotAction, Transition},
    ids::{AccountId, IdError, InstanceId, Region},
};
use crate::{
    code::Code,
    json, limits,
    sns::{Notification, TopicArn},
    time::Timestamp,
    verified::Verified,
};

/// Which topic is believed about which accounts and regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// The topic's whole ARN, compared exactly.
    pub topic: TopicArn,
    /// The accounts whose instances it may speak of. Empty: only the account that owns the topic.
    #[serde(default)]
    pub accounts: BTreeSet<AccountId>,
    /// The regions whose instances it may speak of. Empty: only the region that the topic is in.
    #[serde(default)]
    pub regions: BTreeSet<Region>,
}

/// What a verified notification turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An event about one instance.
    Instance(Box<InstanceEvent>),
    /// Authentic and harmless, but nothing that concerns an instance. Hosts may keep it for a human.
    NotForUs(NotForUs),
}

/// Why a message is not for us. Each reason has a stable text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotForUs {
    /// Neither an EventBridge event nor an Auto Scaling notification: plain text, an alarm, some other service's JSON.
    NotAnEvent,
    /// An AWS Health event: it concerns a service or an account; EC2 speaks for its instances itself.
    HealthEvent,
    /// An Auto Scaling instance refresh started, advanced or ended: it concerns a group.
    InstanceRefresh,
    /// The test message that Auto Scaling sends when a notification or hook is configured.
    TestNotification,
    /// An EventBridge event or Auto Scaling notification of a kind that handfast does not act on.
    OtherEvent,
    /// A launch failed before there was an instance.
    LaunchUnsuccessful,
    /// The result of an Auto Scaling activity without an instance id.
    NamesNoInstance,
    /// A sample pasted from documentation: its time or account is a placeholder.
    DocumentationSample,
}

impl NotForUs {
    /// The stable text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnEvent => "not_an_event",
            Self::HealthEvent => "health_event",
            Self::InstanceRefresh => "instance_refresh",
            Self::TestNotification => "test_notification",
            Self::OtherEvent => "other_event",
            Self::LaunchUnsuccessful => "launch_unsuccessful",
            Self::NamesNoInstance => "names_no_instance",
            Self::DocumentationSample => "documentation_sample",
        }
    }
}

impl std::fmt::Display for NotForUs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for NotForUs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why an authentic message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// It has the shape of an event, but a part is missing, of the wrong type, too long or not of its grammar.
    #[error("malformed event: {field}")]
    Malformed {
        /// The offending part, as AWS names it.
        field: &'static str,
    },
    /// No [`Trust`] names the topic.
    #[error("topic is not trusted")]
    UntrustedTopic,
    /// The trust of its topic does not cover the event's account.
    #[error("account {account} is not trusted on this topic")]
    UntrustedAccount {
        /// The account that the event claims.
        account: AccountId,
    },
    /// The trust of its topic does not cover the event's region.
    #[error("region {region} is not trusted on this topic")]
    UntrustedRegion {
        /// The region that the event claims.
        region: Region,
    },
    /// An event of a kind that only an AWS service sends, from another source: most likely forged with `PutEvents`.
    #[error("event does not come from {expected}")]
    WrongSource {
        /// The source that this kind of event must have.
        expected: &'static str,
    },
}

impl AwsError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed { .. } => Code::AwsMalformedEvent,
            Self::UntrustedTopic => Code::AwsUntrustedTopic,
            Self::UntrustedAccount { .. } => Code::AwsUntrustedAccount,
            Self::UntrustedRegion { .. } => Code::AwsUntrustedRegion,
            Self::WrongSource { .. } => Code::AwsWrongSource,
        }
    }
}

/// Reads what a verified notification says, as far as its topic is trusted.
///
/// # Errors
/// [`AwsError`] for a topic, account or region that `trust` does not cover, a kind of event from the wrong source, and
/// a malformed event. A message that merely concerns no instance is no error but [`Received::NotForUs`].
pub fn read(notification: &Verified<Notification>, trust: &[Trust]) -> Result<Received, AwsError> {
    let envelope = Envelope {
        topic: notification.topic_arn(),
        message_id: notification.message_id(),
        published_at: notification.timestamp(),
    };
    read_text(notification.message(), &envelope, trust)
}

/// Reads a message that nobody signed, for tests of the reading itself: as if SNS had published it through this topic.
///
/// # Errors
/// As [`read`].
#[cfg(any(test, feature = "testing"))]
pub fn read_for_testing(
    message: &str,
    topic: &TopicArn,
    published_at: Timestamp,
    trust: &[Trust],
) -> Result<Received, AwsError> {
    read_text(message, &Envelope { topic, message_id: "for-testing", published_at }, trust)
}

/// What SNS proved about the message that carries an event.
struct Envelope<'a> {
    topic: &'a TopicArn,
    message_id: &'a str,
    published_at: Timestamp,
}

fn read_text(text: &str, envelope: &Envelope<'_>, trust: &[Trust]) -> Result<Received, AwsError> {
    let trust = trust.iter().find(|trust| trust.topic == *envelope.topic).ok_or(AwsError::UntrustedTopic)?;
    if !text.trim_ascii_start().starts_with('{') {
        return Ok(Received::NotForUs(NotForUs::NotAnEvent));
    }
    let value = json::parse(text.as_bytes(), limits::SNS_BODY_BYTES)
        .map_err(|_| AwsError::Malformed { field: "message" })?;
    let Value::Object(object) = value else { return Ok(Received::NotForUs(NotForUs::NotAnEvent)) };
    let context = Context { envelope, trust };
    if object.contains_key("detail-type") {
        eventbridge::read(&object, &context)
    } else if object.get("Service").is_some_and(|service| service == "AWS Auto Scaling") {
        autoscaling::read(&object, &context)
    } else {
        Ok(Received::NotForUs(NotForUs::NotAnEvent))
    }
}

/// Which message, and how far it is believed.
struct Context<'a> {
    envelope: &'a Envelope<'a>,
    trust: &'a Trust,
}

impl Context<'_> {
    /// Passes only what the trust covers; an empty set covers what the topic itself is in.
    fn covers(&self, account: &AccountId, region: &Region) -> Result<(), AwsError> {
        let Trust { accounts, regions, .. } = self.trust;
        let topic = self.envelope.topic;
        let account_is_in = if accounts.is_empty() {
            account.as_str() == topic.account()
        } else {
            accounts.contains(account)
        };
        if !account_is_in {
            return Err(AwsError::UntrustedAccount { account: account.clone() });
        }
        let region_is_in =
            if regions.is_empty() { region.as_str() == topic.region() } else { regions.contains(region) };
        if !region_is_in {
            return Err(AwsError::UntrustedRegion { region: region.clone() });
        }
        Ok(())
    }
}

/// The members of a JSON object.
type Object = Map<String, Value>;

#[cfg(test)]
mod tests;
