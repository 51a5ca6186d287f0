//! The embedded default store: all records in memory, with snapshot and replay.

mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use rand_core::CryptoRng;

use crate::{
    crypto::Backend,
    id::{Digest, SecretId},
    limits,
    record::{Key, Look, Record, Records, Row, Versioned, apply},
    registrar::Registrar,
    time::{Now, Timestamp},
    vocabulary::{Answer, Command, Commit, Error, Event, Notice, Outcome, VaultWrite},
};

/// A store in memory. Cheap enough for hundreds of thousands of packages; what it holds is lost with the process
/// unless the host keeps snapshots.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    records: HashMap<Key, Versioned, Fixed>,
    vault: BTreeMap<SecretId, Arc<str>>,
    wakes: BTreeSet<(Timestamp, Key)>,
    notices: BTreeMap<String, CountedNotice>,
    log: Option<Vec<Event>>,
}

/// A hash without a random seed: the core draws no entropy. Only accepted commands add keys, so a stranger cannot
/// fill a bucket.
type Fixed = BuildHasherDefault<DefaultHasher>;

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

    /// Gives the rows that exist, as text.
    #[must_use]
    pub fn read(&self, keys: &[Key]) -> Vec<Row> {
        keys.iter().filter_map(|key| self.row(key)).collect()
    }

    fn row(&self, key: &Key) -> Option<Row> {
        let (version, body) = match key.secret() {
            Some(id) => (1, self.vault.get(&id)?.to_string()),
            None => {
                let versioned = self.records.get(key)?;
                (versioned.version, versioned.body())
            }
        };
        Some(Row { key: key.clone(), version, body })
    }

    /// Commits all of it if every guard holds, and nothing otherwise.
    #[must_use]
    pub fn commit(&mut self, commit: &Commit) -> bool {
        let version = |key: &Key| self.records.get(key).map_or(0, |versioned| versioned.version);
        let held = commit.guards.iter().all(|guard| version(&guard.key) == guard.version);
        if held {
            self.store(commit);
        }
        held
    }

    fn store(&mut self, commit: &Commit) {
        for write in &commit.writes {
            self.put(write.key.clone(), write.row.clone());
        }
        for write in &commit.vault {
            match write {
                VaultWrite::Put { id, sealed } => drop(self.vault.insert(*id, sealed.as_str().into())),
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

    fn put(&mut self, key: Key, versioned: Versioned) {
        let wake_at = versioned.record.wake_at();
        let before = self.records.insert(key.clone(), versioned).and_then(|before| before.record.wake_at());
        if before != wake_at {
            if let Some(at) = before {
                self.wakes.remove(&(at, key.clone()));
            }
            if let Some(at) = wake_at {
                self.wakes.insert((at, key));
            }
        }
    }

    /// Replaces a sealed secret by what [`Registrar::reseal`] made of it, if it is still as it was read.
    #[must_use]
    pub fn reseal(&mut self, row: &Row, write: &VaultWrite) -> bool {
        let VaultWrite::Put { id, sealed } = write else { return false };
        match self.vault.get_mut(id) {
            Some(kept) if Key::Secret(*id) == row.key && **kept == *row.body => {
                *kept = sealed.as_str().into();
                true
            }
            Some(_) | None => false,
        }
    }

    /// The records about which something is due by now, the most urgent first, at most `limit`.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<Key> {
        self.wakes.iter().take_while(|(at, _)| *at <= now).take(limit).map(|(_, key)| key.clone()).collect()
    }

    /// When something is due next: a host may sleep until then.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// One record.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Record> {
        self.records.get(key).map(|versioned| &versioned.record)
    }

    /// All records, in the order of their keys; sorted at each call.
    #[expect(clippy::disallowed_methods, reason = "sorted right after, so no order leaks out")]
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Versioned)> {
        let mut records: Vec<_> = self.records.iter().collect();
        records.sort_unstable_by_key(|(key, _)| *key);
        records.into_iter()
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

    /// The names of the secrets that are kept.
    pub fn secrets(&self) -> impl Iterator<Item = SecretId> {
        self.vault.keys().copied()
    }

    /// Folds a history, the bodies of its events as they are stored, into records, bit for bit as they were, and checks
    /// that each fact is linked to the one before it of its record. A history holds no secrets, so the vault stays
    /// empty.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] when an event is missing, altered or does not fit; [`Error::NewerSchema`].
    pub fn replay<T: AsRef<str>>(
        bodies: impl IntoIterator<Item = T>,
        backend: &dyn Backend,
    ) -> Result<Self, Error> {
        let mut ledger = Self::new();
        for body in bodies {
            ledger.replay_one(body.as_ref(), backend)?;
        }
        Ok(ledger)
    }

    fn replay_one(&mut self, body: &str, backend: &dyn Backend) -> Result<(), Error> {
        let event = Event::from_body(body)?;
        let corrupt = |why| Error::CorruptRecord(format!("event {} of {} {why}", event.version, event.key));
        let before = self.records.get(&event.key).cloned();
        let (version, head, record) =
            before.map_or((0, None, None), |before| (before.version, before.head, Some(before.record)));
        if event.version != version.saturating_add(1) {
            return Err(corrupt("follows none"));
        }
        if event.previous != head && event.schema > UNLINKED_SCHEMA {
            return Err(corrupt("is not linked to the one before it"));
        }
        let record = apply(record, &event).ok_or_else(|| corrupt("does not fit"))?;
        let head = (event.schema > UNLINKED_SCHEMA).then(|| Digest::new(backend.sha256(body.as_bytes())));
        let row = Versioned { version: event.version, head, record };
        self.put(event.key, row);
        Ok(())
    }
}

/// The last schema in which facts were not linked.
const UNLINKED_SCHEMA: u32 = 1;

impl Records for Ledger {
    fn look(&self, key: &Key) -> Look {
        match key.secret() {
            Some(id) => self.vault.get(&id).map_or(Look::Absent, |sealed| Look::Sealed(Arc::clone(sealed))),
            None => self.records.get(key).map_or(Look::Absent, |versioned| Look::Record(versioned.clone())),
        }
    }
}
