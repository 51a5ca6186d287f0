//! Rows of a store. Their keys and bodies are opaque text, so they cross without JSON.

use handfast::record::{self, Key};
use napi_derive::napi;

use crate::{
    carry::parse,
    error::{Result, invalid},
};

/// A row as a store gives it back.
#[napi(object)]
pub struct Row {
    /// Its key.
    pub key: String,
    /// Its version; 1 for a row of the vault.
    pub version: i64,
    /// Its body, or the ciphertext.
    pub body: String,
}

/// Reads rows.
pub(crate) fn read(rows: Vec<Row>) -> Result<Vec<record::Row>> {
    let row = |(place, row): (usize, Row)| {
        let at = format!("rows[{place}]");
        let version = u64::try_from(row.version)
            .map_err(|_| invalid(&format!("{at}.version"), "expected a number from 0"))?;
        Ok(record::Row { key: parse(&row.key, &format!("{at}.key"))?, version, body: row.body })
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// Writes rows.
pub(crate) fn write(rows: Vec<record::Row>) -> Vec<Row> {
    let row = |row: record::Row| Row {
        key: row.key.to_string(),
        version: i64::try_from(row.version).unwrap_or(i64::MAX),
        body: row.body,
    };
    rows.into_iter().map(row).collect()
}

/// Reads keys.
pub(crate) fn keys(keys: &[String]) -> Result<Vec<Key>> {
    keys.iter().enumerate().map(|(place, key)| parse(key, &format!("keys[{place}]"))).collect()
}
