//! Where a ledger keeps its rows: numbered places, found by their key.
//!
//! The places lie in chunks, so that growing never copies what is there, and the indexes hold a place's number (four
//! bytes) instead of its key (forty and a text).

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use hashbrown::HashTable;

use super::kept::Kept;
use crate::{
    id::Digest,
    record::{Key, Versioned},
};

/// A place's number; it stays the same for as long as the row is there.
pub(super) type Number = u32;

/// A hash without a random seed: the core draws no entropy. Only accepted commands add keys, so a stranger cannot
/// fill a bucket.
pub(super) type Fixed = BuildHasherDefault<DefaultHasher>;

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) key: Key,
    /// Counts a record's events; 1 for a sealed secret.
    pub(super) version: u64,
    /// The digest of a record's last event.
    pub(super) head: Option<Digest>,
    pub(super) kept: Kept,
}

impl Slot {
    /// The record, unless it is a sealed secret.
    pub(super) fn versioned(&self) -> Option<Versioned> {
        Some(Versioned { version: self.version, head: self.head, record: self.kept.record(&self.key)? })
    }

    /// The row's text.
    pub(super) fn body(&self) -> Option<String> {
        match &self.kept {
            Kept::Sealed(sealed) => Some(sealed.to_string()),
            Kept::Whole(_) | Kept::Folded(_) | Kept::Name { .. } => Some(self.versioned()?.body()),
        }
    }
}

/// All rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    chunks: Vec<Vec<Option<Slot>>>,
    free: Vec<Number>,
    numbers: HashTable<Number>,
}

const CHUNK: usize = 1024;

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn find(&self, key: &Key) -> Option<Number> {
        self.numbers.find(hash(key), |number| self.is_at(*number, key)).copied()
    }

    pub(super) fn get(&self, number: Number) -> Option<&Slot> {
        let (chunk, place) = split(number);
        self.chunks.get(chunk)?.get(place)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Slot> {
        let (chunk, place) = split(number);
        self.chunks.get_mut(chunk)?.get_mut(place)?.as_mut()
    }

    pub(super) fn look(&self, key: &Key) -> Option<&Slot> {
        self.find(key).and_then(|number| self.get(number))
    }

    /// Adds a row whose key is not there yet.
    pub(super) fn insert(&mut self, slot: Slot) -> Number {
        let hash = hash(&slot.key);
        let number = self.free.pop().unwrap_or_else(|| self.grow());
        let (chunk, place) = split(number);
        if let Some(empty) = self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(place)) {
            *empty = Some(slot);
        }
        let chunks = &self.chunks;
        self.numbers.insert_unique(hash, number, |number| rehash(chunks, *number));
        number
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Slot> {
        let number = self.find(key)?;
        let entry = self.numbers.find_entry(hash(key), |known| *known == number);
        drop(entry.ok()?.remove());
        self.free.push(number);
        let (chunk, place) = split(number);
        self.chunks.get_mut(chunk)?.get_mut(place)?.take()
    }

    /// All rows in the order of their keys.
    pub(super) fn sorted(&self) -> impl Iterator<Item = &Slot> {
        let slots = self.chunks.iter().flatten().flatten();
        let mut sorted: Vec<_> = slots.map(|slot| (Rank::of(&slot.key), slot)).collect();
        sorted.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.key.cmp(&other.key)));
        sorted.into_iter().map(|(_, slot)| slot)
    }

    fn is_at(&self, number: Number, key: &Key) -> bool {
        self.get(number).is_some_and(|slot| slot.key == *key)
    }

    fn grow(&mut self) -> Number {
        let full = self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK);
        if full {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let Some(chunk) = self.chunks.last_mut() else { return 0 };
        let number = before.saturating_add(chunk.len());
        chunk.push(None);
        Number::try_from(number).unwrap_or(Number::MAX)
    }
}

fn split(number: Number) -> (usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    (number / CHUNK, number % CHUNK)
}

