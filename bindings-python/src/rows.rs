//! Rows of a store.

use handfast::{
    record::{Key, Row},
    vocabulary::from_value,
};
use pyo3::{
    prelude::*,
    types::{PyDict, PyList, PyString},
};

use crate::{
    convert,
    error::{Raise, invalid},
};

/// Reads a list of rows, `{"key": .., "version": .., "body": ..}` each.
pub(crate) fn read(rows: &Bound<'_, PyAny>) -> PyResult<Vec<Row>> {
    from_value(convert::to_value(rows)?, "rows").map_err(Raise::raise)
}

/// Reads one row.
pub(crate) fn one(row: &Bound<'_, PyAny>) -> PyResult<Row> {
    from_value(convert::to_value(row)?, "row").map_err(Raise::raise)
}

/// Writes a list of rows.
pub(crate) fn write<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for row in rows {
        let dict = PyDict::new(py);
        dict.set_item("key", row.key.to_string())?;
        dict.set_item("version", row.version)?;
        dict.set_item("body", &row.body)?;
        list.append(dict)?;
    }
    Ok(list)
}

/// Reads a list of keys.
pub(crate) fn keys(keys: &Bound<'_, PyAny>) -> PyResult<Vec<Key>> {
    from_value(convert::to_value(keys)?, "keys").map_err(Raise::raise)
}

/// The body: a text, or the member `body` of a row.
pub(crate) fn body(row_or_body: &Bound<'_, PyAny>) -> PyResult<String> {
    let body = match row_or_body.cast::<PyDict>() {
        Ok(row) => row.get_item("body")?,
        Err(_) => Some(row_or_body.clone()),
    };
    match body.as_ref().map(|body| body.cast::<PyString>()) {
        Some(Ok(body)) => Ok(body.to_str()?.to_owned()),
        Some(Err(_)) | None => Err(invalid("body", "expected a stored body, or a row that has one")),
    }
}
