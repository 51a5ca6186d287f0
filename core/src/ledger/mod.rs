//! The embedded default store: all records in memory, with lists, a feed of subjects, snapshot and replay.
//!
//! It is made for a million outstanding packages. One that nobody has redeemed takes less than 1 KiB with its name, its
//! sealed token and its place in every list; deciding on one costs at most half as much again among a million as among a
//! thousand; a page of a list costs what is on it.

mod buckets;
mod cursor;
mod index;
mod kept;
mod replay;
mod rows;
mod slots;
mod snapshot;
mod subjects;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rand_core::CryptoRng;

pub use self::{
    cursor::Cursor,
    index::{Filter, LabelFilter, Page},
    subjects::{Change, ChangeCursor, Changes, Standing},
};
use self::{
    index::Index,
    kept::{Kept, Shapes},
    rows::{RecordRow, RecordRows, SecretRow, SecretRows},
    slots::Number,
    subjects::Feed,
};
use crate::{
    id::SecretId,
    limits,
    record::{Key, Look, Record, Records, Row, Versioned},
    registrar::{BatchOutcome, Registrar},
    time::{Now, Timestamp},
    vocabulary::{Answer, Command, Commit, Error, Event, Notice, Outcome, VaultWrite},
};

/// A store in memory, for a million outstanding packages and more; what it holds is lost with the process unless the
/// host keeps snapshots.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    records: RecordRows,
    vault: SecretRows,
    shapes: Shapes,
    wakes: BTreeSet<(Timestamp, Number)>,
    index: Index,
    feed: Feed,
    notices: BTreeMap<String, CountedNotice>,
    log: Option<Vec<Event>>,
}

/// Refusals of one kind, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedNotice {
    /// The first of them.
    pub first: Notice,
    /// How many.
    pub count: u64,
}

impl Ledger {
    /// An empty ledger that keeps records and no history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty ledger that also keeps every event.
    #[must_use]
    pub fn recording() -> Self {
        Self { log: Some(Vec::new()), ..Self::default() }
    }

