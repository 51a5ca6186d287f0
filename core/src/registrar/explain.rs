//! The dry run: what would come of a command, without secrets and without a release.

use std::{collections::BTreeSet, convert::Infallible};

use rand_core::{TryCryptoRng, TryRng};
use serde::Serialize;

use super::Registrar;
use crate::{
    record::{Key, Records},
    time::Now,
    vocabulary::{Command, Commit, Error, Outcome, Refused},
};

/// What would come of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Explanation {
    /// It cannot be said before these rows have been looked at.
    Need {
        /// The rows.
        keys: Vec<Key>,
    },
    /// It would be refused.
    Refused(Refused),
    /// It would be accepted, and these facts would happen; none, when nothing would change.
    Accepted {
        /// The names of the facts, in order.
        facts: Vec<&'static str>,
        /// The records that would change, in the order of their keys: what a revocation reaches, for one. New ones have no
        /// key yet and are not among them.
        records: Vec<Key>,
    },
}

impl Registrar {
    /// Says what would come of a command at some instant ("why would this be refused at 14:05?"). Nothing can be
    /// committed or released from it.
    ///
    /// # Errors
    /// As [`Registrar::decide`].
    pub fn explain(&self, command: &Command, records: &dyn Records, now: Now) -> Result<Explanation, Error> {
        match self.decide(command, records, now, &mut NoEntropy)? {
            Outcome::Need(keys) => Ok(Explanation::Need { keys }),
            Outcome::Decision(decision) => Ok(match decision.refused() {
                Some(refused) => Explanation::Refused(refused.clone()),
                None => Explanation::Accepted {
                    facts: decision.commit.events.iter().map(|event| event.fact.name()).collect(),
                    records: changed(&decision.commit),
                },
            }),
        }
    }
}

fn changed(commit: &Commit) -> Vec<Key> {
    let was_there = |key: &Key| commit.guards.iter().any(|guard| guard.key == *key && guard.version > 0);
    let keys = commit.writes.iter().map(|write| &write.key).filter(|key| was_there(key));
    keys.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Zeroes. What a dry run would draw is dropped, so it must not cost the host entropy, and must not look like a secret.
struct NoEntropy;

impl TryRng for NoEntropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for NoEntropy {}
