//! A ledger as text: one JSON row on each line, after a line that says what it is.

use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::{
    record::{Key, Row, SCHEMA, Versioned},
    vocabulary::Error,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    schema: u32,
}

const FORMAT: &str = "handfast snapshot";

impl Ledger {
    /// Writes all records and sealed secrets. The history and the refusals are logs, and not in it.
    #[must_use]
    pub fn snapshot(&self) -> String {
        let mut text = line(&Header { format: FORMAT.to_owned(), schema: SCHEMA });
        let keys =
            self.iter().map(|(key, _)| key.clone()).chain(self.vault.keys().map(|id| Key::Secret(*id)));
        for row in keys.filter_map(|key| self.row(&key)) {
            text.push_str(&line(&row));
        }
        text
    }

    /// Reads what [`Ledger::snapshot`] wrote.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`], [`Error::NewerSchema`].
    pub fn restore(text: &str) -> Result<Self, Error> {
        let corrupt = |error: serde_json::Error| Error::CorruptRecord(format!("snapshot: {error}"));
        let mut lines = text.lines();
        let header: Header = serde_json::from_str(lines.next().unwrap_or_default()).map_err(corrupt)?;
        if header.format != FORMAT {
            return Err(Error::CorruptRecord("not a handfast snapshot".to_owned()));
        }
        if header.schema > SCHEMA {
            return Err(Error::NewerSchema(header.schema));
        }
        let mut ledger = Self::new();
        for line in lines {
            let row: Row = serde_json::from_str(line).map_err(corrupt)?;
            match row.key.secret() {
                Some(id) => drop(ledger.vault.insert(id, row.body.into())),
                None => {
                    let versioned = Versioned::from_body(row.version, &row.body)?;
                    ledger.put(row.key, versioned);
                }
            }
        }
        Ok(ledger)
    }
}

fn line(value: &impl Serialize) -> String {
    let mut text = crate::json::canonical_of(value);
    text.push('\n');
    text
}
