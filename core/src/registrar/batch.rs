//! Several commands in one commit, for records that everybody writes: a scope with a quota, a package of many uses.

use std::{collections::BTreeMap, sync::Arc};

use rand_core::CryptoRng;

use super::Registrar;
use crate::{
    id::SecretId,
    limits,
    record::{Key, Look, Records, Versioned},
    time::Now,
    vocabulary::{Answer, Command, Commit, Committed, Error, Guard, Outcome, Pending, VaultWrite, Write},
};

/// What `decide_all` comes to.
#[derive(Debug)]
pub enum BatchOutcome {
    /// These rows must be looked at first; then decide again.
    Need(Vec<Key>),
    /// One commit for all of them.
    Decision(Box<BatchDecision>),
}

/// One commit for several commands, and what it releases.
#[derive(Debug)]
pub struct BatchDecision {
    /// All of it, in one transaction.
    pub commit: Commit,
    /// What it releases.
    pub pending: PendingAll,
}

/// Answers that cannot be had before the commit.
#[derive(Debug)]
pub struct PendingAll(Vec<Result<Pending, Error>>);

impl PendingAll {
    /// Gives the answers in the order of the commands, in exchange for the receipt of their commit. A command with bad
    /// input has an error in its place; the others do not suffer from it.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the receipt is another commit's.
    pub fn release(self, committed: &Committed) -> Result<Vec<Result<Answer, Error>>, Error> {
        if self.0.iter().flatten().any(|pending| !committed.covers(pending)) {
            return Err(Error::Misuse("the receipt belongs to another decision"));
        }
        Ok(self.0.into_iter().map(|pending| pending?.give()).collect())
    }
}

impl Registrar {
    /// Decides up to [`limits::BATCH_COMMANDS`] commands one after the other, each on what the ones before it have
    /// brought about, and folds them into one commit: where a single record is hot, a host commits once instead of
    /// conflicting with itself.
    ///
    /// # Errors
    /// [`Error::Input`] for too many commands; a broken store or configuration, as [`Registrar::decide`]. Bad input of
    /// one command is its own answer.
    pub fn decide_all(
        &self,
        commands: &[Command],
        records: &dyn Records,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<BatchOutcome, Error> {
        if commands.len() > limits::BATCH_COMMANDS {
            return Err(Error::input("commands", &format!("at most {}", limits::BATCH_COMMANDS)));
        }
        let mut folded = Folded::new(records);
        let mut needed = Vec::new();
        let mut pending = Vec::with_capacity(commands.len());
        for command in commands {
            match self.decide(command, &folded, now, rng) {
                Ok(Outcome::Need(keys)) => needed.extend(keys),
                Ok(Outcome::Decision(decision)) if needed.is_empty() => {
                    folded.add(decision.commit);
                    pending.push(Ok(decision.pending));
                }
                Ok(Outcome::Decision(_)) => {} // it will be decided again
                Err(error @ Error::Input { .. }) => pending.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        if !needed.is_empty() {
            needed.sort_unstable();
            needed.dedup();
            return Ok(BatchOutcome::Need(needed));
        }
        let ids = pending.iter().flatten().map(|pending: &Pending| pending.decision).collect();
        let commit = folded.into_commit(ids);
        Ok(BatchOutcome::Decision(Box::new(BatchDecision { commit, pending: PendingAll(pending) })))
    }
}

/// The records as they will be once what has been decided so far is committed.
struct Folded<'a> {
    records: &'a dyn Records,
    changed: BTreeMap<Key, Versioned>,
    sealed: BTreeMap<SecretId, Option<Arc<str>>>,
    guards: BTreeMap<Key, u64>,
    commit: Commit,
}

impl<'a> Folded<'a> {
    fn new(records: &'a dyn Records) -> Self {
        let (changed, sealed, guards) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { records, changed, sealed, guards, commit: Commit::default() }
    }

    fn add(&mut self, commit: Commit) {
        for Guard { key, version } in commit.guards {
            if !self.changed.contains_key(&key) {
                self.guards.entry(key).or_insert(version);
            }
        }
        for write in commit.vault {
            let (id, sealed) = match write {
                VaultWrite::Put { id, sealed } => (id, Some(sealed.into())),
                VaultWrite::Shred { id } => (id, None),
            };
            self.sealed.insert(id, sealed);
        }
        self.changed.extend(commit.writes.into_iter().map(|Write { key, row }| (key, row)));
        self.commit.events.extend(commit.events);
        self.commit.bodies.extend(commit.bodies);
        self.commit.notices.extend(commit.notices);
    }

    fn into_commit(self, decisions: Vec<crate::id::DecisionId>) -> Commit {
        let vault = self.sealed.into_iter().map(|(id, sealed)| match sealed {
            Some(sealed) => VaultWrite::Put { id, sealed: sealed.as_ref().to_owned() },
            None => VaultWrite::Shred { id },
        });
        Commit {
            decisions,
            guards: self.guards.into_iter().map(|(key, version)| Guard { key, version }).collect(),
            writes: self.changed.into_iter().map(|(key, row)| Write { key, row }).collect(),
            vault: vault.collect(),
            ..self.commit
        }
    }
}

impl Records for Folded<'_> {
    fn look(&self, key: &Key) -> Look {
        match key.secret() {
            Some(id) => match self.sealed.get(&id) {
                Some(Some(sealed)) => Look::Sealed(Arc::clone(sealed)),
                Some(None) => Look::Absent,
                None => self.records.look(key),
            },
            None => {
                self.changed.get(key).map_or_else(|| self.records.look(key), |row| Look::Record(row.clone()))
            }
        }
    }
}
