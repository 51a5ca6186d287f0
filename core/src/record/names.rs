//! Small records that lead from a name to what it means.

use serde::{Deserialize, Serialize};

use crate::{
    id::{NodeId, PackageId, ScopeId},
    time::Timestamp,
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

/// Who a subject (a fingerprint within a scope) is, whatever the package. Bans will live here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectEntry {
    /// The scope.
    pub scope: ScopeId,
    /// The subject's current node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// When this last changed.
    pub updated_at: Timestamp,
}
