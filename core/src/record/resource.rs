//! What must exist outside for a package, and how far that has come.
//!
//! ```text
//! Wanted -> Creating -> Ready -> Deleting -> Gone
//!    ^---------'  \-> Failed        ^---------' (a create that was reported late)
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::PackageStatus;
use crate::{
    id::{ActorName, NodeName, ResourceKind, ResourceName, SecretId},
    kubernetes::BootstrapGroup,
    spire::{Entry, EntryId, Selector, SpiffeId, TrustDomain},
    time::Timestamp,
    vocabulary::Reason,
};

/// What is wanted, fixed before anything is done: the external name and the secret value are chosen by the
/// registrar, so that doing it twice does it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ResourceSpec {
    /// A `bootstrap.kubernetes.io/token` Secret in `kube-system`.
    KubernetesBootstrapToken {
        /// The Secret's name.
        name: String,
        /// The sealed token.
        secret: SecretId,
        /// When the token expires; it is deleted then.
        expires_at: Timestamp,
        /// The groups of whoever authenticates with it.
        groups: BTreeSet<BootstrapGroup>,
    },
    /// The cluster's own object for the node: made by the node itself, deleted by us when the node is known to be gone,
    /// and never because a package expired.
    KubernetesNode {
        /// The object's name.
        name: NodeName,
    },
    /// A SPIRE join token. It cannot be deleted upstream: after the end of its package it counts as gone once it has
    /// expired.
    SpireJoinToken {
        /// The sealed token.
        secret: SecretId,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// The SPIRE entry that gives the agent attested by a join token an id besides SPIRE's own. It names the token, and is
    /// thus put together by the executor.
    SpireAlias {
        /// The entry's id: ours.
        id: EntryId,
        /// The id that the agent gets.
        spiffe_id: SpiffeId,
        /// The sealed token.
        secret: SecretId,
    },
    /// A SPIRE registration entry.
    SpireEntry(Box<SpireEntry>),
    /// A resource of a kind that the host defines.
    Host(Box<HostResource>),
}

/// A SPIRE registration entry, as `BatchCreateEntry` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpireEntry {
    /// The entry's id: ours, so that making it twice makes one.
    pub id: EntryId,
    /// The id that it grants.
    pub spiffe_id: SpiffeId,
    /// The id of who must vouch for it: an agent, or the server.
    pub parent_id: SpiffeId,
    /// What a workload must show; all of it.
    pub selectors: BTreeSet<Selector>,
    /// Seconds that an X.509-SVID lives; the server's default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x509_svid_ttl_seconds: Option<u32>,
    /// Seconds that a JWT-SVID lives; the server's default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_svid_ttl_seconds: Option<u32>,
    /// Names in the X.509-SVID; the first one is its common name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_names: Vec<String>,
    /// Trust domains whose bundles are given along.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub federates_with: BTreeSet<TrustDomain>,
    /// For workloads that are given several identities: which is for what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it is for a downstream SPIRE server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub downstream: bool,
}

impl SpireEntry {
    /// The entry as SPIRE's API has it, not yet checked ([`Entry::check`]).
    #[must_use]
    pub fn to_entry(&self) -> Entry {
        let (spiffe_id, parent_id) = (self.spiffe_id.clone(), self.parent_id.clone());
        Entry {
            x509_svid_ttl: self.x509_svid_ttl_seconds.unwrap_or(0),
            jwt_svid_ttl: self.jwt_svid_ttl_seconds.unwrap_or(0),
            dns_names: self.dns_names.clone(),
            federates_with: self.federates_with.clone(),
            hint: self.hint.clone().unwrap_or_default(),
            downstream: self.downstream,
            ..Entry::new(self.id.clone(), spiffe_id, parent_id, self.selectors.clone())
        }
    }
}

/// A resource of a kind that the host defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostResource {
    /// The kind.
    pub kind: ResourceKind,
    /// Its external name: chosen by the registrar when the issue did not.
    pub name: ResourceName,
    /// Its sealed value, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretId>,
    /// Public settings, passed on as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl ResourceSpec {
    /// When the resource ends although its package lives.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::KubernetesBootstrapToken { expires_at, .. } | Self::SpireJoinToken { expires_at, .. } => {
                Some(*expires_at)
            }
            Self::KubernetesNode { .. } | Self::SpireAlias { .. } | Self::SpireEntry(_) | Self::Host(_) => {
                None
            }
        }
    }

    /// The sealed secret that making it takes.
    #[must_use]
    pub fn secret(&self) -> Option<SecretId> {
        match self {
            Self::KubernetesBootstrapToken { secret, .. }
            | Self::SpireJoinToken { secret, .. }
            | Self::SpireAlias { secret, .. } => Some(*secret),
            Self::Host(resource) => resource.secret,
            Self::KubernetesNode { .. } | Self::SpireEntry(_) => None,
        }
    }

    /// Whether it can be deleted; what cannot dies by its own time.
    #[must_use]
    pub fn is_deletable(&self) -> bool {
        match self {
            Self::SpireJoinToken { .. } => false,
            Self::KubernetesBootstrapToken { .. }
            | Self::KubernetesNode { .. }
            | Self::SpireAlias { .. }
            | Self::SpireEntry(_)
            | Self::Host(_) => true,
        }
    }
}

