//! Ordered lists of numbered places, four to eight bytes for each entry.
//!
//! A list is named by a hash and lies in buckets of up to [`BUCKET`] numbers. Buckets are in order; within a bucket the
//! numbers are in none, and are put in order when a page is read. So an entry costs one number, and adding, removing and
//! reading from any place cost a search among the buckets and a look through one of them.

use hashbrown::HashTable;

use super::slots::Number;

/// Entries of one bucket.
const BUCKET: usize = 256;

/// Lists of entries that are ordered by `P`, each under a hash that names it.
#[derive(Clone, Debug)]
pub(super) struct Lists<P>(HashTable<(u64, List<P>)>);

/// Many a list has a single entry: there are labels that tell every package apart.
#[derive(Clone, Debug)]
enum List<P> {
    One(Number),
    Many(Box<Buckets<P>>),
}

/// The buckets of a list, the last in the order of the list first: lists mostly grow at their beginning. A bucket holds
/// what is no further than its bound, and beyond the bound of the bucket after it.
#[derive(Clone, Debug)]
struct Buckets<P> {
    bounds: Vec<P>,
    numbers: Vec<Vec<Number>>,
}

impl<P> Default for Lists<P> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<P: Ord + Clone> Lists<P> {
    /// Adds an entry that is not in the list yet. `place_of` gives the place of an entry of this very list.
    pub(super) fn insert(
        &mut self,
        name: u64,
        place: P,
        number: Number,
        place_of: impl Fn(Number) -> Option<P>,
    ) {
        match self.0.find_mut(name, |(known, _)| *known == name) {
            None => drop(self.0.insert_unique(name, (name, List::One(number)), |(name, _)| *name)),
            Some((_, list)) => {
                if let List::One(first) = list {
                    let Some(bound) = place_of(*first) else { return };
                    *list =
                        List::Many(Box::new(Buckets { bounds: vec![bound], numbers: vec![vec![*first]] }));
                }
                if let List::Many(buckets) = list {
                    buckets.insert(place, number, place_of);
                }
            }
        }
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, name: u64, place: &P, number: Number) {
        let Ok(mut entry) = self.0.find_entry(name, |(known, _)| *known == name) else { return };
        let (_, list) = entry.get_mut();
        let is_empty = match list {
            List::One(only) => *only == number,
            List::Many(buckets) => {
                buckets.remove(place, number);
                buckets.numbers.is_empty()
            }
        };
        if is_empty {
            entry.remove();
        }
    }

    /// The entries of a list in order, those after a place, or all.
    pub(super) fn iter(
        &self,
        name: u64,
        after: Option<P>,
        place_of: impl Fn(Number) -> Option<P>,
    ) -> impl Iterator<Item = (P, Number)> {
        let list = self.list(name);
        let one = if let Some(List::One(number)) = list { Some(std::slice::from_ref(number)) } else { None };
        let many =
            if let Some(List::Many(buckets)) = list { Some(buckets.from(after.as_ref())) } else { None };
        one.into_iter().chain(many.into_iter().flatten()).flat_map(move |numbers| {
            let placed = numbers.iter().filter_map(|number| Some((place_of(*number)?, *number)));
            let mut sorted: Vec<_> =
                placed.filter(|(place, _)| after.as_ref().is_none_or(|after| place > after)).collect();
            sorted.sort_unstable();
            sorted
        })
    }

    /// How many entries a list has, counted as far as `enough`.
    pub(super) fn count_to(&self, name: u64, enough: usize) -> usize {
        match self.list(name) {
            None => 0,
            Some(List::One(_)) => enough.min(1),
            Some(List::Many(buckets)) => buckets.count_to(enough),
        }
    }

    fn list(&self, name: u64) -> Option<&List<P>> {
        self.0.find(name, |(known, _)| *known == name).map(|(_, list)| list)
    }
}

impl<P: Ord + Clone> Buckets<P> {
    /// The bucket that a place belongs to; `None` if it is beyond all bounds.
    fn bucket_of(&self, place: &P) -> Option<usize> {
        self.bounds.partition_point(|bound| bound >= place).checked_sub(1)
    }

    fn insert(&mut self, place: P, number: Number, place_of: impl Fn(Number) -> Option<P>) {
        let bucket = self.bucket_of(&place).unwrap_or_else(|| {
            if let Some(bound) = self.bounds.first_mut() {
                *bound = place; // the last bucket reaches further now
            }
            0
        });
        let Some(numbers) = self.numbers.get_mut(bucket) else { return };
        numbers.push(number);
        if numbers.len() > BUCKET {
            self.split(bucket, number, place_of);
        }
    }

    /// Lists mostly grow at one end, so an entry that went there begins a bucket of its own and leaves a full one.
    fn split(&mut self, bucket: usize, newest: Number, place_of: impl Fn(Number) -> Option<P>) {
        let Some(numbers) = self.numbers.get_mut(bucket) else { return };
        numbers.sort_by_cached_key(|number| place_of(*number));
        let middle = match (numbers.first() == Some(&newest), numbers.last() == Some(&newest)) {
            (true, _) => 1,
            (false, true) => numbers.len().saturating_sub(1),
            (false, false) => numbers.len() / 2,
        };
        let further = numbers.split_off(middle);
        let nearer = std::mem::replace(numbers, further);
        if let Some(bound) = nearer.last().and_then(|number| place_of(*number)) {
            let next = bucket.saturating_add(1);
            self.bounds.insert(next, bound);
            self.numbers.insert(next, nearer);
        }
    }

    fn remove(&mut self, place: &P, number: Number) {
        let Some(bucket) = self.bucket_of(place) else { return };
        let Some(numbers) = self.numbers.get_mut(bucket) else { return };
        let Some(found) = numbers.iter().position(|known| *known == number) else { return };
        numbers.swap_remove(found);
        if numbers.is_empty() {
            self.bounds.remove(bucket);
            self.numbers.remove(bucket);
        } else if numbers.len() < numbers.capacity() / 4 {
            numbers.shrink_to(numbers.len().saturating_mul(2));
        }
    }

    /// The buckets in the order of the list, those that hold anything after a place.
    fn from<'a>(&'a self, after: Option<&P>) -> impl Iterator<Item = &'a [Number]> + use<'a, P> {
        let all = self.numbers.len();
        let end = after.map_or(all, |after| self.bounds.partition_point(|bound| bound >= after));
        self.numbers.get(..end).unwrap_or_default().iter().rev().map(Vec::as_slice)
    }

    fn count_to(&self, enough: usize) -> usize {
        let mut count = 0_usize;
        for numbers in &self.numbers {
            count = count.saturating_add(numbers.len());
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

    fn check(lists: &Lists<u32>, model: &BTreeSet<(u64, u32, Number)>) {
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
            let (mut lists, mut model) = (Lists::default(), BTreeSet::new());
            for (group, number, what) in changes {
                let place = place_of(number).unwrap();
                let entry = (group, place, number);
                if what == 0 {
                    lists.remove(group, &place, number);
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
            let mut lists = Lists::default();
            (0..10_000).for_each(|number| lists.insert(7, place(number).unwrap(), number, place));
            let Some(List::Many(buckets)) = lists.list(7) else { panic!() };
            assert!(buckets.numbers.len() <= 10_000_usize.div_ceil(BUCKET) + 1, "{}", buckets.numbers.len());
            assert!(lists.iter(7, None, place).map(|(place, _)| place).is_sorted());
            assert_eq!(lists.iter(7, Some(9_000), place).count(), if descending { 1000 } else { 999 });
        }
    }
}
