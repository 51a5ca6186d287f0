//! The entry that gives an agent a name of its own.

use std::{collections::BTreeSet, fmt};

use super::{Entry, EntryId, Selector, SpiffeId, SpireError, join_token::check_token};
use crate::secret::Secret;

/// A registration entry that gives the agent attested by a join token an id besides SPIRE's own, so that other entries can
/// name it as their parent.
///
/// SPIRE makes such an entry itself when `CreateJoinToken` is told an `agent_id`; that one is nobody's, and is left behind
/// when the token is long dead. This one bears our mark and is deleted with its package.
///
/// It holds the token, as parent and as selector, for SPIRE knows the agent by nothing else: whoever can read the entry before the
/// agent was attested can be that agent. So it is shown by [`expose`](Self::expose) alone.
#[derive(Clone, PartialEq, Eq)]
pub struct AliasEntry(Entry);

impl AliasEntry {
    /// The entry for the agent that shows this token.
    ///
    /// # Errors
    /// `spire_invalid_request`: a token that is no segment of a SPIFFE id, or an id under `/spire`.
    pub fn new(id: EntryId, spiffe_id: SpiffeId, token: &Secret) -> Result<Self, SpireError> {
        check_token(token)?;
        let invalid = |_| SpireError::InvalidRequest { field: "spiffe_id", expected: "a shorter id" };
        let agent = format!("/spire/agent/join_token/{}", token.expose());
        let parent_id = SpiffeId::from_parts(spiffe_id.trust_domain(), &agent).map_err(invalid)?;
        let selector = Selector::from_parts("spiffe_id", parent_id.as_str()).map_err(invalid)?;
        let entry = Entry::new(id, spiffe_id, parent_id, BTreeSet::from([selector]));
        entry.check()?;
        Ok(Self(entry))
    }

    /// The entry. It holds the token.
    #[must_use]
    pub fn expose(&self) -> &Entry {
        &self.0
    }
}

impl fmt::Debug for AliasEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { id, spiffe_id, .. } = &self.0;
        let mut shown = formatter.debug_struct("AliasEntry");
        shown.field("id", id).field("spiffe_id", spiffe_id).finish_non_exhaustive()
    }
}
