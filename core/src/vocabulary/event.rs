//! What has happened: complete facts, each about exactly one record.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{ActivatesOn, Authority, Bindings, Description, Error, labels::Labels, reason::Reason};
use crate::{
    aws::{AccountId, InstanceId, Region},
    id::{
        ActorName, DecisionId, Fingerprint, ForeignId, Kind, NodeId, NodeName, PackageId, PackageName,
        RequestId, ScopeId, SecretId,
    },
    json,
    record::{
        Delivery, EndReason, InstanceState, Key, PackageContent, PackageStatus, ResourceSpec, RetireReason,
        TokenDigest, check_schema,
    },
    time::Timestamp,
};

/// One fact with its place in the history of its record. `(key, version)` is unique in the whole log, and folding
/// [`crate::record::apply`] over the log gives every record bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The format's version, [`crate::record::SCHEMA`].
    pub schema: u32,
    /// The record that this is about.
    pub key: Key,
    /// The record's version after this event; counts from 1.
    pub version: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// Its place among the events of the decision, from 0.
    pub index: u32,
    /// How many events the decision has.
    pub of: u32,
    /// On whose behalf.
    pub authority: Authority,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// What happened.
    pub fact: Fact,
}

impl Event {
    /// The event as RFC 8785 JSON: what is stored, exported and digested.
    #[must_use]
    pub fn body(&self) -> String {
        json::canonical_of(self)
    }

    /// Reads what [`Event::body`] wrote, for a replay.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] and [`Error::CorruptRecord`].
    pub fn from_body(body: &str) -> Result<Self, Error> {
        check_schema(body)?;
        serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))
    }
}

