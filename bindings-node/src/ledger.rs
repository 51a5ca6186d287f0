//! The store in memory.

use handfast::{
    crypto::default_backend,
    ledger::{self, Filter},
    record::{Key, Versioned},
    vocabulary::{Commit, Event, EventRow, NoticeRow, WriteRow},
};
use napi::Env;
use napi_derive::napi;
use serde::Serialize;

use crate::{
    carry::{self, Parts, parse},
    command,
    error::{Result, Throw},
    lists,
    registrar::Registrar,
    rows::{self, Row},
    rule::{self, Exclusive},
    session::{self, Settled},
    system,
};

/// A store in memory.
#[napi]
pub struct Ledger(Exclusive<ledger::Ledger>);

#[napi]
impl Ledger {
    /// An empty ledger.
    #[napi(constructor)]
    pub fn new(recording: bool) -> Self {
        Self::from(if recording { ledger::Ledger::recording() } else { ledger::Ledger::new() })
    }

    /// Reads a snapshot.
    #[napi(factory)]
    pub fn restore(snapshot: String) -> Result<Self> {
        ledger::Ledger::restore(&snapshot).map(Self::from).map_err(Throw::throw)
    }

    /// Folds bodies of events into records.
    #[napi(factory)]
    pub fn replay(bodies: Vec<String>) -> Result<Self> {
        ledger::Ledger::replay(bodies, &*default_backend()).map(Self::from).map_err(Throw::throw)
    }

    /// Decides a command and commits it.
    #[napi]
    pub fn run(
        &self,
        env: Env,
        registrar: &Registrar,
        command: command::Carried<'_>,
        now: i64,
        trusted: bool,
    ) -> Result<Parts> {
        let (command, now) = (command::read(&command)?, system::now(now, trusted)?);
        let (mut ledger, mut entropy) = (self.0.get_mut()?, system::entropy()?);
        rule::deciding(env, || ledger.run(registrar.get(), &command, now, &mut entropy))
            .map(|answer| carry::parts(answer.into_parts()))
            .map_err(Throw::throw)
    }

    /// Decides several commands and commits them together.
    #[napi]
    pub fn run_all(
        &self,
        env: Env,
        registrar: &Registrar,
        commands: Vec<command::Carried<'_>>,
        now: i64,
        trusted: bool,
    ) -> Result<Vec<Settled>> {
        let (commands, unreadable) = command::read_all(&commands);
        let now = system::now(now, trusted)?;
        let (mut ledger, mut entropy) = (self.0.get_mut()?, system::entropy()?);
        rule::deciding(env, || ledger.run_all(registrar.get(), &commands, now, &mut entropy))
            .map(|answers| session::settled(answers, &unreadable))
            .map_err(Throw::throw)
    }

