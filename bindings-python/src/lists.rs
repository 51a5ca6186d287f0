//! Lists of a ledger.

use std::{fmt::Display, str::FromStr};

use handfast::{
    ledger::Page,
    record::{Key, PackageStatus, Versioned},
    vocabulary::{WriteRow, from_value},
};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::error::{Raise, invalid};

/// A record with its key, as a store keeps it.
pub(crate) fn row(key: &Key, versioned: &Versioned) -> WriteRow {
    WriteRow {
        key: key.to_string(),
        version: versioned.version,
        body: versioned.body(),
        index: versioned.record.index(),
    }
}

/// A page of records.
pub(crate) fn page(page: &Page) -> Value {
    let records: Vec<_> = page.records.iter().map(|(key, versioned)| row(key, versioned)).collect();
    json!({ "records": records, "next": page.next })
}

/// An identifier or a cursor that may have been given.
pub(crate) fn parsed<T: FromStr<Err: Display>>(text: Option<&str>, argument: &str) -> PyResult<Option<T>> {
    text.map(|text| one(text, argument)).transpose()
}

/// An identifier.
pub(crate) fn one<T: FromStr<Err: Display>>(text: &str, argument: &str) -> PyResult<T> {
    text.parse().map_err(|error: T::Err| invalid(argument, &error.to_string()))
}

/// A package's status that may have been given.
pub(crate) fn status(status: Option<&str>) -> PyResult<Option<PackageStatus>> {
    let read = |status: &str| from_value(Value::from(status), "status").map_err(Raise::raise);
    status.map(read).transpose()
}