/// How far a resource has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// To be created.
    Wanted,
    /// A worker is at it.
    Creating,
    /// It exists.
    Ready,
    /// To be deleted.
    Deleting,
    /// It does not exist any more, or never did.
    Gone,
    /// It cannot be had: something else bears its name.
    Failed,
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// The worker.
    pub worker: ActorName,
    /// Until when.
    pub until: Timestamp,
}

/// One external resource of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Counts the package's resources from 1.
    pub number: u32,
    /// How far it has come.
    pub state: ResourceState,
    /// The number of the attempt that is outstanding or was last; never counts down.
    pub attempt: u32,
    /// Who is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Not before; set after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why the last attempt failed, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Resource {
    pub(super) fn new(number: u32) -> Self {
        Self { number, state: ResourceState::Wanted, attempt: 1, lease: None, retry_at: None, reason: None }
    }

    pub(super) fn of(number: u32, spec: &ResourceSpec) -> Self {
        let state = match spec {
            ResourceSpec::KubernetesNode { .. } => ResourceState::Ready, // not ours to make
            ResourceSpec::KubernetesBootstrapToken { .. }
            | ResourceSpec::SpireJoinToken { .. }
            | ResourceSpec::SpireAlias { .. }
            | ResourceSpec::SpireEntry(_)
            | ResourceSpec::Host(_) => ResourceState::Wanted,
        };
        Self { state, ..Self::new(number) }
    }

    /// Whether nothing is to be done about it any more once its package has ended.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self.state {
            ResourceState::Gone | ResourceState::Failed => true,
            ResourceState::Wanted
            | ResourceState::Creating
            | ResourceState::Ready
            | ResourceState::Deleting => false,
        }
    }

    /// Whether an effect is outstanding, and not before when.
    #[must_use]
    pub fn due(&self) -> Option<Option<Timestamp>> {
        match self.state {
            ResourceState::Wanted | ResourceState::Creating | ResourceState::Deleting => {
                Some(self.retry_at.max(self.lease.as_ref().map(|lease| lease.until)))
            }
            ResourceState::Ready | ResourceState::Gone | ResourceState::Failed => None,
        }
    }

    pub(super) fn start(&mut self, lease: Lease) {
        if self.state == ResourceState::Wanted {
            self.state = ResourceState::Creating;
        }
        self.lease = Some(lease);
    }

    pub(super) fn ready(&mut self) {
        self.settle(ResourceState::Ready);
    }

    pub(super) fn gone(&mut self) {
        self.settle(ResourceState::Gone);
    }

    fn settle(&mut self, state: ResourceState) {
        self.state = state;
        self.lease = None;
        self.retry_at = None;
        self.reason = None;
    }

    pub(super) fn failed(&mut self, reason: Reason, retry_at: Option<Timestamp>) {
        self.state = match (self.state, retry_at) {
            (ResourceState::Creating, Some(_)) => ResourceState::Wanted,
            (state, Some(_)) => state,
            (_, None) => ResourceState::Failed,
        };
        self.attempt = self.attempt.saturating_add(1);
        self.lease = None;
        self.retry_at = retry_at;
        self.reason = Some(reason);
    }

    /// To be deleted, at once: whoever held the resource has reported, or was not at it.
    pub(super) fn unwanted(&mut self) {
        self.settle(ResourceState::Deleting);
        self.attempt = self.attempt.saturating_add(1);
    }

    /// Its package has ended. A create that is under way keeps its lease, so that the delete comes after it.
    pub(super) fn package_ended(&mut self, status: PackageStatus, spec: &ResourceSpec) {
        let node_may_live = status == PackageStatus::Expired;
        match (self.state, spec) {
            (_, ResourceSpec::KubernetesNode { .. }) if node_may_live => self.gone(),
            (ResourceState::Wanted, _) if self.attempt == 1 => self.gone(),
            (ResourceState::Wanted | ResourceState::Ready, _) => self.unwanted(),
            (ResourceState::Creating, _) => {
                self.state = ResourceState::Deleting;
                self.attempt = self.attempt.saturating_add(1);
            }
            (ResourceState::Deleting | ResourceState::Gone | ResourceState::Failed, _) => {}
        }
    }
}
