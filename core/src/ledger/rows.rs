//! The rows of a ledger: a record under its key, a sealed secret under its id.

use std::sync::Arc;

use super::{
    kept::Kept,
    slots::{Keyed, Slots},
};
use crate::{
    id::{Digest, SecretId},
    record::{Key, Versioned},
};

/// A record.
#[derive(Clone, Debug)]
pub(super) struct RecordRow {
    pub(super) key: Key,
    /// Counts the record's events.
    pub(super) version: u64,
    /// The digest of its last event.
    pub(super) head: Option<Digest>,
    pub(super) kept: Kept,
}

impl RecordRow {
    pub(super) fn versioned(&self) -> Versioned {
        Versioned { version: self.version, head: self.head, record: self.kept.record() }
    }
}

impl Keyed for RecordRow {
    type Key = Key;

    fn key(&self) -> &Key {
        &self.key
    }
}

/// A sealed secret.
#[derive(Clone, Debug)]
pub(super) struct SecretRow {
    pub(super) id: SecretId,
    pub(super) sealed: Arc<str>,
}

impl Keyed for SecretRow {
    type Key = SecretId;

    fn key(&self) -> &SecretId {
        &self.id
    }
}

/// All records.
pub(super) type RecordRows = Slots<RecordRow>;

impl RecordRows {
    /// In the order of their keys.
    pub(super) fn sorted(&self) -> impl Iterator<Item = &RecordRow> {
        let mut sorted: Vec<_> = self.iter().map(|row| (Rank::of(&row.key), row)).collect();
        sorted.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.key.cmp(&other.key)));
        sorted.into_iter().map(|(_, row)| row)
    }
}

/// All sealed secrets.
pub(super) type SecretRows = Slots<SecretRow>;

impl SecretRows {
    /// In the order of their ids.
    pub(super) fn sorted(&self) -> impl Iterator<Item = &SecretRow> {
        let mut sorted: Vec<_> = self.iter().map(|row| (row.id, row)).collect();
        sorted.sort_unstable_by_key(|(id, _)| *id);
        sorted.into_iter().map(|(_, row)| row)
    }
}

/// The beginning of a key, so that sorting many does not have to look up their texts. Orders as keys do, as far as it
/// goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    kind: u8,
    start: [u8; 23],
}

impl Rank {
    fn of(key: &Key) -> Self {
        match key {
            Key::Scope(scope) => Self::new(0, &[scope.as_str().as_bytes()]),
            Key::Pool(scope, name) => Self::within(1, scope.as_str(), name.as_str()),
            Key::Package(id) => Self::new(2, &[id.as_bytes()]),
            Key::Name(scope, name) => Self::within(3, scope.as_str(), name.as_str()),
            Key::Subject(scope, _) => Self::new(4, &[scope.as_str().as_bytes()]),
            Key::Node(_) => Self::new(5, &[]),
            Key::Instance(id) => Self::new(6, &[id.as_str().as_bytes()]),
            Key::Secret(id) => Self::new(7, &[id.package.as_bytes(), &id.number.to_be_bytes()]),
        }
    }

    /// No scope holds the byte that ends it here.
    fn within(kind: u8, scope: &str, name: &str) -> Self {
        Self::new(kind, &[scope.as_bytes(), &[0], name.as_bytes()])
    }

    fn new(kind: u8, parts: &[&[u8]]) -> Self {
        let mut start = [0; 23];
        for (to, from) in start.iter_mut().zip(parts.iter().copied().flatten()) {
            *to = *from;
        }
        Self { kind, start }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::NameEntry;

    fn keys() -> Vec<Key> {
        let ids = ["019b7ca9-8c88-7118-b0d3-641a68f94a69", "019b7caa-8a70-70aa-a53c-a305cc06f5c9"];
        let mut keys: Vec<_> = ids.iter().map(|id| format!("package/{id}")).collect();
        for scope in ["default", "defaul", "default.x", "d"] {
            keys.push(format!("scope/{scope}"));
            for name in
                ["a-name-of-many-letters-1", "a-name-of-many-letters", "a-name-of-many-letters-0", "b", "-"]
            {
                keys.extend(["name", "subject", "pool"].map(|kind| format!("{kind}/{scope}/x{name}")));
                keys.push(format!("subject/{scope}/node/x{name}"));
            }
        }
        keys.extend((0..50).map(|place| format!("node/n-{place:032x}")));
        keys.extend(["instance/i-4c87e963".to_owned(), "instance/i-0154e7d1fba186b38".to_owned()]);
        keys.iter().map(|key| key.parse().unwrap()).collect()
    }

    #[test]
    fn records_come_in_the_order_of_their_keys() {
        let entry = NameEntry {
            scope: "default".parse().unwrap(),
            package: None,
            updated_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        let mut rows = RecordRows::default();
        for key in keys() {
            rows.set(RecordRow { key, version: 1, head: None, kept: Kept::Name(entry.clone()) });
        }
        let mut expected = keys();
        expected.sort();
        assert_eq!(rows.sorted().map(|row| row.key.clone()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn secrets_come_in_the_order_of_their_ids() {
        let package = |byte| crate::id::PackageId::from_bytes([byte; 16]);
        let ids = [(2, 1), (1, 10), (1, 2), (2, 0)]
            .map(|(byte, number)| SecretId { package: package(byte), number });
        let mut rows = SecretRows::default();
        for id in ids {
            rows.set(SecretRow { id, sealed: "x".into() });
        }
        assert_eq!(rows.sorted().map(|row| row.id).collect::<Vec<_>>(), [ids[2], ids[1], ids[3], ids[0]]);
    }
}
