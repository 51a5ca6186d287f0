//! What a right store would hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    record::{Key, Row},
    time::Timestamp,
    vocabulary::{Commit, Event, Guard, VaultWrite},
};

/// The model: rows of text, and what became of those that are gone.
#[derive(Debug, Default)]
pub(super) struct Model {
    records: BTreeMap<Key, Stored>,
    vault: BTreeMap<Key, String>,
    shredded: BTreeSet<Key>,
    refused: BTreeSet<Key>,
    notices: BTreeSet<String>,
    events: BTreeMap<Key, Vec<String>>,
}

#[derive(Debug)]
struct Stored {
    version: u64,
    body: String,
    wake_at: Option<Timestamp>,
}

impl Model {
    /// The first guard that does not hold, with the version that the row has; 0: there is none.
    pub(super) fn broken_guard<'a>(&self, commit: &'a Commit) -> Option<(&'a Guard, u64)> {
        let with_version = commit.guards.iter().map(|guard| (guard, self.version(&guard.key)));
        with_version.into_iter().find(|(guard, version)| guard.version != *version)
    }

    fn version(&self, key: &Key) -> u64 {
        self.records.get(key).map_or(0, |stored| stored.version)
    }

    /// Does all of it.
    pub(super) fn commit(&mut self, commit: &Commit) {
        for write in &commit.writes {
            let (version, wake_at) = (write.row.version, write.row.record.wake_at());
            self.records.insert(write.key.clone(), Stored { version, body: write.row.body(), wake_at });
        }
        for write in &commit.vault {
            match write {
                VaultWrite::Put { id, sealed } => drop(self.vault.insert(Key::Secret(*id), sealed.clone())),
                VaultWrite::Shred { id } => {
                    self.vault.remove(&Key::Secret(*id));
                    self.shredded.insert(Key::Secret(*id));
                }
            }
        }
        self.notices.extend(commit.notices.iter().map(crate::vocabulary::Notice::coalesce));
        for (event, body) in commit.bodies() {
            self.events.entry(event.key.clone()).or_default().push(body.to_owned());
        }
    }

    /// Remembers what must not be there.
    pub(super) fn refuse(&mut self, commit: &Commit) {
        self.refused.extend(commit.writes.iter().map(|write| write.key.clone()));
        self.refused.extend(commit.vault.iter().map(vault_key));
    }

    pub(super) fn row(&self, key: &Key) -> Option<Row> {
        let row = |version, body: &String| Row { key: key.clone(), version, body: body.clone() };
        let sealed = self.vault.get(key).map(|sealed| row(1, sealed));
        sealed.or_else(|| self.records.get(key).map(|stored| row(stored.version, &stored.body)))
    }

    /// Everything that was ever written or refused, whether or not it is there.
    pub(super) fn known(&self) -> Vec<Key> {
        let there = self.records.keys().chain(self.vault.keys());
        let known: BTreeSet<_> = there.chain(&self.shredded).chain(&self.refused).collect();
        known.into_iter().cloned().collect()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Key> {
        self.records.keys()
    }

    pub(super) fn sealed(&self) -> impl Iterator<Item = &Key> {
        self.vault.keys()
    }

    pub(super) fn is_shredded(&self, key: &Key) -> bool {
        self.shredded.contains(key)
    }

    pub(super) fn wake_at(&self, key: &Key) -> Option<Timestamp> {
        self.records.get(key).and_then(|stored| stored.wake_at)
    }

    /// Everything that has a `wake_at`, the earliest first.
    pub(super) fn wakes(&self) -> Vec<(Timestamp, Key)> {
        let wakes = self.records.iter().filter_map(|(key, stored)| Some((stored.wake_at?, key.clone())));
        let sorted: BTreeSet<_> = wakes.collect();
        sorted.into_iter().collect()
    }

    pub(super) fn events(&self, key: &Key) -> &[String] {
        self.events.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether a notice of the batch is counted already.
    pub(super) fn counts_again(&self, commit: &Commit) -> bool {
        commit.notices.iter().any(|notice| self.notices.contains(&notice.coalesce()))
    }

    /// Whether a batch about the same rows was refused before.
    pub(super) fn was_refused(&self, events: &[Event]) -> bool {
        events.iter().any(|event| self.refused.contains(&event.key))
    }
}

pub(super) fn vault_key(write: &VaultWrite) -> Key {
    match write {
        VaultWrite::Put { id, .. } | VaultWrite::Shred { id } => Key::Secret(*id),
    }
}