    /// Decides a command on this ledger and commits it: `decide`, `commit` and `release` in one.
    ///
    /// # Errors
    /// As [`Registrar::decide`].
    pub fn run(
        &mut self,
        registrar: &Registrar,
        command: &Command,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<Answer, Error> {
        match registrar.decide(command, self, now, rng)? {
            Outcome::Need(_) => Err(Error::Misuse("a ledger knows every key")),
            Outcome::Decision(decision) => {
                self.store(&decision.commit); // decided on this very state: every guard holds
                decision.pending.release(decision.commit.committed())
            }
        }
    }

    /// Decides several commands on this ledger, each on what the ones before it have brought about, and commits them
    /// together; one by one where something keeps them from it. One answer for each, in their order.
    ///
    /// # Errors
    /// [`Error::Input`] for more than [`limits::BATCH_COMMANDS`]. What is wrong with a command is its answer.
    pub fn run_all(
        &mut self,
        registrar: &Registrar,
        commands: &[Command],
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Result<Answer, Error>>, Error> {
        match registrar.decide_all(commands, self, now, rng) {
            Ok(BatchOutcome::Decision(decision)) => {
                self.store(&decision.commit);
                decision.pending.release(&decision.commit.committed())
            }
            Err(too_many @ Error::Input { .. }) => Err(too_many),
            Ok(BatchOutcome::Need(_)) | Err(_) => {
                Ok(commands.iter().map(|command| self.run(registrar, command, now, rng)).collect())
            }
        }
    }

    /// Gives the rows that exist, as text.
    #[must_use]
    pub fn read(&self, keys: &[Key]) -> Vec<Row> {
        keys.iter().filter_map(|key| self.row(key)).collect()
    }

    fn row(&self, key: &Key) -> Option<Row> {
        let (version, body) = match key.secret() {
            Some(id) => (1, self.vault.look(&id)?.sealed.to_string()),
            None => {
                let row = self.records.look(key)?;
                (row.version, row.versioned().body())
            }
        };
        Some(Row { key: key.clone(), version, body })
    }

    /// Commits all of it if every guard holds, and nothing otherwise.
    #[must_use]
    pub fn commit(&mut self, commit: &Commit) -> bool {
        let version = |key: &Key| self.records.look(key).map_or(0, |row| row.version);
        let held = commit.guards.iter().all(|guard| version(&guard.key) == guard.version);
        if held {
            self.store(commit);
        }
        held
    }

    fn store(&mut self, commit: &Commit) {
        for write in &commit.writes {
            let number = self.put(write.key.clone(), write.row.clone());
            if let (Key::Subject(scope, _), Some(decision)) = (&write.key, commit.decisions.last()) {
                self.feed.change(scope, number, *decision);
            }
        }
        for write in &commit.vault {
            match write {
                VaultWrite::Put { id, sealed } => self.keep(*id, sealed.as_str().into()),
                VaultWrite::Shred { id } => drop(self.vault.remove(id)),
            }
        }
        for notice in &commit.notices {
            let counted = self
                .notices
                .entry(notice.coalesce())
                .or_insert_with(|| CountedNotice { first: notice.clone(), count: 0 });
            counted.count = counted.count.saturating_add(1);
        }
        while self.notices.len() > limits::LEDGER_NOTICES {
            self.notices.pop_first();
        }
        if let Some(log) = &mut self.log {
            log.extend_from_slice(&commit.events);
        }
    }

    fn put(&mut self, mut key: Key, versioned: Versioned) -> Number {
        let Versioned { version, head, record } = versioned;
        let kept = Kept::new(&mut key, record, &mut self.shapes);
        let wake_at = kept.wake_at();
        let (number, before) = self.records.set(RecordRow { key, version, head, kept });
        let before = before.map(|row| row.kept);
        let woke_at = before.as_ref().and_then(Kept::wake_at);
        if woke_at != wake_at {
            woke_at.map(|at| self.wakes.remove(&(at, number)));
            wake_at.map(|at| self.wakes.insert((at, number)));
        }
        self.index.change(before.as_ref(), number, &self.records);
        number
    }

    fn keep(&mut self, id: SecretId, sealed: Arc<str>) {
        self.vault.set(SecretRow { id, sealed });
    }

    /// Replaces a sealed secret by what [`Registrar::reseal`] made of it, if it is still as it was read.
    #[must_use]
    pub fn reseal(&mut self, row: &Row, write: &VaultWrite) -> bool {
        let VaultWrite::Put { id, sealed } = write else { return false };
        let kept = self.vault.look(id).is_some_and(|kept| *kept.sealed == *row.body);
        let held = kept && Key::Secret(*id) == row.key;
        if held {
            self.keep(*id, sealed.as_str().into());
        }
        held
    }

    /// Seals anew whatever is not sealed under the current key, and says how much that was; see [`Registrar::reseal`].
    ///
    /// # Errors
    /// As [`Registrar::reseal`]; what was sealed anew before stays so.
    pub fn reseal_all(&mut self, registrar: &Registrar, rng: &mut dyn CryptoRng) -> Result<usize, Error> {
        let mut count: usize = 0;
        for id in self.secrets().collect::<Vec<_>>() {
            let Some(row) = self.row(&Key::Secret(id)) else { continue };
            if let Some(write) = registrar.reseal(&row, rng)? {
                count = count.saturating_add(usize::from(self.reseal(&row, &write)));
            }
        }
        Ok(count)
    }

    /// The records about which something is due by now, the most urgent first, at most `limit`.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<Key> {
        let due = self.wakes.iter().take_while(|(at, _)| *at <= now).take(limit);
        due.filter_map(|(_, number)| Some(self.records.get(*number)?.key.clone())).collect()
    }

    /// When something is due next: a host may sleep until then. It is the next deadline of any record, or the next
    /// instant at which an effect may be tried again.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// One record. A copy, but a cheap one: its contents are shared until they change.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Record> {
        self.records.look(key).map(|row| row.kept.record())
    }

    /// How many rows there are: records and sealed secrets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len().saturating_add(self.vault.len())
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All records, in the order of their keys; sorted at each call.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, Versioned)> {
        self.records.sorted().map(|row| (&row.key, row.versioned()))
    }

    /// The history, if it is kept.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        self.log.as_deref().unwrap_or_default()
    }

    /// The refusals, counted, in the order of their coalescing keys.
    pub fn notices(&self) -> impl Iterator<Item = &CountedNotice> {
        self.notices.values()
    }

    /// The names of the secrets that are kept, in their order; sorted at each call.
    pub fn secrets(&self) -> impl Iterator<Item = SecretId> {
        self.vault.sorted().map(|row| row.id)
    }
}

impl Records for Ledger {
    fn look(&self, key: &Key) -> Look {
        match key.secret() {
            Some(id) => {
                self.vault.look(&id).map_or(Look::Absent, |row| Look::Sealed(Arc::clone(&row.sealed)))
            }
            None => self.records.look(key).map_or(Look::Absent, |row| Look::Record(row.versioned())),
        }
    }
}
