//! Small records that lead from a name to what it means.

use serde::{Deserialize, Serialize};

use crate::{
    id::{ActorName, NodeId, PackageId, ScopeId},
    time::Timestamp,
    vocabulary::{Event, Fact, Reason},
};

/// What a package name means within its scope. Outlives the package, with `package` empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameEntry {
    /// The scope.
    pub scope: ScopeId,
    /// The live package of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
    /// When this last changed.
    pub updated_at: Timestamp,
}

impl NameEntry {
    pub(super) fn new(scope: &ScopeId, event: &Event) -> Self {
        let package = if let Fact::NameTaken { package } = &event.fact { Some(*package) } else { None };
        Self { scope: scope.clone(), package, updated_at: event.at }
    }
}

/// A subject that is not to be a node, until an operator lifts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// Who banned it.
    pub by: ActorName,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Who a subject is within a scope, whatever the package. A ban outlives every package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectEntry {
    /// The scope.
    pub scope: ScopeId,
    /// The subject's current node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// The live package that names the subject; that of its node is in the node's record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
    /// A live node that said it is the subject, though its package does not name it. Only a ban looks for it: what a machine
    /// says of itself is no reason to let it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<NodeId>,
    /// How often it was given a grant anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recoveries: u32,
    /// Why it is not to be a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<Ban>,
    /// When this last changed.
    pub updated_at: Timestamp,
}

impl SubjectEntry {
    pub(super) fn new(scope: &ScopeId, event: &Event) -> Self {
        let scope = scope.clone();
        let mut entry = Self {
            scope,
            node: None,
            package: None,
            claimed_by: None,
            recoveries: 0,
            ban: None,
            updated_at: event.at,
        };
        entry.apply(event);
        entry
    }

    /// Takes in one fact. A fact that is not about subjects changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        if let Fact::SubjectExpected { package } = &event.fact {
            self.package = Some(*package);
        } else if let Fact::SubjectBound { node, .. } = &event.fact {
            self.node = Some(*node);
        } else if let Fact::SubjectRecovered { node, .. } = &event.fact {
            self.node = Some(*node);
            self.recoveries = self.recoveries.saturating_add(1);
        } else if let Fact::SubjectClaimed { node } = &event.fact {
            self.claimed_by = *node;
        } else if let Fact::SubjectReleased = &event.fact {
            self.node = None;
            self.package = None;
        } else if let Fact::SubjectBanned { by, reason } = &event.fact {
            self.node = None;
            self.claimed_by = None;
            self.ban = Some(Ban { by: by.clone(), at: event.at, reason: reason.clone() });
        } else if let Fact::SubjectUnbanned { .. } = &event.fact {
            self.ban = None;
        } else if let Fact::RecoveriesReset = &event.fact {
            self.recoveries = 0;
        }
    }

    /// How the subject stands, for lists: `active`, `expected`, `claimed` (a node says that it is it, and nobody finds the
    /// node by it), `banned` or `gone`.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        match (&self.ban, self.node, self.package) {
            (Some(_), _, _) => "banned",
            (None, Some(_), _) => "active",
            (None, None, Some(_)) => "expected",
            (None, None, None) if self.claimed_by.is_some() => "claimed",
            (None, None, None) => "gone",
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