    /// Seals anew what is not sealed under the current key, and says how much that was.
    #[napi]
    pub fn reseal(&self, registrar: &Registrar) -> Result<u32> {
        let count = self.0.get_mut()?.reseal_all(registrar.get(), &mut system::entropy()?);
        count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)).map_err(Throw::throw)
    }

    /// What would come of a command, as JSON.
    #[napi]
    pub fn explain(
        &self,
        env: Env,
        registrar: &Registrar,
        command: command::Carried<'_>,
        now: i64,
        trusted: bool,
    ) -> Result<String> {
        let (command, now) = (command::read(&command)?, system::now(now, trusted)?);
        let ledger = self.0.get()?;
        let explanation = rule::deciding(env, || registrar.get().explain(&command, &*ledger, now));
        explanation.map(|explanation| carry::write(&explanation)).map_err(Throw::throw)
    }

    /// The rows that exist.
    #[napi]
    pub fn read(&self, keys: Vec<String>) -> Result<Vec<Row>> {
        Ok(rows::write(self.0.get()?.read(&rows::keys(&keys)?)))
    }

    /// The keys of which something is due.
    #[napi]
    pub fn due(&self, now: i64, limit: u32) -> Result<Vec<String>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let keys = self.0.get()?.due(system::instant(now, "now")?, limit);
        Ok(keys.iter().map(ToString::to_string).collect())
    }

    /// When something is due next.
    #[napi]
    pub fn next_wake(&self) -> Result<Option<String>> {
        Ok(self.0.get()?.next_wake().map(|at| at.to_string()))
    }

    /// All records, or those of one type, as JSON.
    #[napi]
    pub fn records(&self, record: Option<String>) -> Result<String> {
        let row = |(key, versioned): (&Key, Versioned)| lists::row(key, &versioned);
        let wanted = |row: &WriteRow| record.as_ref().is_none_or(|record| row.index.record == record);
        Ok(carry::write(&self.0.get()?.iter().map(row).filter(wanted).collect::<Vec<_>>()))
    }

    /// A page of packages, as JSON.
    #[napi]
    pub fn packages(&self, filter: String, after: Option<String>, limit: u32) -> Result<String> {
        let filter: Filter = carry::read_as(&filter, &Vec::new(), "")?;
        let after = lists::parsed(after.as_deref(), "after")?;
        let ledger = self.0.get()?;
        let page = ledger.packages(&filter, after.as_ref(), lists::limit(limit));
        page.map(|page| lists::page(&page)).map_err(Throw::throw)
    }

    /// A page of a package's nodes, as JSON.
    #[napi]
    pub fn nodes(&self, package: String, after: Option<String>, limit: u32) -> Result<String> {
        let (package, after) = (parse(&package, "package")?, lists::parsed(after.as_deref(), "after")?);
        let ledger = self.0.get()?;
        let page = ledger.nodes(package, after.as_ref(), lists::limit(limit));
        page.map(|page| lists::page(&page)).map_err(Throw::throw)
    }

    /// How subjects stand that have changed, as JSON.
    #[napi]
    pub fn subjects(&self, scope: String, after: Option<String>, limit: u32) -> Result<String> {
        let after = lists::parsed(after.as_deref(), "after")?.unwrap_or_default();
        Ok(carry::write(&self.0.get()?.subjects(&parse(&scope, "scope")?, after, lists::limit(limit))))
    }

    /// How many records and sealed secrets there are.
    #[napi(getter)]
    pub fn size(&self) -> Result<u32> {
        Ok(u32::try_from(self.0.get()?.len()).unwrap_or(u32::MAX))
    }

    /// All records and sealed secrets as text.
    #[napi]
    pub fn snapshot(&self) -> Result<String> {
        Ok(self.0.get()?.snapshot())
    }

    /// The history, as JSON.
    #[napi]
    pub fn events(&self) -> Result<String> {
        let ledger = self.0.get()?;
        let row = |event: &Event| EventRow {
            key: event.key.to_string(),
            version: event.version,
            at: event.at,
            fact: event.fact.name(),
            scope: ledger.get(&event.key).and_then(|record| record.index().scope),
            body: event.body(),
        };
        Ok(carry::write(&ledger.events().iter().map(row).collect::<Vec<_>>()))
    }

    /// The refusals, counted, as JSON.
    #[napi]
    pub fn notices(&self) -> Result<String> {
        let row = |counted: &ledger::CountedNotice| CountedRow {
            count: counted.count,
            notice: NoticeRow {
                coalesce: counted.first.coalesce(),
                at: counted.first.at,
                body: counted.first.body(),
            },
        };
        Ok(carry::write(&self.0.get()?.notices().map(row).collect::<Vec<_>>()))
    }
}

impl Ledger {
    /// Commits, for the conformance suite.
    pub(crate) fn commit(&self, commit: &Commit) -> Result<bool> {
        Ok(self.0.get_mut()?.commit(commit))
    }
}

impl From<ledger::Ledger> for Ledger {
    fn from(ledger: ledger::Ledger) -> Self {
        Self(Exclusive::new(ledger))
    }
}

#[derive(Serialize)]
struct CountedRow {
    count: u64,
    notice: NoticeRow,
}
