//! Lists of a ledger.

use std::{fmt::Display, str::FromStr};

use handfast::{
    ledger::Page,
    record::{Key, Versioned},
    vocabulary::WriteRow,
};
use serde_json::json;

use crate::{
    carry::{self, parse},
    error::Result,
};

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

/// An identifier or a cursor that may have been given.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: Option<&str>, argument: &str) -> Result<Option<T>> {
    text.map(|text| parse(text, argument)).transpose()
}

/// How many at most.
pub(crate) fn limit(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
