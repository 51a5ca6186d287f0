//! Where a ledger keeps its rows: numbered places, found by their key.
//!
//! The places lie in chunks, so that growing never copies what is there, and the indexes hold a place's number (four
//! bytes) instead of its key (forty and a text).

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use hashbrown::HashTable;

/// A place's number; it stays the same for as long as the row is there.
pub(super) type Number = u32;

/// A hash without a random seed: the core draws no entropy. Only accepted commands add keys, so a stranger cannot
/// fill a bucket.
pub(super) type Fixed = BuildHasherDefault<DefaultHasher>;

/// A row that bears its key.
pub(super) trait Keyed {
    type Key: Hash + Eq;

    fn key(&self) -> &Self::Key;
}

/// All rows of one kind.
#[derive(Clone, Debug)]
pub(super) struct Slots<R> {
    chunks: Vec<Vec<Option<R>>>,
    free: Vec<Number>,
    numbers: HashTable<Number>,
}

impl<R> Default for Slots<R> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), numbers: HashTable::new() }
    }
}

const CHUNK: usize = 1024;

impl<R: Keyed> Slots<R> {
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn find(&self, key: &R::Key) -> Option<Number> {
        let is_there = |number: &Number| self.get(*number).is_some_and(|row| row.key() == key);
        self.numbers.find(hash(key), is_there).copied()
    }

    pub(super) fn get(&self, number: Number) -> Option<&R> {
        place(&self.chunks, number)
    }

    pub(super) fn look(&self, key: &R::Key) -> Option<&R> {
        self.find(key).and_then(|number| self.get(number))
    }

    /// Fills a place, and gives what was there before.
    pub(super) fn set(&mut self, row: R) -> (Number, Option<R>) {
        match self.find(row.key()) {
            Some(number) => (number, self.place_mut(number).and_then(|place| place.replace(row))),
            None => (self.insert(row), None),
        }
    }

    /// Adds a row whose key is not there yet.
    fn insert(&mut self, row: R) -> Number {
        let hash_of_row = hash(row.key());
        let number = self.free.pop().unwrap_or_else(|| self.grow());
        if let Some(empty) = self.place_mut(number) {
            *empty = Some(row);
        }
        let chunks = &self.chunks;
        let rehash = |number: &Number| place(chunks, *number).map_or(0, |row| hash(row.key()));
        self.numbers.insert_unique(hash_of_row, number, rehash);
        number
    }

    pub(super) fn remove(&mut self, key: &R::Key) -> Option<R> {
        let number = self.find(key)?;
        self.numbers.find_entry(hash(key), |known| *known == number).ok()?.remove();
        self.free.push(number);
        self.place_mut(number)?.take()
    }

    /// All rows, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &R> {
        self.chunks.iter().flatten().flatten()
    }

    fn place_mut(&mut self, number: Number) -> Option<&mut Option<R>> {
        let (chunk, place) = split(number);
        self.chunks.get_mut(chunk)?.get_mut(place)
    }

    fn grow(&mut self) -> Number {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let Some(chunk) = self.chunks.last_mut() else { return 0 };
        let number = before.saturating_add(chunk.len());
        chunk.push(None);
        Number::try_from(number).unwrap_or(Number::MAX)
    }
}

fn place<R>(chunks: &[Vec<Option<R>>], number: Number) -> Option<&R> {
    let (chunk, place) = split(number);
    chunks.get(chunk)?.get(place)?.as_ref()
}

fn split(number: Number) -> (usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    (number / CHUNK, number % CHUNK)
}

fn hash(key: &impl Hash) -> u64 {
    Fixed::default().hash_one(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keyed for (u32, &'static str) {
        type Key = u32;

        fn key(&self) -> &u32 {
            &self.0
        }
    }

    #[test]
    fn places_are_used_again_and_others_stay() {
        let mut slots = Slots::default();
        let numbers: Vec<_> = (0..3000).map(|key| slots.set((key, "first")).0).collect();
        for key in (0..3000).step_by(2) {
            assert_eq!(slots.remove(&key), Some((key, "first")));
            assert_eq!(slots.remove(&key), None);
        }
        assert_eq!((slots.len(), slots.iter().count()), (1500, 1500));
        let (again, before) = slots.set((5000, "second"));
        assert!(numbers.contains(&again) && before.is_none(), "{again}");
        for (key, number) in (0..3000).zip(&numbers) {
            assert_eq!(slots.find(&key), (key % 2 == 1).then_some(*number), "{key}");
        }
        assert_eq!(slots.set((1, "third")), (numbers[1], Some((1, "first"))));
        assert_eq!(slots.look(&1), Some(&(1, "third")));
    }
}
