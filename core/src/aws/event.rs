//! What AWS said about one instance, as a value.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, IdError, InstanceId, Region};
use crate::{sns::TopicArn, time::Timestamp};

/// A state of an EC2 instance (EC2 User Guide, "Instance lifecycle"), spelled as EC2 spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being prepared, for the first time or after a stop.
    Pending,
    /// Running; the only state in which a node can enrol.
    Running,
    /// On the way to `stopped`, or to hibernation.
    Stopping,
    /// Shut down; may be started again.
    Stopped,
    /// On the way to `terminated`; there is no way back.
    ShuttingDown,
    /// Gone for ever; EC2 never uses the id again.
    Terminated,
}

impl InstanceState {
    /// The text, as EC2 writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for InstanceState {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        [Self::Pending, Self::Running, Self::Stopping, Self::Stopped, Self::ShuttingDown, Self::Terminated]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(IdError::expected("an EC2 instance state"))
    }
}

/// What happened to the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// EC2: the instance has entered this state.
    State {
        /// The new state.
        state: InstanceState,
    },
    /// EC2: a spot instance will be interrupted, two minutes from now at the earliest.
    SpotInterruption {
        /// What EC2 is going to do with it.
        action: SpotAction,
    },
    /// EC2: a spot instance is at an elevated risk of interruption.
    Rebalance,
    /// Auto Scaling: the instance waits at a lifecycle hook.
    Lifecycle(LifecycleAction),
    /// Auto Scaling: the instance is in service, or in its warm pool.
    LaunchSuccessful(Activity),
    /// Auto Scaling: the instance was not brought into service.
    LaunchUnsuccessful(Activity),
    /// Auto Scaling: the instance has left its group.
    TerminateSuccessful(Activity),
    /// Auto Scaling: the instance could not be terminated.
    TerminateUnsuccessful(Activity),
}

/// What EC2 does with an interrupted spot instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpotAction {
    /// It ends.
    Terminate,
    /// It stops and may be started again by EC2.
    Stop,
    /// It hibernates and may be resumed by EC2.
    Hibernate,
}

/// An instance at a lifecycle hook (Auto Scaling User Guide, "Lifecycle hooks").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LifecycleAction {
    /// Which way it is going.
    pub transition: Transition,
    /// The Auto Scaling group.
    pub group: String,
    /// The hook.
    pub hook: String,
    /// Names this wait in `CompleteLifecycleAction`. It needs IAM rights beside it, so it is no secret.
    pub token: String,
    /// Free text that the operator gave the hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Where it comes from; absent in older messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
    /// Where it goes; absent in older messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
}

/// The direction of a lifecycle hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// `autoscaling:EC2_INSTANCE_LAUNCHING`.
    Launching,
    /// `autoscaling:EC2_INSTANCE_TERMINATING`.
    Terminating,
}

/// Where an instance comes from or goes (Auto Scaling User Guide, "Warm pool event types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// EC2: newly launched, or about to end.
    Ec2,
    /// In service in the group.
    AutoScalingGroup,
    /// Prepared and waiting, mostly stopped.
    WarmPool,
}

/// A finished activity of Auto Scaling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Activity {
    /// The Auto Scaling group.
    pub group: String,
    /// AWS's own words for what was done, for example `Terminating EC2 instance: i-...`; empty when not said.
    pub description: String,
    /// AWS's own words for why it failed; mostly empty on success.
    pub reason: String,
    /// Where it came from; absent in older messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
    /// Where it went; absent in older messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
}

