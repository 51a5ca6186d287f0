//! Ordered lists of numbered places, four to eight bytes for each entry.
//!
//! A list is named by a group and lies in buckets of up to [`BUCKET`] numbers. Buckets are in order; within a bucket the
//! numbers are in none, and are put in order when a page is read. So an entry costs one number, and adding, removing and
//! reading from any place cost `O(log n)` and one bucket.

use std::collections::BTreeMap;

use super::slots::Number;

/// Entries of one bucket.
const BUCKET: usize = 256;

/// Lists of entries that are ordered by `P` within their group. The key of a bucket is an upper bound of its entries;
/// only the start of a range has no `P`.
#[derive(Clone, Debug)]
pub(super) struct Buckets<P>(BTreeMap<(u64, Option<P>), Vec<Number>>);

impl<P> Default for Buckets<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P: Ord + Clone> Buckets<P> {
    /// Adds an entry that is not in the list yet. `place_of` gives the place of an entry of this very list.
    pub(super) fn insert(
        &mut self,
        group: u64,
        place: P,
        number: Number,
        place_of: impl Fn(Number) -> Option<P>,
    ) {
        let key = (group, Some(place));
        if let Some((bound, entries)) = self.0.range_mut(&key..).next()
            && bound.0 == group
        {
            entries.push(number);
            if entries.len() > BUCKET {
                let bound = bound.clone();
                self.split(bound, number, place_of);
            }
            return;
        }
        self.insert_last(key, number, place_of);
    }

    /// The entry goes behind all others of its list: the last bucket takes it and reaches further.
    fn insert_last(&mut self, key: (u64, Option<P>), number: Number, place_of: impl Fn(Number) -> Option<P>) {
        let last = self.0.range((key.0, None)..=key.clone()).next_back().map(|(bound, _)| bound.clone());
        let mut entries = last.and_then(|bound| self.0.remove(&bound)).unwrap_or_default();
        entries.push(number);
        let full = entries.len() > BUCKET;
        self.0.insert(key.clone(), entries);
        if full {
            self.split(key, number, place_of);
        }
    }

    /// Lists mostly grow at one end, so an entry that went there begins a bucket of its own and leaves a full one.
    fn split(&mut self, bound: (u64, Option<P>), newest: Number, place_of: impl Fn(Number) -> Option<P>) {
        let Some(entries) = self.0.remove(&bound) else { return };
        let mut sorted: Vec<_> = entries.iter().map(|number| (place_of(*number), *number)).collect();
        sorted.sort_unstable();
        let is_newest =
            |entry: Option<&(Option<P>, Number)>| entry.is_some_and(|(_, number)| *number == newest);
        let middle = match (is_newest(sorted.first()), is_newest(sorted.last())) {
            (true, _) => 1,
            (false, true) => sorted.len().saturating_sub(1),
            (false, false) => sorted.len() / 2,
        };
        let upper = sorted.split_off(middle);
        let numbers = |entries: &[(Option<P>, Number)]| entries.iter().map(|(_, number)| *number).collect();
        if let Some((place, _)) = sorted.last() {
            self.0.insert((bound.0, place.clone()), numbers(&sorted));
        }
        self.0.insert(bound, numbers(&upper));
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, group: u64, place: P, number: Number) {
        let key = (group, Some(place));
        let Some((bound, entries)) = self.0.range_mut(&key..).next().filter(|(bound, _)| bound.0 == group)
        else {
            return;
        };
        let Some(found) = entries.iter().position(|known| *known == number) else { return };
        entries.swap_remove(found);
        if entries.is_empty() {
            let bound = bound.clone();
            self.0.remove(&bound);
        } else if entries.len() < entries.capacity() / 4 {
            entries.shrink_to(entries.len().saturating_mul(2));
        }
    }

    /// The entries of a list in order, those after a place, or all.
    pub(super) fn iter(
        &self,
        group: u64,
        after: Option<P>,
        place_of: impl Fn(Number) -> Option<P>,
    ) -> impl Iterator<Item = (P, Number)> {
        let buckets = self.0.range((group, after.clone())..).take_while(move |((list, _), _)| *list == group);
        buckets.flat_map(move |(_, entries)| {
            let placed = entries.iter().filter_map(|number| Some((place_of(*number)?, *number)));
            let mut sorted: Vec<_> =
                placed.filter(|(place, _)| after.as_ref().is_none_or(|after| place > after)).collect();
            sorted.sort_unstable();
            sorted
        })
    }

    /// How many entries a list has, counted as far as `enough`.
    pub(super) fn count_to(&self, group: u64, enough: usize) -> usize {
        let mut count = 0_usize;
        for (_, entries) in self.0.range((group, None)..).take_while(|((list, _), _)| *list == group) {
            count = count.saturating_add(entries.len());
            if count >= enough {
                return enough;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// An entry's place is told by its number, but in another order.
    #[expect(clippy::unnecessary_wraps, reason = "the shape that lists ask for")]
    fn place_of(number: Number) -> Option<u32> {
        Some(number.reverse_bits() >> 12)
    }

    fn check(lists: &Buckets<u32>, model: &BTreeSet<(u64, u32, Number)>) {
        for group in 0..3 {
            let expected: Vec<_> =
                model.iter().filter(|entry| entry.0 == group).map(|entry| (entry.1, entry.2)).collect();
            assert_eq!(lists.iter(group, None, place_of).collect::<Vec<_>>(), expected);
            let last = expected.last().map_or(0, |(place, _)| *place);
            for after in [0, 1000, 1 << 19, last] {
                let rest: Vec<_> = expected.iter().filter(|(place, _)| *place > after).copied().collect();
                assert_eq!(lists.iter(group, Some(after), place_of).collect::<Vec<_>>(), rest);
            }
            assert_eq!(lists.count_to(group, usize::MAX), expected.len());
            assert_eq!(lists.count_to(group, 5), expected.len().min(5));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_list_is_a_sorted_set(changes in prop::collection::vec((0_u64..3, 0_u32..900, 0_u8..4), 0..4000)) {
            let (mut lists, mut model) = (Buckets::default(), BTreeSet::new());
            for (group, number, what) in changes {
                let place = place_of(number).unwrap();
                let entry = (group, place, number);
                if what == 0 {
                    lists.remove(group, place, number);
                    model.remove(&entry);
                } else if model.insert(entry) {
                    lists.insert(group, place, number, place_of);
                }
            }
            check(&lists, &model);
        }
    }

    #[test]
    fn growing_at_either_end_fills_the_buckets() {
        for descending in [false, true] {
            let place = |number: Number| Some(if descending { 10_000 - number } else { number });
            let mut lists = Buckets::default();
            (0..10_000).for_each(|number| lists.insert(7, place(number).unwrap(), number, place));
            assert!(lists.0.len() <= 10_000_usize.div_ceil(BUCKET) + 1, "{}", lists.0.len());
            assert!(lists.iter(7, None, place).map(|(place, _)| place).is_sorted());
            assert_eq!(lists.iter(7, Some(9_000), place).count(), if descending { 1000 } else { 999 });
        }
    }
}
