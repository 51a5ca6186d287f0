//! What is left of a record that was forgotten: the place in its chain.

use serde::{Deserialize, Serialize};

use crate::{id::ScopeId, time::Timestamp};

/// A record that had ended and was forgotten after its retention. Its version and head stay, so that the chain of its
/// facts can still be checked against a copy that somebody kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    /// Its scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeId>,
    /// When it was forgotten.
    pub updated_at: Timestamp,
}
