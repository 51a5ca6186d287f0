//! The one store that all hosts share: rows of text, guarded commits, and a ledger beside it that must be no different.

use std::collections::{BTreeMap, BTreeSet};

use handfast::{
    id::SecretId,
    ledger::Ledger,
    record::{Key, PackageStatus, Record, Row},
    time::Timestamp,
    vocabulary::{Commit, VaultWrite},
};

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) ledger: Ledger,
    pub(crate) rows: BTreeMap<Key, (u64, String)>,
    pub(crate) records: BTreeMap<Key, Record>,
    pub(crate) vault: BTreeMap<SecretId, String>,
    /// The bodies of all events, in order.
    pub(crate) log: Vec<String>,
    /// The mutation that the watchers must notice.
    pub(crate) ignores_guards: bool,
}

impl Store {
    pub(crate) fn read(&self, keys: &[Key]) -> Vec<Row> {
        let row = |key: &Key| {
            let (version, body) = match key {
                Key::Secret(id) => (1, self.vault.get(id)?.clone()),
                _ => self.rows.get(key)?.clone(),
            };
            Some(Row { key: key.clone(), version, body })
        };
        keys.iter().filter_map(row).collect()
    }

    /// Commits all of it if every guard holds, and nothing otherwise.
    pub(crate) fn commit(&mut self, commit: &Commit) -> bool {
        let version = |key: &Key| self.rows.get(key).map_or(0, |(version, _)| *version);
        let held = commit.guards.iter().all(|guard| version(&guard.key) == guard.version);
        if !held && !self.ignores_guards {
            assert!(!self.ledger.commit(commit), "the ledger takes what a store of text refuses");
            return false;
        }
        assert!(self.ledger.commit(commit) || self.ignores_guards);
        for write in &commit.writes {
            assert!(
                commit.guards.iter().any(|guard| guard.key == write.key),
                "a write without a guard: {}",
                write.key
            );
            self.rows.insert(write.key.clone(), (write.row.version, write.row.body()));
            self.records.insert(write.key.clone(), write.row.record.clone());
        }
        for write in &commit.vault {
            match write {
                VaultWrite::Put { id, sealed } => {
                    assert!(self.vault.insert(*id, sealed.clone()).is_none(), "{id} is used twice");
                }
                VaultWrite::Shred { id } => {
                    assert!(self.vault.remove(id).is_some(), "{id} is shredded twice")
                }
            }
        }
        self.log.extend(commit.bodies().map(|(_, body)| body.to_owned()));
        true
    }

    pub(crate) fn due(&self, now: Timestamp, limit: usize) -> Vec<Key> {
        self.ledger.due(now, limit)
    }

    /// What a host's sweep finds: everything alive right below a package.
    pub(crate) fn below(&self, parent: &Key) -> Vec<Key> {
        let is_below = |(key, record): (&Key, &Record)| {
            let (above, live) = match record {
                Record::Node(node) => (Some(Key::Package(node.package)), node.is_live()),
                Record::Package(package) => {
                    (package.issued.parents.first().map(|id| Key::Package(*id)), package.status.is_live())
                }
                _ => (None, false),
            };
            (live && above.as_ref() == Some(parent)).then(|| key.clone())
        };
        self.records.iter().filter_map(is_below).collect()
    }

    pub(crate) fn live_packages(&self) -> BTreeSet<handfast::id::PackageId> {
        let live = |record: &Record| match record {
            Record::Package(package) if package.status.is_live() => Some(package.id),
            _ => None,
        };
        self.records.values().filter_map(live).collect()
    }

    pub(crate) fn status(&self, id: handfast::id::PackageId) -> Option<PackageStatus> {
        match self.records.get(&Key::Package(id)) {
            Some(Record::Package(package)) => Some(package.status),
            _ => None,
        }
    }
}
