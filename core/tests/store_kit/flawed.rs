//! A small store of text that can be made to do one thing wrong.

use std::collections::BTreeMap;

use handfast::{
    Timestamp,
    record::{Key, Row},
    testing::Store,
    vocabulary::{Batch, Commit, EventRow, VaultRow, WriteRow},
};

/// What a store may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    IgnoresGuards,
    IgnoresAbsence,
    TakesAbsentForAny,
    IgnoresLookedAt,
    IgnoresReplaced,
    TakesNewerForRight,
    RaisesOnConflict,
    KeepsWritesOfRefused,
    KeepsVaultOfRefused,
    KeepsEventsOfRefused,
    AppliesUpToTheFailure,
    RefusesEmptyBatches,
    RefusesRepeatedNotices,
    RaisesOnRepeatedNotices,
    RewritesJson,
    FoldsUnicode,
    CutsTexts,
    FoldsCase,
    GivesEmptyRows,
    GivesFewRows,
    GivesRowsTwice,
    CachesRows,
    MisnumbersSecrets,
    KeepsShredded,
    ShredsInMemoryOnly,
    LosesVault,
    LosesAllOnCrash,
    FlushesLate,
    DueIgnoresLimit,
    DueIgnoresOrder,
    DueLimitsBeforeOrder,
    DueExcludesNow,
    DueIgnoresNow,
    DueKeepsFirst,
    LosesEvents,
    ReordersEvents,
}

#[derive(Clone, Default)]
struct Tables {
    records: BTreeMap<String, Stored>,
    vault: BTreeMap<String, String>,
    notices: BTreeMap<String, u64>,
    events: Vec<EventRow>,
}

#[derive(Clone)]
struct Stored {
    version: u64,
    body: String,
    wake_at: Option<Timestamp>,
}

pub(crate) struct Flawed {
    flaw: Flaw,
    /// What the process sees.
    tables: Tables,
    /// What survives it.
    disk: Tables,
    /// What there was before the last commit.
    behind: Tables,
    cache: BTreeMap<Key, Row>,
    /// It cannot be opened again.
    pub(crate) opens_once: bool,
}

impl Store for Flawed {
    type Error = &'static str;

