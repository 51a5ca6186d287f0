//! A node: the computer that redeemed a token.
//!
//! ```text
//! Claimed -> Active -> Retired
//!    '--------------------^  (never checked in, or its package ended)
//! ```
//!
//! A retired node that may return does so by a new token of its package: it is Claimed again.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Index, Key};
use crate::{
    aws::InstanceId,
    id::{Digest, Fingerprint, KeyId, NodeId, NodeName, PackageId, RequestId, ScopeId, Subject},
    limits,
    spire::SpiffeId,
    time::Timestamp,
    vocabulary::{Event, Fact, NodeClaimed},
};

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// It redeemed a token and has not been heard of since.
    Claimed,
    /// It has checked in.
    Active,
    /// It is no node any more.
    Retired,
}

impl NodeStatus {
    /// The status as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// Why a node was retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetireReason {
    /// It did not check in by its deadline.
    NeverConfirmed,
    /// Its package ended.
    PackageEnded,
    /// It said so itself.
    Left,
    /// An operator sent it away; it may return with a new token.
    Evicted,
    /// An operator banned its subject.
    Banned,
    /// It was silent for longer than an ephemeral node may be.
    Inactive,
    /// Another node took its place by a reissued token, or its subject enrolled through another package.
    Replaced,
}

/// What a node's credential says besides what its record says already. Fixed in the facts, so that a retry signs the
/// same claims again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialGrant {
    /// The credential's own id (`jti`).
    pub id: String,
    /// The signing key's id.
    pub kid: KeyId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Its package.
    pub package: PackageId,
    /// Its scope.
    pub scope: ScopeId,
    /// What it proved, or the host vouched for.
    pub fingerprint: Fingerprint,
    /// The name it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<NodeName>,
    /// The SPIFFE id that the host found on its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<SpiffeId>,
    /// The instance it named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// How far it has come.
    pub status: NodeStatus,
    /// The generation of the token that it redeemed last.
    pub generation: u16,
    /// When it redeemed.
    pub claimed_at: Timestamp,
    /// The latest instant it has seen.
    pub updated_at: Timestamp,
    /// Until when it may ask for its grant again.
    pub retry_until: Timestamp,
    /// Whether it may, as far as its own doing goes: the first check-in ends it.
    pub grant_open: bool,
    /// Until when it must have checked in.
    pub activate_by: Timestamp,
    /// The last check-in's number; 0 before the first.
    pub sequence: u64,
    /// What it named its last check-in, if it names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<RequestId>,
    /// Whether nothing is taken from it until it redeems a reissued token: two machines shared its identity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quarantined: bool,
    /// When it last checked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// Seconds of silence after which it retires; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactivity_seconds: Option<u32>,
    /// The address of its last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// Its current credential, where it proved a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialGrant>,
    /// Digests of the last proofs' identifiers, so that none is taken twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Digest>,
    /// Why it was retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<RetireReason>,
}

impl Node {
    /// Whether it is Claimed or Active.
    #[must_use]
    pub fn is_live(&self) -> bool {
        match self.status {
            NodeStatus::Claimed | NodeStatus::Active => true,
            NodeStatus::Retired => false,
        }
    }

    /// Every name that it goes by: its fingerprint, and what it said of itself. A ban reaches it under each.
    pub fn names(&self) -> impl Iterator<Item = Subject> + use<> {
        let node_name = self.node_name.clone().map(Subject::NodeName);
        let spiffe_id = self.spiffe_id.clone().map(Subject::Spiffe);
        std::iter::once(self.fingerprint.clone().into()).chain(node_name).chain(spiffe_id)
    }

    /// When an ephemeral node retires unless it is heard of.
    #[must_use]
    pub fn inactive_at(&self) -> Option<Timestamp> {
        match self.status {
            NodeStatus::Active => Some(self.last_seen?.plus_seconds(self.inactivity_seconds?)),
            NodeStatus::Claimed | NodeStatus::Retired => None,
        }
    }

    pub(super) fn index(&self) -> Index {
        Index {
            scope: Some(self.scope.clone()),
            status: Some(self.status.as_str()),
            parent: Some(Key::Package(self.package)),
            wake_at: self.wake_at(),
            ..Index::new("node", self.claimed_at)
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let grant = self.grant_open.then_some(self.retry_until);
        let confirm = (self.status == NodeStatus::Claimed).then_some(self.activate_by);
        grant.into_iter().chain(confirm).chain(self.inactive_at()).min()
    }

    pub(super) fn new(id: NodeId, claimed: &NodeClaimed, event: &Event) -> Self {
        let mut node = Self {
            id,
            package: claimed.package,
            scope: claimed.scope.clone(),
            fingerprint: claimed.fingerprint.clone(),
            node_name: None,
            spiffe_id: None,
            instance: None,
            status: NodeStatus::Claimed,
            generation: claimed.generation,
            claimed_at: event.at,
            updated_at: event.at,
            retry_until: claimed.retry_until,
            grant_open: true,
            activate_by: claimed.activate_by,
            sequence: 0,
            attempt: None,
            quarantined: false,
            last_seen: None,
            inactivity_seconds: None,
            source: None,
            credential: None,
            proofs: Vec::new(),
            retired: None,
        };
        node.claim(claimed, event);
        node
    }

    fn claim(&mut self, claimed: &NodeClaimed, event: &Event) {
        self.node_name = claimed.node_name.clone();
        self.spiffe_id = claimed.spiffe_id.clone();
        self.instance = claimed.instance.clone();
        self.status = NodeStatus::Claimed;
        self.generation = claimed.generation;
        self.claimed_at = event.at;
        self.retry_until = claimed.retry_until;
        self.grant_open = true;
        self.activate_by = claimed.activate_by;
        self.sequence = 0;
        self.attempt = None;
        self.quarantined = false;
        self.last_seen = None;
        self.inactivity_seconds = claimed.inactivity_seconds;
        self.source = event.source;
        self.credential = claimed.credential.clone();
        self.remember(claimed.proof);
        self.retired = None;
    }

    fn remember(&mut self, proof: Option<Digest>) {
        self.proofs.extend(proof);
        let excess = self.proofs.len().saturating_sub(limits::PROOF_IDS);
        self.proofs.drain(..excess);
    }

    /// Takes in one fact. A fact that is not about nodes changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        if let Fact::NodeClaimed(claimed) = &event.fact {
            self.claim(claimed, event);
        } else if let Fact::NodeProven { proof } = &event.fact {
            self.remember(Some(*proof));
        } else if let Fact::NodeCheckedIn { sequence, credential, proof, attempt } = &event.fact {
            self.status = NodeStatus::Active;
            self.grant_open = false;
            self.sequence = *sequence;
            self.attempt = attempt.clone();
            self.last_seen = Some(event.at);
            self.source = event.source;
            if credential.is_some() {
                self.credential = credential.clone();
            }
            self.remember(*proof);
        } else if let Fact::NodeQuarantined = &event.fact {
            self.quarantined = true;
        } else if let Fact::NodeGrantClosed = &event.fact {
            self.grant_open = false;
        } else if let Fact::NodeRetired { reason } = &event.fact {
            self.status = NodeStatus::Retired;
            self.grant_open = false;
            self.retired = Some(*reason);
        }
    }
}
