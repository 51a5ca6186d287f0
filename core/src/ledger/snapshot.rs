//! A ledger as text: one JSON row on each line, after a line that says what it is.
//!
//! Lines are written and read one at a time, so that a host can stream them to and from a file.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Ledger,
    rows::RecordRow,
    subjects::{Feed, History},
};
use crate::{
    json, limits,
    record::{Key, Row, SCHEMA, Versioned, check_length},
    vocabulary::Error,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    schema: u32,
    /// How often a subject has changed.
    #[serde(default)]
    subject_changes: u64,
    /// The histories that those changes belong to.
    #[serde(default)]
    subject_histories: Vec<History>,
}

const FORMAT: &str = "handfast snapshot";

/// One row as it is read. Schema 1 had its records as texts, too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(default)]
    body: Option<String>,
    /// The number of a subject's latest change.
    #[serde(default)]
    change: Option<u64>,
    key: Key,
    #[serde(borrow, default)]
    record: Option<&'a RawValue>,
    version: u64,
}

impl Ledger {
    /// Writes all records and sealed secrets. The history and the refusals are logs, and not in it.
    #[must_use]
    pub fn snapshot(&self) -> String {
        self.snapshot_lines().fold(String::new(), |mut text, line| {
            text.push_str(&line);
            text.push('\n');
            text
        })
    }

    /// The lines of [`Ledger::snapshot`], each without its end, made as they are asked for.
    pub fn snapshot_lines(&self) -> impl Iterator<Item = String> {
        let (subject_changes, histories) = self.feed.parts();
        let (format, subject_histories) = (FORMAT.to_owned(), histories.to_vec());
        let header = Header { format, schema: SCHEMA, subject_changes, subject_histories };
        let records = self.records.sorted().map(|row| self.record_line(row));
        let secrets = self.vault.sorted().map(|row| {
            let (key, body) = (Key::Secret(row.id), row.sealed.to_string());
            json::canonical_of(&Row { key, version: 1, body })
        });
        std::iter::once(json::canonical_of(&header)).chain(records).chain(secrets)
    }

    /// The record stands in its line as the JSON that it is, so that its text is neither escaped nor read twice.
    fn record_line(&self, row: &RecordRow) -> String {
        let change = self.change_number(&row.key).map(|change| format!("\"change\":{change},"));
        let key = json::canonical_of(&row.key);
        let (record, version) = (row.versioned().body(), row.version);
        format!("{{{}\"key\":{key},\"record\":{record},\"version\":{version}}}", change.unwrap_or_default())
    }

    fn change_number(&self, key: &Key) -> Option<u64> {
        let Key::Subject(..) = key else { return None };
        self.feed.number(self.records.find(key)?)
    }

    /// Reads what [`Ledger::snapshot`] wrote, also in an older schema.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`], [`Error::NewerSchema`].
    pub fn restore(text: &str) -> Result<Self, Error> {
        Self::restore_lines(text.lines())
    }

    /// Reads the lines of [`Ledger::snapshot_lines`].
    ///
    /// # Errors
    /// As [`Ledger::restore`].
    pub fn restore_lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let mut lines = lines.into_iter();
        let header = lines.next();
        let header: Header = read(header.as_ref().map_or("", AsRef::as_ref))?;
        if header.format != FORMAT {
            return Err(Error::CorruptRecord("not a handfast snapshot".to_owned()));
        }
        if header.schema > SCHEMA {
            return Err(Error::NewerSchema(header.schema));
        }
        let feed = Feed::restored(header.subject_changes, header.subject_histories);
        let mut ledger = Self { feed, ..Self::new() };
        for line in lines {
            ledger.take_in(read(line.as_ref())?)?;
        }
        Ok(ledger)
    }

    fn take_in(&mut self, line: Line<'_>) -> Result<(), Error> {
        let Line { body, change, key, record, version } = line;
        let text = record.map(RawValue::get).or(body.as_deref());
        let text = text.ok_or_else(|| Error::CorruptRecord("snapshot: a row without a body".to_owned()))?;
        if let Key::Secret(id) = key {
            self.keep(id, text.into());
            return Ok(());
        }
        let number = self.put(key.clone(), Versioned::from_body(version, text)?);
        if let Key::Subject(scope, _) = &key {
            match change {
                Some(change) => self.feed.place(scope, number, change),
                None => self.feed.place_anew(scope, number),
            }
        }
        Ok(())
    }
}

fn read<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, Error> {
    check_length(line, limits::SNAPSHOT_LINE_BYTES)?;
    serde_json::from_str(line).map_err(|error| Error::CorruptRecord(format!("snapshot: {error}")))
}