/// What happened to a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fact {
    /// A package was made.
    PackageIssued(Arc<PackageIssued>),
    /// It was handed over.
    PackageDelivered {
        /// To whom, and until when it may be handed over again.
        delivery: Delivery,
    },
    /// Its window for handing over again has closed.
    DeliveryClosed,
    /// A new subject has redeemed its token.
    PackageClaimed {
        /// The node made for it.
        node: NodeId,
        /// The subject.
        subject: Fingerprint,
    },
    /// It is in use.
    PackageActivated,
    /// A node can no longer ask for its grant again.
    GrantClosed {
        /// The node.
        node: NodeId,
    },
    /// One of its nodes has retired.
    PackageNodeRetired {
        /// The node.
        node: NodeId,
    },
    /// Two machines presented the same identity.
    CloneSuspected {
        /// The node whose identity it is.
        node: NodeId,
        /// What the second machine said it was.
        fingerprint: Fingerprint,
    },
    /// Its token can no longer be redeemed, though it is in use.
    TokenClosed,
    /// It has ended.
    PackageEnded {
        /// How: Expired, Revoked or Retired.
        status: PackageStatus,
        /// Why.
        reason: EndReason,
    },
    /// A worker has taken the resource's outstanding effect.
    ResourceStarted {
        /// The resource.
        resource: u32,
        /// Who.
        worker: ActorName,
        /// Until when nobody else shall.
        until: Timestamp,
    },
    /// The resource exists.
    ResourceReady {
        /// The resource.
        resource: u32,
    },
    /// An attempt failed.
    ResourceFailed {
        /// The resource.
        resource: u32,
        /// Why.
        reason: Reason,
        /// When it is tried again; never, when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// The resource is to be deleted although its package lives on, or once more although it was gone.
    ResourceUnwanted {
        /// The resource.
        resource: u32,
    },
    /// The resource does not exist any more.
    ResourceGone {
        /// The resource.
        resource: u32,
    },
    /// A name now means this package.
    NameTaken {
        /// The package.
        package: PackageId,
    },
    /// A name is free again.
    NameFreed,
    /// A subject is now this node.
    SubjectBound {
        /// The node.
        node: NodeId,
        /// Its package.
        package: PackageId,
    },
    /// A subject is no node any more.
    SubjectReleased,
    /// A node has redeemed a token.
    NodeClaimed(Box<NodeClaimed>),
    /// A node has checked in.
    NodeCheckedIn {
        /// Its sequence number.
        sequence: u64,
    },
    /// The node can no longer ask for its grant again.
    NodeGrantClosed,
    /// The node is retired.
    NodeRetired {
        /// Why.
        reason: RetireReason,
    },
    /// The cloud told of an instance's state.
    InstanceObserved {
        /// Its account.
        account: AccountId,
        /// Its region.
        region: Region,
        /// Its state, by the event.
        state: InstanceState,
        /// When the cloud says that it happened.
        occurred_at: Timestamp,
        /// The cloud's id of the event.
        event: ForeignId,
    },
    /// A worker is asking the cloud's API about the instance.
    InstanceDescribing {
        /// Who.
        worker: ActorName,
        /// Until when nobody else shall.
        until: Timestamp,
    },
    /// The cloud's API has answered.
    InstanceDescribed {
        /// What it said.
        description: Description,
    },
    /// The cloud's API has not answered, or does not know the instance.
    InstanceNotDescribed {
        /// Why.
        reason: Reason,
        /// When it is asked again; never, when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// No rule of the policy wants the instance, or the API contradicts its events.
    InstancePassed {
        /// Why.
        reason: Reason,
    },
    /// A package was issued for the instance.
    InstanceEnrolled {
        /// The package.
        package: PackageId,
    },
}

impl Fact {
    /// The fact's name, as in its `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PackageIssued(_) => "package_issued",
            Self::PackageDelivered { .. } => "package_delivered",
            Self::DeliveryClosed => "delivery_closed",
            Self::PackageClaimed { .. } => "package_claimed",
            Self::PackageActivated => "package_activated",
            Self::GrantClosed { .. } => "grant_closed",
            Self::PackageNodeRetired { .. } => "package_node_retired",
            Self::CloneSuspected { .. } => "clone_suspected",
            Self::TokenClosed => "token_closed",
            Self::PackageEnded { .. } => "package_ended",
            Self::ResourceStarted { .. } => "resource_started",
            Self::ResourceReady { .. } => "resource_ready",
            Self::ResourceFailed { .. } => "resource_failed",
            Self::ResourceUnwanted { .. } => "resource_unwanted",
            Self::ResourceGone { .. } => "resource_gone",
            Self::NameTaken { .. } => "name_taken",
            Self::NameFreed => "name_freed",
            Self::SubjectBound { .. } => "subject_bound",
            Self::SubjectReleased => "subject_released",
            Self::NodeClaimed(_) => "node_claimed",
            Self::NodeCheckedIn { .. } => "node_checked_in",
            Self::NodeGrantClosed => "node_grant_closed",
            Self::NodeRetired { .. } => "node_retired",
            Self::InstanceObserved { .. } => "instance_observed",
            Self::InstanceDescribing { .. } => "instance_describing",
            Self::InstanceDescribed { .. } => "instance_described",
            Self::InstanceNotDescribed { .. } => "instance_not_described",
            Self::InstancePassed { .. } => "instance_passed",
            Self::InstanceEnrolled { .. } => "instance_enrolled",
        }
    }
}

/// Everything that a package is at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageIssued {
    /// Its scope.
    pub scope: ScopeId,
    /// Its name.
    pub name: PackageName,
    /// Its kind.
    pub kind: Kind,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// When it expires if it is not in use by then, and when its token can no longer be redeemed.
    pub expires_at: Timestamp,
    /// How many subjects may redeem its token.
    pub max_uses: u32,
    /// What a presenter must match.
    pub bindings: Bindings,
    /// What turns it Activated.
    pub activates_on: ActivatesOn,
    /// Its token, unless it activates on delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenDigest>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<PackageContent>,
    /// What must exist outside for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
    /// The cloud instance it was issued for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The caller's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// Everything that a node is at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeClaimed {
    /// Its package.
    pub package: PackageId,
    /// Its package's scope.
    pub scope: ScopeId,
    /// What it proved, or the host vouched for.
    pub fingerprint: Fingerprint,
    /// The name it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<NodeName>,
    /// The instance it named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Until when it may ask for its grant again.
    pub retry_until: Timestamp,
    /// Until when it must have checked in.
    pub activate_by: Timestamp,
}

/// The secrets that the facts of a decision speak of, for the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultWrite {
    /// Keep this ciphertext.
    Put {
        /// The secret's name.
        id: SecretId,
        /// Its ciphertext, as [`crate::seal`] writes it.
        sealed: String,
    },
    /// Destroy it.
    Shred {
        /// The secret's name.
        id: SecretId,
    },
}
