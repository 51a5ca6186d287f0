//! Join tokens, as `CreateJoinToken` takes them.

use super::{SpiffeId, SpireError};
use crate::{secret::Secret, time::Timestamp};

/// A request for a join token of our own value: an agent that shows it is attested, once, as
/// `spiffe://<trust domain>/spire/agent/join_token/<value>`. The value is thus in the agent's id and in the server's logs;
/// that harms nobody, since it is dead by then.
///
/// **A join token cannot be deleted upstream.** Revoking what it was made for does not stop whoever holds it: it dies
/// when it is used or when its time has come, so its life is minutes. An agent that it let in is evicted or banned at the
/// SPIRE server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinTokenRequest {
    token: Secret,
    ttl: u32,
    agent_id: Option<SpiffeId>,
}

impl JoinTokenRequest {
    /// A token that is dead at `expires_at` by the server's clock, if that runs as ours: the life is rounded down. With an
    /// `agent_id` the server also makes an entry that gives the agent this id besides its own; that one is nobody's, and
    /// outlives the token: [`AliasEntry`](super::AliasEntry) is one that can be deleted.
    ///
    /// # Errors
    /// `spire_invalid_request`: a value that is no segment of a SPIFFE id, or less than a second to live.
    pub fn new(
        token: Secret,
        expires_at: Timestamp,
        now: Timestamp,
        agent_id: Option<SpiffeId>,
    ) -> Result<Self, SpireError> {
        check_token(&token)?;
        let millis = expires_at.unix_millis().saturating_sub(now.unix_millis());
        let seconds = u32::try_from(millis.div_euclid(1000)).ok().filter(|seconds| *seconds >= 1);
        let expected = "a time at least a second from now";
        let ttl = seconds.ok_or(SpireError::InvalidRequest { field: "expires_at", expected })?;
        Ok(Self { token, ttl, agent_id })
    }

    /// The value.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Seconds to live, at least one.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// The id that the agent gets besides its own.
    #[must_use]
    pub fn agent_id(&self) -> Option<&SpiffeId> {
        self.agent_id.as_ref()
    }
}

/// Whether a value can be the last part of an agent's id, as SPIRE puts it there.
pub(super) fn check_token(token: &Secret) -> Result<(), SpireError> {
    let expected = "letters, digits, . _ -";
    let valid = super::id::is_segment(token.expose());
    if valid { Ok(()) } else { Err(SpireError::InvalidRequest { field: "token", expected }) }
}
