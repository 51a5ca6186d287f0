//! A node: the computer that redeemed a token.
//!
//! ```text
//! Claimed -> Active -> Retired
//!    '--------------------^  (never checked in, or its package ended)
//! ```

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Index;
use crate::{
    aws::InstanceId,
    id::{Fingerprint, NodeId, NodeName, PackageId, ScopeId},
    time::Timestamp,
    vocabulary::{Event, Fact, NodeClaimed},
};

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// It redeemed a token and has not been heard of since.
    Claimed,
    /// It has checked in.
    Active,
    /// It is no node any more.
    Retired,
}

/// Why a node was retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetireReason {
    /// It did not check in by its deadline.
    NeverConfirmed,
    /// Its package ended.
    PackageEnded,
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
    /// The instance it named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// How far it has come.
    pub status: NodeStatus,
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
    /// When it last checked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// The address of its last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// Why it was retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<RetireReason>,
}

impl Node {
    pub(super) fn index(&self) -> Index {
        let status = match self.status {
            NodeStatus::Claimed => "claimed",
            NodeStatus::Active => "active",
            NodeStatus::Retired => "retired",
        };
        Index {
            scope: Some(self.scope.clone()),
            status: Some(status),
            wake_at: self.wake_at(),
            ..Index::new("node", self.claimed_at)
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let grant = self.grant_open.then_some(self.retry_until);
        let confirm = (self.status == NodeStatus::Claimed).then_some(self.activate_by);
        grant.into_iter().chain(confirm).min()
    }

    pub(super) fn new(id: NodeId, claimed: &NodeClaimed, event: &Event) -> Self {
        Self {
            id,
            package: claimed.package,
            scope: claimed.scope.clone(),
            fingerprint: claimed.fingerprint.clone(),
            node_name: claimed.node_name.clone(),
            instance: claimed.instance.clone(),
            status: NodeStatus::Claimed,
            claimed_at: event.at,
            updated_at: event.at,
            retry_until: claimed.retry_until,
            grant_open: true,
            activate_by: claimed.activate_by,
            sequence: 0,
            last_seen: None,
            source: event.source,
            retired: None,
        }
    }

    /// Takes in one fact. A fact that is not about nodes changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        if let Fact::NodeCheckedIn { sequence } = &event.fact {
            self.status = NodeStatus::Active;
            self.grant_open = false;
            self.sequence = *sequence;
            self.last_seen = Some(event.at);
            self.source = event.source;
        } else if let Fact::NodeGrantClosed = &event.fact {
            self.grant_open = false;
        } else if let Fact::NodeRetired { reason } = &event.fact {
            self.status = NodeStatus::Retired;
            self.grant_open = false;
            self.retired = Some(*reason);
        }
    }
}