fn rehash(chunks: &[Vec<Option<Slot>>], number: Number) -> u64 {
    let (chunk, place) = split(number);
    let slot = chunks.get(chunk).and_then(|chunk| chunk.get(place)).and_then(Option::as_ref);
    slot.map_or(0, |slot| hash(&slot.key))
}

fn hash(key: &Key) -> u64 {
    Fixed::default().hash_one(key)
}

/// The beginning of a key, so that sorting many does not have to look up their texts. Orders as keys do, as far as it goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    kind: u8,
    start: [u8; 23],
}

impl Rank {
    fn of(key: &Key) -> Self {
        match key {
            Key::Scope(scope) => Self::new(0, &[scope.as_str().as_bytes()]),
            Key::Pool(scope, name) => {
                Self::new(1, &[scope.as_str().as_bytes(), &[0], name.as_str().as_bytes()])
            }
            Key::Package(id) => Self::new(2, &[id.as_bytes()]),
            Key::Name(scope, name) => {
                Self::new(3, &[scope.as_str().as_bytes(), &[0], name.as_str().as_bytes()])
            }
            Key::Subject(scope, _) => Self::new(4, &[scope.as_str().as_bytes()]),
            Key::Node(_) => Self::new(5, &[]),
            Key::Instance(id) => Self::new(6, &[id.as_str().as_bytes()]),
            Key::Secret(id) => Self::new(7, &[id.package.as_bytes(), &id.number.to_be_bytes()]),
        }
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

    fn slot(text: &str) -> Slot {
        Slot { key: text.parse().unwrap(), version: 1, head: None, kept: Kept::Sealed("x".into()) }
    }

    fn keys() -> Vec<String> {
        let ids = ["019b7ca9-8c88-7118-b0d3-641a68f94a69", "019b7caa-8a70-70aa-a53c-a305cc06f5c9"];
        let mut keys: Vec<_> = ids
            .iter()
            .flat_map(|id| {
                [
                    format!("package/{id}"),
                    format!("secret/{id}.1"),
                    format!("secret/{id}.10"),
                    format!("secret/{id}.2"),
                ]
            })
            .collect();
        for scope in ["default", "defaul", "default.x", "d"] {
            for name in
                ["a-name-of-many-letters-1", "a-name-of-many-letters", "a-name-of-many-letters-0", "b", "-"]
            {
                keys.extend(["name", "subject", "pool"].map(|kind| format!("{kind}/{scope}/x{name}")));
                keys.extend([format!("subject/{scope}/node/x{name}"), format!("scope/{scope}.x{name}")]);
            }
        }
        keys.extend((0..50).map(|place| format!("node/n-{place:032x}")));
        keys.extend(["instance/i-4c87e963".to_owned(), "instance/i-0154e7d1fba186b38".to_owned()]);
        keys
    }

    #[test]
    fn rows_come_in_the_order_of_their_keys() {
        let mut slots = Slots::default();
        for key in keys() {
            slots.insert(slot(&key));
        }
        let mut expected: Vec<Key> = keys().iter().map(|key| key.parse().unwrap()).collect();
        expected.sort();
        assert_eq!(slots.sorted().map(|slot| slot.key.clone()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn places_are_used_again_and_others_stay() {
        let mut slots = Slots::default();
        let names: Vec<_> = (0..3000).map(|place| format!("name/default/x{place}")).collect();
        let numbers: Vec<_> = names.iter().map(|name| slots.insert(slot(name))).collect();
        for name in names.iter().step_by(2) {
            assert_eq!(slots.remove(&name.parse().unwrap()).unwrap().key.to_string(), *name);
            assert!(slots.remove(&name.parse().unwrap()).is_none());
        }
        assert_eq!(slots.len(), 1500);
        let again = slots.insert(slot("name/default/again"));
        assert!(numbers.contains(&again), "{again}");
        for (place, (name, number)) in names.iter().zip(&numbers).enumerate() {
            let expected = (place % 2 == 1).then_some(*number);
            assert_eq!(slots.find(&name.parse().unwrap()), expected, "{name}");
        }
    }
}
