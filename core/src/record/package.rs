//! A package: what an operator issues for one node, or for a counted few.
//!
//! ```text
//! Created -> Delivered -> Activated -> Retired
//!    |           |            |
//!    '-> Expired <'           |
//!    '-> Revoked <------------'
//! ```

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Index, Resource, ResourceSpec, ResourceState};
use crate::{
    aws::InstanceId,
    id::{ActorName, FileName, Fingerprint, KeyId, NodeId, PackageId, SecretId},
    time::Timestamp,
    vocabulary::{ActivatesOn, Event, Fact, PackageIssued, Reason},
};

/// How far a package has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PackageStatus {
    /// Issued, not handed over.
    Created,
    /// Handed over, not in use.
    Delivered,
    /// In use.
    Activated,
    /// Not used in time.
    Expired,
    /// Ended by decision.
    Revoked,
    /// Ended because its last node did.
    Retired,
}

impl PackageStatus {
    /// Whether it is Created, Delivered or Activated.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            Self::Created | Self::Delivered | Self::Activated => true,
            Self::Expired | Self::Revoked | Self::Retired => false,
        }
    }

    /// The status as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Delivered => "delivered",
            Self::Activated => "activated",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Retired => "retired",
        }
    }
}

/// Why a package has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum EndReason {
    /// Its deadline came before it was in use.
    Deadline,
    /// Every node that redeemed it failed to check in.
    NeverConfirmed,
    /// An operator revoked it.
    Operator {
        /// What the operator said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Reason>,
    },
    /// Its cloud instance was terminated.
    InstanceTerminated,
    /// Its last node retired.
    LastNodeRetired,
}

/// What is kept of an enrollment token: a keyed digest, and the sealed secret while it can still be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenDigest {
    /// Counts the package's tokens from 1.
    pub generation: u16,
    /// The pepper's key id.
    pub kid: KeyId,
    /// HMAC-SHA-256 over the token, in lower-case hexadecimal.
    pub digest: String,
    /// The sealed token.
    pub secret: SecretId,
}

/// One thing that a package carries, by the names of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PackageContent {
    /// A file.
    File {
        /// Its plain name.
        name: FileName,
        /// Its sealed text.
        secret: SecretId,
    },
    /// A Kubernetes bootstrap token.
    KubernetesBootstrapToken {
        /// The sealed token.
        secret: SecretId,
        /// When it expires.
        expires_at: Timestamp,
    },
}

impl PackageContent {
    /// The name of its secret.
    #[must_use]
    pub fn secret(&self) -> SecretId {
        match self {
            Self::File { secret, .. } | Self::KubernetesBootstrapToken { secret, .. } => *secret,
        }
    }
}

/// To whom a package was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeliveredTo {
    /// An operator.
    Operator {
        /// The operator's name.
        name: ActorName,
    },
    /// The cloud instance itself.
    Instance {
        /// The instance.
        instance: InstanceId,
        /// Whether its id alone was taken for proof, as the policy allowed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_id_alone: bool,
    },
}

/// A package's hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// To whom.
    pub to: DeliveredTo,
    /// Until when the same recipient may have it again.
    pub until: Timestamp,
}

/// A node of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageNode {
    /// The node.
    pub id: NodeId,
    /// Who it is, whatever the package.
    pub subject: Fingerprint,
    /// Whether it may still ask for its grant again.
    pub grant_open: bool,
    /// Whether it lives.
    pub live: bool,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// What it was at its beginning.
    pub issued: Arc<PackageIssued>,
    /// How far it has come.
    pub status: PackageStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// The latest instant it has seen.
    pub updated_at: Timestamp,
    /// Its hand-over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Whether the hand-over can still be repeated, or made for the first time.
    pub delivery_open: bool,
    /// Whether the token can still be redeemed, as far as time goes.
    pub token_open: bool,
    /// When it came into use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<Timestamp>,
    /// The address from which it came into use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated_from: Option<IpAddr>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// The nodes that redeemed its token: as many as uses were spent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<PackageNode>,
    /// How often two machines were seen with one identity.
    pub clones_suspected: u32,
    /// How far each of its external resources has come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
}

