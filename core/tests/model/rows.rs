//! The store as part of a state: what rows say, without the digests of how they came to say it, so that different
//! histories that come to the same are one state.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use handfast::{
    record::{Key, Look, Record, Records, Versioned},
    vocabulary::{Commit, VaultWrite},
};

/// A record with its version; compared by its text, and hashed by a digest of that.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) version: u64,
    pub(crate) record: Record,
    text: Arc<str>,
    digest: u64,
}

impl Row {
    pub(crate) fn new(version: u64, record: &Record) -> Self {
        let text: Arc<str> = Versioned { version, head: None, record: record.clone() }.body().into();
        let mut hasher = DefaultHasher::new();
        (version, &text).hash(&mut hasher);
        Self { version, record: record.clone(), text, digest: hasher.finish() }
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && (self.version, &self.text) == (other.version, &other.text)
    }
}

impl Eq for Row {}

impl Hash for Row {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.digest.hash(hasher);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kept {
    Absent,
    Row(Row),
    Sealed(Arc<str>),
}

/// Rows by their keys: all of the store, or what a host has read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rows(pub(crate) BTreeMap<Key, Kept>);

impl Rows {
    pub(crate) fn version(&self, key: &Key) -> u64 {
        match self.0.get(key) {
            Some(Kept::Row(row)) => row.version,
            _ => 0,
        }
    }

    pub(crate) fn record(&self, key: &Key) -> Option<&Record> {
        match self.0.get(key) {
            Some(Kept::Row(row)) => Some(&row.record),
            _ => None,
        }
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.0.values().filter_map(|kept| if let Kept::Row(row) = kept { Some(&row.record) } else { None })
    }

    pub(crate) fn read_from(&mut self, store: &Self, keys: &[Key]) {
        for key in keys {
            let kept = store.0.get(key).cloned().unwrap_or(Kept::Absent);
            self.0.insert(key.clone(), kept);
        }
    }

    pub(crate) fn apply(&mut self, commit: &Commit) {
        for write in &commit.writes {
            self.0.insert(write.key.clone(), Kept::Row(Row::new(write.row.version, &write.row.record)));
        }
        for write in &commit.vault {
            match write {
                VaultWrite::Put { id, sealed } => {
                    self.0.insert(Key::Secret(*id), Kept::Sealed(sealed.as_str().into()));
                }
                VaultWrite::Shred { id } => drop(self.0.remove(&Key::Secret(*id))),
            }
        }
    }
}

impl Records for Rows {
    fn look(&self, key: &Key) -> Look {
        match self.0.get(key) {
            None => Look::Unknown,
            Some(Kept::Absent) => Look::Absent,
            Some(Kept::Row(row)) => {
                Look::Record(Versioned { version: row.version, head: None, record: row.record.clone() })
            }
            Some(Kept::Sealed(sealed)) => Look::Sealed(Arc::clone(sealed)),
        }
    }
}