impl Change {
    /// The EC2 state that holds at the event's time if this change is true, or `None` where no state follows.
    ///
    /// - A state change *is* the state.
    /// - Spot interruption and rebalance only announce: the instance runs on until EC2 changes its state.
    /// - A launch hook implies nothing: EC2 may call the instance pending or already running. Had it implied
    ///   `pending`, a hook that fires after `running` would take a running instance back.
    /// - A terminate hook implies `shutting-down`: the instance still answers while the hook waits, but whichever
    ///   way the hook ends, the instance ends; nothing new may be given to it. On the way to a warm pool it
    ///   comes back later, and nothing is implied.
    /// - A successful launch into the group implies `running`: only a running instance is in service. Into a warm
    ///   pool it may be stopped, and nothing is implied.
    /// - A successful termination implies `terminated`: the request is accepted and irrevocable. But Auto Scaling
    ///   sends the same event when an instance leaves its group alive (standby, detached), so only an activity that
    ///   it calls `Terminating EC2 instance` counts, and none that ends in a warm pool.
    /// - A failure implies nothing; EC2's own events say what became of the instance.
    #[must_use]
    pub fn implied_state(&self) -> Option<InstanceState> {
        match self {
            Self::State { state } => Some(*state),
            Self::Lifecycle(action) => match (action.transition, action.destination) {
                (Transition::Terminating, None | Some(Place::Ec2 | Place::AutoScalingGroup)) => {
                    Some(InstanceState::ShuttingDown)
                }
                (Transition::Terminating, Some(Place::WarmPool)) | (Transition::Launching, _) => None,
            },
            Self::LaunchSuccessful(activity) => {
                activity.stays_out_of_warm_pool().then_some(InstanceState::Running)
            }
            Self::TerminateSuccessful(activity) => (activity.stays_out_of_warm_pool()
                && activity.description.starts_with("Terminating EC2 instance"))
            .then_some(InstanceState::Terminated),
            Self::SpotInterruption { .. }
            | Self::Rebalance
            | Self::LaunchUnsuccessful(_)
            | Self::TerminateUnsuccessful(_) => None,
        }
    }
}

impl Activity {
    fn stays_out_of_warm_pool(&self) -> bool {
        self.destination != Some(Place::WarmPool)
    }
}

/// One authentic event about one instance.
///
/// Only [`super::read`] makes one, from a verified notification of a trusted topic; it does not deserialise. It
/// proves that whoever may publish to that topic said so, not that EC2 did: restrict the topic's policy to the
/// principals `events.amazonaws.com` and `autoscaling.amazonaws.com`, and confirm with `DescribeInstances` before giving
/// anything away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstanceEvent {
    pub(super) instance: InstanceId,
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) change: Change,
    pub(super) occurred_at: Timestamp,
    pub(super) published_at: Timestamp,
    pub(super) event_id: String,
    pub(super) message_id: String,
    pub(super) topic: TopicArn,
}

impl InstanceEvent {
    /// Which instance, from the event's own field and never from an ARN (some senders put wrong ones there).
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// The account that owns the instance; it is one that the [`super::Trust`] names.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The region that the instance is in; it is one that the [`super::Trust`] names.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// What happened.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// See [`Change::implied_state`].
    #[must_use]
    pub fn implied_state(&self) -> Option<InstanceState> {
        self.change.implied_state()
    }

    /// When it happened, by the sender's clock. A publisher can claim any time here: hold it against
    /// [`Self::published_at`] before ordering by it.
    #[must_use]
    pub fn occurred_at(&self) -> Timestamp {
        self.occurred_at
    }

    /// When SNS accepted the message: signed by SNS, and within the age window of the receiver that verified it.
    #[must_use]
    pub fn published_at(&self) -> Timestamp {
        self.published_at
    }

    /// Names the event across repeated deliveries: EventBridge's event id, or the SNS message id where Auto
    /// Scaling publishes directly.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// The SNS message id.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The topic that the message came through.
    #[must_use]
    pub fn topic(&self) -> &TopicArn {
        &self.topic
    }

    /// An event that nobody signed, for tests of what follows an event. Account `123456789012`, region `us-east-1`,
    /// topic `instances`; the event id serves as message id.
    ///
    /// # Panics
    /// Never: the constants are well-formed.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn for_testing(instance: InstanceId, change: Change, occurred_at: Timestamp, event_id: &str) -> Self {
        Self::unsigned(instance, change, occurred_at, event_id)
    }

    /// As [`Self::for_testing`], for the stories of the conformance suite, which keep it to themselves.
    #[cfg(any(test, feature = "conformance"))]
    #[expect(clippy::expect_used, reason = "constants, and only compiled for tests")]
    pub(crate) fn unsigned(
        instance: InstanceId,
        change: Change,
        occurred_at: Timestamp,
        event_id: &str,
    ) -> Self {
        Self {
            instance,
            account: "123456789012".parse().expect("an account id"),
            region: "us-east-1".parse().expect("a region"),
            change,
            occurred_at,
            published_at: occurred_at,
            event_id: event_id.to_owned(),
            message_id: event_id.to_owned(),
            topic: "arn:aws:sns:us-east-1:123456789012:instances".parse().expect("a topic"),
        }
    }
}