impl Package {
    /// Whether a node can still be given something: uses remain and the token's time has not ended.
    #[must_use]
    pub fn is_redeemable(&self) -> bool {
        self.status.is_live()
            && self.token_open
            && self.issued.token.is_some()
            && self.uses() < self.issued.max_uses
    }

    /// How many subjects have redeemed the token.
    #[must_use]
    pub fn uses(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    /// Whether any of its nodes lives.
    #[must_use]
    pub fn has_live_nodes(&self) -> bool {
        self.nodes.iter().any(|node| node.live)
    }

    /// Whether everything external that it needs exists, so that it can be handed over.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.resources.iter().all(|resource| resource.state == ResourceState::Ready)
    }

    /// One of its external resources.
    #[must_use]
    pub fn resource(&self, number: u32) -> Option<(&Resource, &ResourceSpec)> {
        self.resources_with_specs().find(|(resource, _)| resource.number == number)
    }

    /// Its external resources, each with what is wanted of it.
    pub fn resources_with_specs(&self) -> impl Iterator<Item = (&Resource, &ResourceSpec)> {
        self.resources.iter().zip(&self.issued.resources)
    }

    /// Whether it has ended and nothing of it is left outside.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.status.is_live() && self.resources.iter().all(Resource::is_settled)
    }

    /// The secrets that somebody may still have to be given. All others are shredded.
    #[must_use]
    pub fn held_secrets(&self) -> BTreeSet<SecretId> {
        let mut held = BTreeSet::new();
        if !self.status.is_live() {
            return held;
        }
        if self.delivery_open {
            held.extend(self.issued.token.as_ref().map(|token| token.secret));
        }
        if self.contents_deliverable() {
            held.extend(self.issued.contents.iter().map(PackageContent::secret));
        }
        for (resource, spec) in self.resources_with_specs() {
            let ResourceSpec::KubernetesBootstrapToken { secret, .. } = spec;
            match resource.state {
                ResourceState::Wanted | ResourceState::Creating => drop(held.insert(*secret)),
                ResourceState::Ready
                | ResourceState::Deleting
                | ResourceState::Gone
                | ResourceState::Failed => {}
            }
        }
        held
    }

    fn contents_deliverable(&self) -> bool {
        match self.issued.activates_on {
            ActivatesOn::Delivery => self.delivery_open,
            ActivatesOn::Redeem | ActivatesOn::CheckIn => {
                self.is_redeemable() || self.nodes.iter().any(|node| node.grant_open)
            }
        }
    }

    /// The deadlines of the package itself, by what happens then.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (Deadline, Timestamp)> {
        let live = self.status.is_live();
        let in_use = self.status == PackageStatus::Activated || self.has_live_nodes();
        let unused = (live && !in_use).then_some((Deadline::Unused, self.issued.expires_at));
        let token = (in_use && self.token_open && self.issued.token.is_some())
            .then_some((Deadline::Token, self.issued.expires_at));
        let delivery = self
            .delivery
            .as_ref()
            .filter(|_| live && self.delivery_open)
            .map(|delivery| (Deadline::Delivery, delivery.until));
        let resources = self
            .resources_with_specs()
            .filter(move |(resource, _)| live && resource.state == ResourceState::Ready);
        let resources =
            resources.map(|(resource, spec)| (Deadline::Resource(resource.number), spec.expires_at()));
        unused.into_iter().chain(token).chain(delivery).chain(resources)
    }

    pub(super) fn index(&self) -> Index {
        Index {
            scope: Some(self.issued.scope.clone()),
            name: Some(self.issued.name.clone()),
            kind: Some(self.issued.kind.clone()),
            status: Some(self.status.as_str()),
            labels: self.issued.labels.clone(),
            wake_at: self.wake_at(),
            ..Index::new("package", self.created_at)
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let effects = self
            .resources
            .iter()
            .filter_map(|resource| resource.due())
            .map(|due| due.unwrap_or(self.updated_at));
        self.deadlines().map(|(_, at)| at).chain(effects).min()
    }

    pub(super) fn new(id: PackageId, issued: Arc<PackageIssued>, at: Timestamp) -> Self {
        let resources = (1..).zip(&issued.resources).map(|(number, _)| Resource::new(number)).collect();
        Self {
            id,
            token_open: issued.token.is_some(),
            issued,
            status: PackageStatus::Created,
            created_at: at,
            updated_at: at,
            delivery: None,
            delivery_open: true,
            activated_at: None,
            activated_from: None,
            ended_at: None,
            end_reason: None,
            nodes: Vec::new(),
            clones_suspected: 0,
            resources,
        }
    }

    /// Takes in one fact. A fact that is not about packages changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        match &event.fact {
            Fact::PackageDelivered { delivery } => {
                self.delivery = Some(delivery.clone());
                if self.status == PackageStatus::Created {
                    self.status = PackageStatus::Delivered;
                }
            }
            Fact::DeliveryClosed => self.delivery_open = false,
            Fact::TokenClosed => self.token_open = false,
            Fact::PackageClaimed { node, subject } => {
                self.nodes.push(PackageNode {
                    id: *node,
                    subject: subject.clone(),
                    grant_open: true,
                    live: true,
                });
            }
            Fact::PackageActivated => {
                self.status = PackageStatus::Activated;
                self.activated_at = Some(event.at);
                self.activated_from = event.source;
            }
            Fact::GrantClosed { node } => self.with_node(*node, |node| node.grant_open = false),
            Fact::PackageNodeRetired { node } => self.with_node(*node, |node| {
                node.grant_open = false;
                node.live = false;
            }),
            Fact::CloneSuspected { .. } => self.clones_suspected = self.clones_suspected.saturating_add(1),
            Fact::PackageEnded { status, reason } => self.end(*status, reason.clone(), event.at),
            Fact::ResourceStarted { resource, worker, until } => {
                let lease = super::Lease { worker: worker.clone(), until: *until };
                self.with_resource(*resource, |resource| resource.start(lease));
            }
            Fact::ResourceReady { resource } => self.with_resource(*resource, Resource::ready),
            Fact::ResourceFailed { resource, reason, retry_at } => {
                self.with_resource(*resource, |resource| resource.failed(reason.clone(), *retry_at));
            }
            Fact::ResourceUnwanted { resource } => self.with_resource(*resource, Resource::unwanted),
            Fact::ResourceGone { resource } => self.with_resource(*resource, Resource::gone),
            Fact::PackageIssued(_)
            | Fact::NameTaken { .. }
            | Fact::NameFreed
            | Fact::SubjectBound { .. }
            | Fact::SubjectReleased
            | Fact::NodeClaimed(_)
            | Fact::NodeCheckedIn { .. }
            | Fact::NodeGrantClosed
            | Fact::NodeRetired { .. }
            | Fact::InstanceObserved { .. }
            | Fact::InstanceDescribing { .. }
            | Fact::InstanceDescribed { .. }
            | Fact::InstanceNotDescribed { .. }
            | Fact::InstancePassed { .. }
            | Fact::InstanceEnrolled { .. } => {}
        }
    }

    fn end(&mut self, status: PackageStatus, reason: EndReason, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
        self.end_reason = Some(reason);
        self.delivery_open = false;
        self.token_open = false;
        for node in &mut self.nodes {
            node.grant_open = false;
            node.live = false;
        }
        self.resources.iter_mut().for_each(Resource::package_ended);
    }

    fn with_node(&mut self, id: NodeId, change: impl FnOnce(&mut PackageNode)) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.id == id) {
            change(node);
        }
    }

    fn with_resource(&mut self, number: u32, change: impl FnOnce(&mut Resource)) {
        if let Some(resource) = self.resources.iter_mut().find(|resource| resource.number == number) {
            change(resource);
        }
    }
}

/// What happens at a deadline of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// It expires unused.
    Unused,
    /// Its token can no longer be redeemed.
    Token,
    /// It can no longer be handed over again.
    Delivery,
    /// A resource is to be deleted.
    Resource(u32),
}
