//! Python's values as JSON values, and back.

use std::fmt;

use handfast::{limits, secret};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{
        PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString, PyTuple, PyType,
    },
};
use serde_json::{Map, Number, Value};

use crate::{error::invalid, secret::Secret};

/// Reads a value made of dicts, lists, tuples, sets, texts, numbers and `None`, with aware datetimes, addresses,
/// networks, UUIDs and `Secret`s among them.
pub(crate) fn to_value(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    read(value, &Path::Root)
}

/// Writes a value with dicts and lists; each `{"$secret": n}` becomes the n-th of `secrets`.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    value: &Value,
    secrets: &[secret::Secret],
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => Ok(PyBool::new(py, *value).to_owned().into_any()),
        Value::Number(number) => write_number(py, number),
        Value::String(text) => Ok(PyString::new(py, text).into_any()),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item, secrets)?)?;
            }
            Ok(list.into_any())
        }
        Value::Object(members) => match secret_of(members, secrets) {
            Some(secret) => Ok(Bound::new(py, Secret::from(secret.clone()))?.into_any()),
            None => write_object(py, members, secrets),
        },
    }
}

/// Where a value stands in the argument, for messages.
enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Member(outer, _) | Self::Item(outer, _) => outer.depth().saturating_add(1),
        }
    }

    fn error(&self, message: &str) -> PyErr {
        invalid(&self.to_string(), message)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Path::Root, name) => formatter.write_str(name),
            Self::Member(outer, name) => write!(formatter, "{outer}.{name}"),
            Self::Item(outer, place) => write!(formatter, "{outer}[{place}]"),
        }
    }
}

fn read(value: &Bound<'_, PyAny>, at: &Path<'_>) -> PyResult<Value> {
    if at.depth() > limits::JSON_DEPTH {
        return Err(at.error("nested too deeply"));
    }
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(text) = value.cast::<PyString>() {
        read_text(text, at).map(Value::String)
    } else if let Ok(value) = value.cast::<PyBool>() {
        Ok(Value::Bool(value.is_true()))
    } else if value.is_instance_of::<PyInt>() {
        read_integer(value, at)
    } else if let Ok(number) = value.cast::<PyFloat>() {
        let number = Number::from_f64(number.value()).ok_or_else(|| at.error("expected a finite number"))?;
        Ok(Value::Number(number))
    } else if let Ok(secret) = value.cast::<Secret>() {
        let carried = Value::String(secret.get().expose_text().to_owned());
        Ok(Value::Object(Map::from_iter([("$secret".to_owned(), carried)])))
    } else if let Ok(dict) = value.cast::<PyDict>() {
        read_object(dict.items(), at)
    } else if value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
    {
        read_items(value, at)
    } else if let Some(text) = read_time(value, at)? {
        Ok(Value::String(text))
    } else if value.is_instance(&written_as_text(value.py())?)? {
        Ok(Value::String(value.str()?.to_str()?.to_owned()))
    } else if let Ok(mapping) = value.cast::<PyMapping>() {
        read_object(mapping.items()?, at)
    } else {
        let name = value.get_type().name()?;
        Err(at.error(&format!("a value of type {} has no meaning here", name.to_string_lossy())))
    }
}

fn read_text(text: &Bound<'_, PyString>, at: &Path<'_>) -> PyResult<String> {
    text.to_str().map(str::to_owned).map_err(|_| at.error("a text with lone surrogates is no Unicode text"))
}

fn read_integer(value: &Bound<'_, PyAny>, at: &Path<'_>) -> PyResult<Value> {
    if let Ok(number) = value.extract::<i64>() {
        return Ok(Value::Number(number.into()));
    }
    match value.extract::<u64>() {
        Ok(number) => Ok(Value::Number(number.into())),
        Err(_) => Err(at.error("an integer beyond 64 bits")),
    }
}

/// The members are taken out first, because what they hold may run Python code of its own when it is read.
fn read_object(items: Bound<'_, PyList>, at: &Path<'_>) -> PyResult<Value> {
    let mut members = Map::new();
    for item in items {
        let (name, member) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let Ok(name) = name.cast::<PyString>() else {
            return Err(at.error("a member's name is not a text"));
        };
        let name = read_text(name, at)?;
        let member = read(&member, &Path::Member(at, &name))?;
        members.insert(name, member);
    }
    Ok(Value::Object(members))
}

fn read_items(items: &Bound<'_, PyAny>, at: &Path<'_>) -> PyResult<Value> {
    let items = PyTuple::new(items.py(), items.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
    let items = items.iter().enumerate().map(|(place, item)| read(&item, &Path::Item(at, place)));
    items.collect::<PyResult<Vec<_>>>().map(Value::Array)
}

/// An aware datetime as RFC 3339; `None` for any other type.
fn read_time(value: &Bound<'_, PyAny>, at: &Path<'_>) -> PyResult<Option<String>> {
    static DATETIME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if !value.is_instance(DATETIME.import(value.py(), "datetime", "datetime")?)? {
        return Ok(None);
    }
    if value.call_method0("utcoffset")?.is_none() {
        return Err(at.error("a datetime without a time zone is no instant; give it one"));
    }
    value.call_method0("isoformat")?.extract().map(Some)
}

/// The classes whose `str` is what the core reads.
fn written_as_text(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static CLASSES: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || {
        let addresses = ["IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network"];
        let mut classes = addresses
            .map(|name| py.import("ipaddress")?.getattr(name))
            .into_iter()
            .collect::<PyResult<Vec<_>>>()?;
        classes.push(py.import("uuid")?.getattr("UUID")?);
        PyTuple::new(py, classes).map(Bound::unbind)
    })?;
    Ok(classes.bind(py).clone().into_any())
}

fn write_number<'py>(py: Python<'py>, number: &Number) -> PyResult<Bound<'py, PyAny>> {
    if let Some(number) = number.as_u64() {
        return Ok(number.into_pyobject(py)?.into_any());
    }
    match number.as_i64() {
        Some(number) => Ok(number.into_pyobject(py)?.into_any()),
        None => Ok(number.as_f64().into_pyobject(py)?.into_any()),
    }
}

/// `type` comes first, because that is how people read it.
fn write_object<'py>(
    py: Python<'py>,
    members: &Map<String, Value>,
    secrets: &[secret::Secret],
) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    if let Some(tag) = members.get("type") {
        dict.set_item("type", to_python(py, tag, secrets)?)?;
    }
    for (name, member) in members {
        dict.set_item(name, to_python(py, member, secrets)?)?;
    }
    Ok(dict.into_any())
}

fn secret_of<'a>(members: &Map<String, Value>, secrets: &'a [secret::Secret]) -> Option<&'a secret::Secret> {
    let place = members.get("$secret")?.as_u64()?;
    secrets.get(usize::try_from(place).ok()?)
}
