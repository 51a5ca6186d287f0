//! What a decision asks the host to commit, and what it releases afterwards.

use std::sync::Arc;

use serde::Serialize;

use super::{Answer, Error, Event, Notice, Refused, VaultWrite};
use crate::{
    id::{DecisionId, ScopeId},
    record::{Index, Key, Versioned},
    registrar::Unsigned,
    time::Timestamp,
};

/// What `decide` comes to.
#[derive(Debug)]
pub enum Outcome {
    /// These rows must be looked at first; then decide again. Only ever adds keys, in at most
    /// [`crate::limits::NEED_ROUNDS`] rounds.
    Need(Vec<Key>),
    /// A decision, refusals included.
    Decision(Box<Decision>),
}

/// A commit and what may be said once it is durable.
#[derive(Debug)]
pub struct Decision {
    /// All of it, in one transaction.
    pub commit: Commit,
    /// What it releases.
    pub pending: Pending,
}

impl Decision {
    /// The refusal, if it is one: that may be known before the commit.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        if let Answer::Refused(refused) = &self.pending.answer { Some(refused) } else { None }
    }
}

/// An answer that cannot be had before the commit: a host that crashed in between must not have told anybody.
#[derive(Debug)]
pub struct Pending {
    pub(crate) decision: DecisionId,
    pub(crate) answer: Answer,
    unsigned: Option<Unsigned>,
}

impl Pending {
    pub(crate) fn new(decision: DecisionId, answer: Answer, unsigned: Option<Unsigned>) -> Self {
        Self { decision, answer, unsigned }
    }

    /// Gives the answer in exchange for the receipt of its own commit, and signs what is to be signed in it.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the receipt is another decision's; [`Error::MissingKey`] when a retry's credential was signed
    /// with a key that has been taken away since.
    pub fn release(self, committed: Committed) -> Result<Answer, Error> {
        if !committed.covers(&self) {
            return Err(Error::Misuse("the receipt belongs to another decision"));
        }
        self.give()
    }

    /// Gives the answer, once a receipt was seen.
    pub(crate) fn give(mut self) -> Result<Answer, Error> {
        if let Some(unsigned) = self.unsigned {
            unsigned.sign_into(&mut self.answer)?;
        }
        Ok(self.answer)
    }
}

/// The receipt of a commit that the store has made durable.
#[derive(Debug)]
pub struct Committed {
    decisions: Vec<DecisionId>,
}

impl Committed {
    /// Whether the receipt is that of this decision, alone or among others.
    pub(crate) fn covers(&self, pending: &Pending) -> bool {
        self.decisions.contains(&pending.decision)
    }
}

/// Everything that one decision, or a batch of them, changes. The host applies all of it in one transaction, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The decisions: one, or those of a batch.
    pub decisions: Vec<DecisionId>,
    /// Every record looked at, in the order of their keys.
    pub guards: Vec<Guard>,
    /// The new state of every record that changes, in the order of their keys.
    pub writes: Vec<Write>,
    /// The facts behind the writes, in order.
    pub events: Vec<Event>,
    /// Their bodies, digested already.
    pub(crate) bodies: Vec<Arc<str>>,
    /// Refusals to be counted.
    pub notices: Vec<Notice>,
    /// Secrets to be kept or destroyed.
    pub vault: Vec<VaultWrite>,
}

/// What must still be so when the commit happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The record.
    pub key: Key,
    /// Its version; 0: it must be absent.
    pub version: u64,
}

/// A record's new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The record's key.
    pub key: Key,
    /// The record with its new version and head.
    pub row: Versioned,
}

impl Commit {
    /// The events with their bodies, as they are stored.
    pub fn bodies(&self) -> impl Iterator<Item = (&Event, &str)> {
        self.events.iter().zip(self.bodies.iter().map(AsRef::as_ref))
    }

    /// Exchanges the commit for its receipt. Call it when, and only when, the store has made it durable.
    #[must_use]
    pub fn committed(self) -> Committed {
        Committed { decisions: self.decisions }
    }

    /// Whether there is nothing to store, so that a read-only transaction over the guards is enough.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty() && self.notices.is_empty() && self.vault.is_empty()
    }

    fn scope_of(&self, key: &Key) -> Option<ScopeId> {
        self.writes.iter().find(|write| write.key == *key).and_then(|write| write.row.record.index().scope)
    }

    /// The commit as text rows, identical in every language, for stores that keep text.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let guard = |guard: &Guard| GuardRow { key: guard.key.to_string(), version: guard.version };
        let write = |write: &Write| WriteRow {
            key: write.key.to_string(),
            version: write.row.version,
            body: write.row.body(),
            index: write.row.record.index(),
        };
        let event = |(event, body): (&Event, &str)| EventRow {
            key: event.key.to_string(),
            version: event.version,
            at: event.at,
            fact: event.fact.name(),
            scope: self.scope_of(&event.key),
            body: body.to_owned(),
        };
        let notice =
            |notice: &Notice| NoticeRow { coalesce: notice.coalesce(), at: notice.at, body: notice.body() };
        let vault = |write: &VaultWrite| match write {
            VaultWrite::Put { id, sealed } => {
                VaultRow { key: Key::Secret(*id).to_string(), sealed: Some(sealed.clone()) }
            }
            VaultWrite::Shred { id } => VaultRow { key: Key::Secret(*id).to_string(), sealed: None },
        };
        Batch {
            guards: self.guards.iter().map(guard).collect(),
            writes: self.writes.iter().map(write).collect(),
            events: self.bodies().map(event).collect(),
            notices: self.notices.iter().map(notice).collect(),
            vault: self.vault.iter().map(vault).collect(),
        }
    }
}

/// A commit as rows of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Batch {
    /// Rows that must have these versions; 0: absent.
    pub guards: Vec<GuardRow>,
    /// Rows to insert or replace.
    pub writes: Vec<WriteRow>,
    /// Rows to append.
    pub events: Vec<EventRow>,
    /// Rows to count.
    pub notices: Vec<NoticeRow>,
    /// Rows of the vault to insert or delete.
    pub vault: Vec<VaultRow>,
}

/// A condition of the commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GuardRow {
    /// The record's key.
    pub key: String,
    /// Its version; 0: absent.
    pub version: u64,
}

/// A record to insert or replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WriteRow {
    /// Its key.
    pub key: String,
    /// Its new version.
    pub version: u64,
    /// Its body: opaque text, to be stored as it is.
    pub body: String,
    /// What a database may want columns for.
    pub index: Index,
}

/// An event to append. `(key, version)` is unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventRow {
    /// The record's key.
    pub key: String,
    /// The record's version after it.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// The fact's name.
    pub fact: &'static str,
    /// The scope, where the record has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeId>,
    /// Its body: opaque text, to be stored as it is.
    pub body: String,
}

/// A notice: insert with a count of 1, or add 1 to the row of that key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoticeRow {
    /// The key under which it is counted.
    pub coalesce: String,
    /// When.
    pub at: Timestamp,
    /// Its body: opaque text.
    pub body: String,
}

/// A row of the vault.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VaultRow {
    /// Its key, `secret/<id>`.
    pub key: String,
    /// Its ciphertext; absent: delete the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

impl std::fmt::Debug for VaultRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.sealed.is_some() { "put" } else { "shred" };
        write!(formatter, "{what} {}", self.key)
    }
}