    fn fresh(&mut self) -> Result<(), &'static str> {
        *self = Self { opens_once: self.opens_once, ..Self::new(self.flaw) };
        Ok(())
    }

    fn read(&mut self, keys: &[Key]) -> Result<Vec<Row>, &'static str> {
        let few = if self.has(Flaw::GivesFewRows) { 32 } else { usize::MAX };
        let mut rows: Vec<_> = keys.iter().filter_map(|key| self.row(key)).take(few).collect();
        if self.has(Flaw::CachesRows) {
            for row in &mut rows {
                *row = self.cache.entry(row.key.clone()).or_insert_with(|| row.clone()).clone();
            }
        }
        if self.has(Flaw::GivesRowsTwice) {
            rows.extend(rows.clone());
        }
        Ok(rows)
    }

    fn commit(&mut self, commit: &Commit) -> Result<bool, &'static str> {
        let held = self.apply(&commit.batch());
        self.flush();
        held
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Key>, &'static str> {
        let wakes = self.tables.records.iter().filter_map(|(key, stored)| Some((stored.wake_at?, key)));
        let mut due: Vec<_> = match self.flaw {
            Flaw::DueExcludesNow => wakes.filter(|(at, _)| *at < now).collect(),
            Flaw::DueIgnoresNow => wakes.collect(),
            _ => wakes.filter(|(at, _)| *at <= now).collect(),
        };
        if self.has(Flaw::DueLimitsBeforeOrder) {
            due.truncate(limit);
        }
        if !self.has(Flaw::DueIgnoresOrder) {
            due.sort();
        }
        if !self.has(Flaw::DueIgnoresLimit) {
            due.truncate(limit);
        }
        Ok(due.into_iter().map(|(_, key)| key.parse().unwrap()).collect())
    }

    fn reopen(&mut self) -> Result<bool, &'static str> {
        if !self.opens_once {
            self.tables = self.disk.clone();
            self.cache.clear();
        }
        Ok(!self.opens_once)
    }

    fn events(&mut self, key: &Key) -> Result<Option<Vec<String>>, &'static str> {
        let mut events: Vec<_> = self.tables.events.iter().filter(|row| row.key == key.to_string()).collect();
        if self.has(Flaw::ReordersEvents) {
            events.sort_by_key(|row| row.version.to_string());
        }
        Ok(Some(events.into_iter().map(|row| row.body.clone()).collect()))
    }
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            tables: Tables::default(),
            disk: Tables::default(),
            behind: Tables::default(),
            cache: BTreeMap::new(),
            opens_once: false,
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn apply(&mut self, batch: &Batch) -> Result<bool, &'static str> {
        if self.has(Flaw::AppliesUpToTheFailure) {
            return self.apply_one_by_one(batch);
        }
        if !self.guards_hold(batch) {
            match self.flaw {
                Flaw::RaisesOnConflict => return Err("version conflict"),
                Flaw::KeepsWritesOfRefused => batch.writes.iter().for_each(|row| self.write(row)),
                Flaw::KeepsVaultOfRefused => batch.vault.iter().for_each(|row| self.keep(row)),
                Flaw::KeepsEventsOfRefused => self.tables.events.extend(batch.events.iter().cloned()),
                _ => {}
            }
            return Ok(false);
        }
        let empty = batch.writes.is_empty() && batch.notices.is_empty() && batch.vault.is_empty();
        if empty && self.has(Flaw::RefusesEmptyBatches) || !self.count(batch)? {
            return Ok(false);
        }
        batch.events.iter().try_for_each(|row| self.append(row))?;
        batch.writes.iter().for_each(|row| self.write(row));
        batch.vault.iter().for_each(|row| self.keep(row));
        Ok(true)
    }

    /// Each statement for itself, without a transaction around them.
    fn apply_one_by_one(&mut self, batch: &Batch) -> Result<bool, &'static str> {
        for guard in &batch.guards {
            if self.version(&guard.key) != guard.version {
                return Ok(false);
            }
            batch.writes.iter().filter(|row| row.key == guard.key).for_each(|row| self.write(row));
        }
        batch.vault.iter().for_each(|row| self.keep(row));
        self.count(batch)?;
        batch.events.iter().try_for_each(|row| self.append(row))?;
        Ok(true)
    }

    pub(crate) fn guards_hold(&self, batch: &Batch) -> bool {
        batch.guards.iter().all(|guard| {
            let version = self.version(&guard.key);
            let written = batch.writes.iter().any(|write| write.key == guard.key);
            match self.flaw {
                Flaw::IgnoresGuards => true,
                Flaw::IgnoresAbsence if guard.version == 0 => true,
                Flaw::TakesAbsentForAny if version == 0 => true,
                Flaw::IgnoresLookedAt if !written => true,
                Flaw::IgnoresReplaced if written && guard.version > 0 => true,
                Flaw::TakesNewerForRight if guard.version > 0 => version >= guard.version,
                _ => version == guard.version,
            }
        })
    }

    fn version(&self, key: &str) -> u64 {
        self.tables.records.get(&self.key(key)).map_or(0, |stored| stored.version)
    }

    fn write(&mut self, row: &WriteRow) {
        let key = self.key(&row.key);
        let before = self.tables.records.get(&key).and_then(|stored| stored.wake_at);
        let wake_at =
            if self.has(Flaw::DueKeepsFirst) { before.or(row.index.wake_at) } else { row.index.wake_at };
        self.tables.records.insert(key, Stored { version: row.version, body: self.text(&row.body), wake_at });
    }

    fn keep(&mut self, row: &VaultRow) {
        match &row.sealed {
            Some(_) if self.has(Flaw::LosesVault) => {}
            Some(sealed) => drop(self.tables.vault.insert(row.key.clone(), self.text(sealed))),
            None if self.has(Flaw::KeepsShredded) => {}
            None => drop(self.tables.vault.remove(&row.key)),
        }
    }

    fn append(&mut self, row: &EventRow) -> Result<(), &'static str> {
        let known =
            self.tables.events.iter().any(|known| known.key == row.key && known.version == row.version);
        if known && self.has(Flaw::KeepsEventsOfRefused) {
            return Err("duplicate event");
        }
        if !(self.has(Flaw::LosesEvents) && row.version == 2) {
            self.tables.events.push(row.clone());
        }
        Ok(())
    }

    fn count(&mut self, batch: &Batch) -> Result<bool, &'static str> {
        for row in &batch.notices {
            let count = self.tables.notices.entry(row.coalesce.clone()).or_default();
            *count += 1;
            match (self.flaw, *count) {
                (Flaw::RefusesRepeatedNotices, 2..) => return Ok(false),
                (Flaw::RaisesOnRepeatedNotices, 2..) => return Err("duplicate notice"),
                _ => {}
            }
        }
        Ok(true)
    }

    fn flush(&mut self) {
        let behind = std::mem::replace(&mut self.behind, self.tables.clone());
        let vault = std::mem::take(&mut self.disk.vault);
        match self.flaw {
            Flaw::LosesAllOnCrash => {}
            Flaw::FlushesLate => self.disk = behind,
            _ => self.disk = self.tables.clone(),
        }
        if self.has(Flaw::ShredsInMemoryOnly) {
            self.disk.vault.extend(vault);
        }
    }

    fn row(&self, key: &Key) -> Option<Row> {
        let row = |version, body: &str| Row { key: key.clone(), version, body: body.to_owned() };
        let name = self.key(&key.to_string());
        let one = if self.has(Flaw::MisnumbersSecrets) { 0 } else { 1 };
        let sealed = self.tables.vault.get(&name).map(|sealed| row(one, sealed));
        let record = || self.tables.records.get(&name).map(|stored| row(stored.version, &stored.body));
        let empty = || self.has(Flaw::GivesEmptyRows).then(|| row(0, ""));
        sealed.or_else(record).or_else(empty)
    }

    fn key(&self, key: &str) -> String {
        if self.has(Flaw::FoldsCase) { key.to_lowercase() } else { key.to_owned() }
    }

    fn text(&self, text: &str) -> String {
        match self.flaw {
            Flaw::RewritesJson => rewritten(text),
            Flaw::FoldsUnicode => text.replace("e\u{301}", "\u{e9}"),
            Flaw::CutsTexts => text.chars().take(65_535).collect(),
            _ => text.to_owned(),
        }
    }
}

/// Members sorted by the length of their names, and spaces after the colons, as a database's own JSON may have it.
fn rewritten(text: &str) -> String {
    let Ok(members) = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(text) else {
        return text.to_owned();
    };
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_by_key(|(name, _)| name.len());
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(", "))
}
