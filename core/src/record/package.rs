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

use super::{Index, Key, Resource, ResourceSpec, ResourceState};
use crate::{
    aws::InstanceId,
    id::{
        ActorName, FileName, Fingerprint, ItemName, KeyId, NodeId, PackageId, PoolName, RequestId,
        ResourceKind, ResourceName, SecretId,
    },
    limits,
    time::Timestamp,
    vocabulary::{ActivatesOn, Event, Fact, FileFormat, PackageIssued, Reason, Reissued},
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
    /// A package of the same name with other keepers took its place.
    Replaced {
        /// The new one.
        by: PackageId,
    },
    /// The package above it ended.
    ParentEnded,
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
        /// What it is, where that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<FileFormat>,
    },
    /// A Kubernetes bootstrap token.
    KubernetesBootstrapToken {
        /// The sealed token.
        secret: SecretId,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// A SPIRE join token.
    SpireJoinToken {
        /// The sealed token.
        secret: SecretId,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// The value of a resource of a kind that the host defines.
    Host {
        /// The kind.
        kind: ResourceKind,
        /// The resource's external name.
        name: ResourceName,
        /// The sealed value.
        secret: SecretId,
    },
    /// An item of a pool, with the package until nothing of it is left outside.
    PoolItem {
        /// The pool.
        pool: PoolName,
        /// The item.
        item: ItemName,
        /// Its sealed content, kept by the pool.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<SecretId>,
    },
}

impl PackageContent {
    /// The name of its secret.
    #[must_use]
    pub fn secret(&self) -> Option<SecretId> {
        match self {
            Self::File { secret, .. }
            | Self::KubernetesBootstrapToken { secret, .. }
            | Self::SpireJoinToken { secret, .. }
            | Self::Host { secret, .. } => Some(*secret),
            Self::PoolItem { secret, .. } => *secret,
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
    /// Whoever presented the download link first.
    Link {
        /// The link's number.
        number: u32,
        /// The address that it was presented from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<IpAddr>,
    },
    /// A node of the package above it.
    ParentNode {
        /// The node.
        node: NodeId,
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

/// A download link that an operator had made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageLink {
    /// Counts the package's links from 1; only the last is good.
    pub number: u32,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The token before the current one, until the new one is used first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldToken {
    /// The token.
    pub token: TokenDigest,
    /// Until when it is good at the latest.
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
///
/// One of up to [`limits::PACKAGE_NODES`] uses lists its nodes, and they end with it in one decision. A *wide* one
/// only counts them (or, without a number of uses, not even that), so that a fleet's redemptions do not all write one
/// record.
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
    /// When it expires if it is not in use by then, and when its token can no longer be redeemed.
    pub expires_at: Timestamp,
    /// Its token, unless it activates on delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenDigest>,
    /// The token before, while both are good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_token: Option<OldToken>,
    /// The request id of its last reissue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reissued: Option<RequestId>,
    /// Its last download link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PackageLink>,
    /// Its hand-over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Whether the hand-over can still be repeated, or made for the first time.
    pub delivery_open: bool,
    /// Whether the token can still be redeemed, as far as time goes.
    pub token_open: bool,
    /// Tokens up to this generation give nothing to anybody any more: two machines showed one, or shared the identity of
    /// a node, and the policy locked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<u16>,
    /// Whether its contents were shredded. A token that is reissued afterwards brings none of them back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contents_shredded: bool,
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
    /// The nodes that redeemed its token, unless it is wide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<PackageNode>,
    /// The uses of a wide package that were spent; without a number of uses only whether any was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wide_uses: u32,
    /// The nodes of a counted wide package that live.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wide_live: u32,
    /// The live packages under it, as far as they are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<PackageId>,
    /// The live packages under it that are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted_children: u32,
    /// How often two machines were seen with one identity.
    pub clones_suspected: u32,
    /// How often another node took the place of one of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recoveries: u32,
    /// The package whose external resources must be gone before its own are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<PackageId>,
    /// The package that waits until nothing of this one is left outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<PackageId>,
    /// The uses that its scope keeps reserved for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reserved: u32,
    /// Whether everything that it held of its scope and of pools has been given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
    /// How far each of its external resources has come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// How far the sweep over records that it does not list has come, after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Resource>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Package {
    /// Whether a node can still be given something: uses remain and the token's time has not ended.
    #[must_use]
    pub fn is_redeemable(&self) -> bool {
        let has_uses = self.issued.max_uses.is_none_or(|max| self.uses() < max);
        self.status.is_live() && self.token_open && self.token.is_some() && has_uses
    }

    /// Whether its nodes are too many to be listed.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.issued.max_uses.is_none_or(|max| max > limits::PACKAGE_NODES)
    }

    /// How many subjects have redeemed the token. Without a number of uses it is only known whether any has.
    #[must_use]
    pub fn uses(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX).saturating_add(self.wide_uses)
    }

    /// Whether any of its nodes lives. Of a package without a number of uses it is assumed, once it had any.
    #[must_use]
    pub fn has_live_nodes(&self) -> bool {
        let unknown = self.issued.max_uses.is_none() && self.wide_uses > 0;
        unknown || self.wide_live > 0 || self.nodes.iter().any(|node| node.live)
    }

    /// The token of that generation that is still good: the current one, or the one before it. Whether the time of
    /// the latter has come is for the caller to judge.
    #[must_use]
    pub fn token_of(&self, generation: u16) -> Option<&TokenDigest> {
        let old = self.old_token.as_ref().map(|old| &old.token);
        [self.token.as_ref(), old].into_iter().flatten().find(|token| token.generation == generation)
    }

    /// Whether the token of that generation was locked because of a suspected clone.
    #[must_use]
    pub fn is_locked(&self, generation: u16) -> bool {
        self.locked.is_some_and(|locked| generation <= locked)
    }

    /// Whether it was issued with contents that are shredded by now, and so not given to who redeems a reissued token.
    #[must_use]
    pub fn lacks_contents(&self) -> bool {
        let mut own = self.issued.contents.iter().filter_map(PackageContent::secret);
        self.contents_shredded && own.any(|secret| secret.package == self.id)
    }

    /// Whether everything external that it needs exists, so that it can be handed over. Once it was handed over, some of it may
    /// have done its work and be gone.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let was_handed_over = self.status != PackageStatus::Created;
        let waits = self.waits_for.is_some() && !self.resources.is_empty();
        was_handed_over
            || (!waits && self.resources.iter().all(|resource| resource.state == ResourceState::Ready))
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

    /// Whether it has ended and nothing of it is left outside, nor left to be swept.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.status.is_live() && self.waits_for.is_none() && self.resources.iter().all(Resource::is_settled)
    }

    /// Whether records below it that it does not list have yet to be told of its end.
    #[must_use]
    pub fn is_swept(&self) -> bool {
        self.sweep.as_ref().is_none_or(|sweep| sweep.state == ResourceState::Ready)
    }

    /// The secrets that somebody may still have to be given. All others are shredded.
    #[must_use]
    pub fn held_secrets(&self) -> BTreeSet<SecretId> {
        let mut held = BTreeSet::new();
        if !self.status.is_live() {
            return held;
        }
        if self.delivery_open {
            held.extend(self.token.as_ref().map(|token| token.secret));
        }
        if self.contents_deliverable() {
            held.extend(self.issued.contents.iter().filter_map(PackageContent::secret));
        }
        for (resource, spec) in self.resources_with_specs() {
            match resource.state {
                ResourceState::Wanted | ResourceState::Creating => held.extend(spec.secret()),
                ResourceState::Ready
                | ResourceState::Deleting
                | ResourceState::Gone
                | ResourceState::Failed => {}
            }
        }
        held.retain(|secret| secret.package == self.id);
        held
    }

    fn contents_deliverable(&self) -> bool {
        if self.contents_shredded {
            return false;
        }
        match self.issued.activates_on {
            ActivatesOn::Delivery => self.delivery_open,
            ActivatesOn::Redeem | ActivatesOn::CheckIn | ActivatesOn::Report if self.is_wide() => {
                self.token_open
            }
            ActivatesOn::Redeem | ActivatesOn::CheckIn | ActivatesOn::Report => {
                self.is_redeemable() || self.nodes.iter().any(|node| node.grant_open)
            }
        }
    }

    /// When its token is forgotten: a wide package keeps its contents for those who may still retry.
    fn token_ends_at(&self) -> Timestamp {
        self.expires_at.plus_seconds(self.issued.retry_seconds)
    }

    /// The deadlines of the package itself, by what happens then.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (Deadline, Timestamp)> {
        let live = self.status.is_live();
        let in_use = self.status == PackageStatus::Activated || self.has_live_nodes();
        let unused = (live && !in_use).then_some((Deadline::Unused, self.expires_at));
        let token = (live && in_use && self.token_open && self.token.is_some())
            .then(|| (Deadline::Token, self.token_ends_at()));
        let old_token = self.old_token.as_ref().map(|old| (Deadline::OldToken, old.until));
        let delivery = self
            .delivery
            .as_ref()
            .filter(|_| live && self.delivery_open)
            .map(|delivery| (Deadline::Delivery, delivery.until));
        let resources = self.resources_with_specs().filter_map(move |(resource, spec)| {
            let ends_by_itself = match resource.state {
                ResourceState::Ready => live,
                ResourceState::Deleting => !spec.is_deletable(),
                ResourceState::Wanted
                | ResourceState::Creating
                | ResourceState::Gone
                | ResourceState::Failed => false,
            };
            ends_by_itself.then(|| Some((Deadline::Resource(resource.number), spec.expires_at()?))).flatten()
        });
        unused.into_iter().chain(token).chain(old_token).chain(delivery).chain(resources)
    }

    /// Its external resources that have an effect outstanding, each not before when, and the sweep.
    pub(crate) fn due_resources(
        &self,
    ) -> impl Iterator<Item = (&Resource, Option<&ResourceSpec>, Option<Timestamp>)> {
        let resources = self.resources_with_specs().filter(|(resource, spec)| {
            self.waits_for.is_none() && (spec.is_deletable() || resource.state != ResourceState::Deleting)
        });
        let resources = resources.map(|(resource, spec)| (resource, Some(spec)));
        let sweep = self.sweep.iter().map(|sweep| (sweep, None));
        resources.chain(sweep).filter_map(|(resource, spec)| Some((resource, spec, resource.due()?)))
    }

    pub(super) fn index(&self) -> Index {
        Index {
            scope: Some(self.issued.scope.clone()),
            name: Some(self.issued.name.clone()),
            kind: Some(self.issued.kind.clone()),
            status: Some(self.status.as_str()),
            parent: self.issued.parents.first().map(|parent| Key::Package(*parent)),
            labels: self.issued.labels.clone(),
            wake_at: self.wake_at(),
            ..Index::new("package", self.created_at)
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let effects = self.due_resources().map(|(_, _, due)| due.unwrap_or(self.updated_at));
        self.deadlines().map(|(_, at)| at).chain(effects).min()
    }

    pub(super) fn new(id: PackageId, issued: Arc<PackageIssued>, at: Timestamp) -> Self {
        let resources =
            (1..).zip(&issued.resources).map(|(number, spec)| Resource::of(number, spec)).collect();
        Self {
            id,
            token_open: issued.token.is_some(),
            expires_at: issued.expires_at,
            token: issued.token.clone(),
            waits_for: issued.waits_for,
            reserved: issued.reserved,
            issued,
            status: PackageStatus::Created,
            created_at: at,
            updated_at: at,
            old_token: None,
            reissued: None,
            link: None,
            delivery: None,
            delivery_open: true,
            locked: None,
            contents_shredded: false,
            activated_at: None,
            activated_from: None,
            ended_at: None,
            end_reason: None,
            nodes: Vec::new(),
            wide_uses: 0,
            wide_live: 0,
            children: Vec::new(),
            unlisted_children: 0,
            clones_suspected: 0,
            recoveries: 0,
            successor: None,
            released: false,
            resources,
            sweep: None,
        }
    }

    /// Takes in one fact. A fact that is not about packages changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        self.take_in(&event.fact, event);
        self.note_shredding();
    }

    /// What nobody can be given any more is shredded in the same decision, and does not come back.
    pub(super) fn note_shredding(&mut self) {
        self.contents_shredded = !self.contents_deliverable();
    }

    fn take_in(&mut self, fact: &Fact, event: &Event) {
        match fact {
            Fact::PackageDelivered { delivery } => self.delivered(delivery.clone()),
            Fact::DeliveryClosed => self.delivery_open = false,
            Fact::LinkMade { number, expires_at } => {
                self.link = Some(PackageLink { number: *number, expires_at: *expires_at });
            }
            Fact::TokenLocked { generation } => self.locked = Some(*generation),
            Fact::RecoveriesReset => self.recoveries = 0,
            Fact::TokenClosed => self.token_open = false,
            Fact::OldTokenClosed => self.old_token = None,
            Fact::PackageReissued(reissued) => self.reissue(reissued),
            Fact::PackageClaimed { node, subject } => self.claim(*node, subject.clone()),
            Fact::PackageReclaimed { node, subject, replaces } => {
                self.reclaim(*node, subject.clone(), *replaces);
            }
            Fact::PackageActivated => {
                self.status = PackageStatus::Activated;
                self.activated_at = Some(event.at);
                self.activated_from = event.source;
            }
            Fact::GrantClosed { node } => self.with_node(*node, |node| node.grant_open = false),
            Fact::PackageNodeRetired { node } => {
                self.wide_live = self.wide_live.saturating_sub(u32::from(self.is_wide()));
                self.with_node(*node, |node| {
                    node.grant_open = false;
                    node.live = false;
                });
            }
            Fact::ChildAdded { child } => self.add_child(*child),
            Fact::ChildEnded { child } => self.remove_child(*child),
            Fact::CloneSuspected { .. } => self.clones_suspected = self.clones_suspected.saturating_add(1),
            Fact::PackageEnded { status, reason, sweep } => {
                self.end(*status, reason.clone(), event.at);
                self.sweep = sweep.then(|| Resource::new(0));
            }
            Fact::PackageSuccessor { package } => {
                self.successor = Some(*package);
                self.reserved = 0;
            }
            Fact::PackageUnblocked => self.waits_for = None,
            Fact::PackageReleased => {
                self.released = true;
                self.reserved = 0;
            }
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
            | Fact::SubjectExpected { .. }
            | Fact::SubjectBound { .. }
            | Fact::SubjectClaimed { .. }
            | Fact::SubjectRecovered { .. }
            | Fact::SubjectReleased
            | Fact::SubjectBanned { .. }
            | Fact::SubjectUnbanned { .. }
            | Fact::NodeClaimed(_)
            | Fact::NodeProven { .. }
            | Fact::NodeCheckedIn { .. }
            | Fact::NodeQuarantined
            | Fact::NodeGrantClosed
            | Fact::NodeRetired { .. }
            | Fact::ScopeConfigured { .. }
            | Fact::ScopeReserved { .. }
            | Fact::ScopePackageEnded { .. }
            | Fact::ScopeReturned { .. }
            | Fact::PoolChanged { .. }
            | Fact::PoolItemAssigned { .. }
            | Fact::PoolItemReturned { .. }
            | Fact::InstanceObserved { .. }
            | Fact::InstanceDescribing { .. }
            | Fact::InstanceDescribed { .. }
            | Fact::InstanceNotDescribed { .. }
            | Fact::InstancePassed { .. }
            | Fact::InstanceEnrolled { .. }
            | Fact::Forgotten => {}
        }
    }

    fn delivered(&mut self, delivery: Delivery) {
        self.delivery = Some(delivery);
        if self.status == PackageStatus::Created {
            self.status = PackageStatus::Delivered;
        }
    }

    /// The new token may be handed over anew, to somebody else.
    fn reissue(&mut self, reissued: &Reissued) {
        let old = self.token.replace(reissued.token.clone());
        self.old_token = old.zip(reissued.old_until).map(|(token, until)| OldToken { token, until });
        self.reissued = reissued.request.clone();
        self.expires_at = reissued.expires_at;
        self.delivery = None;
        self.delivery_open = true;
        self.token_open = true;
        if let Some(link) = &mut self.link {
            link.number = link.number.saturating_add(1); // it was for the token before
        }
    }

    fn claim(&mut self, id: NodeId, subject: Fingerprint) {
        if self.is_wide() {
            self.wide_uses = self.wide_uses.saturating_add(1);
            self.wide_live = self.wide_live.saturating_add(1);
        } else {
            self.nodes.push(PackageNode { id, subject, grant_open: true, live: true });
        }
    }

    /// A use that was spent before is another node's now, or the same node's once more.
    fn reclaim(&mut self, id: NodeId, subject: Fingerprint, replaces: NodeId) {
        self.recoveries = self.recoveries.saturating_add(u32::from(id != replaces));
        if self.is_wide() {
            self.wide_live = self.wide_live.saturating_add(1);
        } else {
            self.nodes.retain(|listed| listed.id != replaces && listed.id != id);
            self.claim(id, subject);
        }
    }

    fn add_child(&mut self, child: PackageId) {
        if self.children.len() < limits::PACKAGE_CHILDREN {
            self.children.push(child);
        } else {
            self.unlisted_children = self.unlisted_children.saturating_add(1);
        }
    }

    fn remove_child(&mut self, child: PackageId) {
        match self.children.iter().position(|listed| *listed == child) {
            Some(place) => drop(self.children.remove(place)),
            None => self.unlisted_children = self.unlisted_children.saturating_sub(1),
        }
    }

    fn end(&mut self, status: PackageStatus, reason: EndReason, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
        self.end_reason = Some(reason);
        self.delivery_open = false;
        self.token_open = false;
        self.old_token = None;
        self.wide_live = 0;
        for node in &mut self.nodes {
            node.grant_open = false;
            node.live = false;
        }
        for (resource, spec) in self.resources.iter_mut().zip(&self.issued.resources) {
            resource.package_ended(status, spec);
        }
    }

    fn with_node(&mut self, id: NodeId, change: impl FnOnce(&mut PackageNode)) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.id == id) {
            change(node);
        }
    }

    /// Number 0 is the sweep.
    fn with_resource(&mut self, number: u32, change: impl FnOnce(&mut Resource)) {
        let known = self.resources.iter_mut().chain(&mut self.sweep);
        if let Some(resource) = known.into_iter().find(|resource| resource.number == number) {
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
    /// The token before the current one can no longer be redeemed.
    OldToken,
    /// It can no longer be handed over again.
    Delivery,
    /// A resource is to be deleted, or has died.
    Resource(u32),
}
