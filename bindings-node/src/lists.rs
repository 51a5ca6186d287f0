//! Lists of a ledger.

use std::{fmt::Display, str::FromStr};

use handfast::{
    ledger::{self, Changes, Page},
    record::{Key, Versioned},
    vocabulary::{WriteRow, from_value},
};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::{
    carry::{self, parse},
    error::{Result, Throw},
};

/// Which packages are wanted.
#[napi(object, object_to_js = false)]
pub struct Filter {
    /// In this scope.
    pub scope: Option<String>,
    /// With this status.
    pub status: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// With this label: a key, or `key=value`.
    pub label: Option<String>,
    /// Directly under this package.
    pub parent: Option<String>,
    /// With a name that begins so.
    pub name_prefix: Option<String>,
}

impl Filter {
    /// Reads the filter.
    pub(crate) fn read(&self) -> Result<ledger::Filter> {
        let status = |status: &String| from_value(Value::from(status.as_str()), "status");
        Ok(ledger::Filter {
            scope: parsed(self.scope.as_deref(), "scope")?,
            status: self.status.as_ref().map(status).transpose().map_err(Throw::throw)?,
            kind: parsed(self.kind.as_deref(), "kind")?,
            label: parsed(self.label.as_deref(), "label")?,
            parent: parsed(self.parent.as_deref(), "parent")?,
            name_prefix: parsed(self.name_prefix.as_deref(), "namePrefix")?,
        })
    }
}

/// A record with its key, as a store keeps it.
pub(crate) fn row(key: &Key, versioned: &Versioned) -> WriteRow {
    WriteRow {
        key: key.to_string(),
        version: versioned.version,
        body: versioned.body(),
        index: versioned.record.index(),
    }
}

/// A page of records, as JSON.
pub(crate) fn page(page: &Page) -> String {
    let records: Vec<_> = page.records.iter().map(|(key, versioned)| row(key, versioned)).collect();
    carry::write(&json!({ "records": records, "next": page.next }))
}

/// Changes of subjects, as JSON.
pub(crate) fn changes(changes: &Changes) -> String {
    let entries: Vec<_> = changes
        .entries
        .iter()
        .map(|change| json!({ "subject": change.subject, "standing": change.standing }))
        .collect();
    let (restart, next, more) = (changes.restart, changes.next, changes.more);
    carry::write(&json!({ "restart": restart, "subjects": entries, "next": next, "more": more }))
}

/// An identifier or a cursor that may have been given.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: Option<&str>, argument: &str) -> Result<Option<T>> {
    text.map(|text| parse(text, argument)).transpose()
}

/// How many at most.
pub(crate) fn limit(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
