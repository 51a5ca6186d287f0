//! Values as they cross: JSON text, and the secrets that it speaks of.

use handfast::{json, limits, secret, vocabulary::Error};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use serde_json::Value;

use crate::{
    error::{Result, Throw, invalid},
    names,
    secret::Secret,
};

/// Secrets that came with a text.
pub(crate) type Secrets<'a> = Vec<ClassInstance<'a, Secret>>;

/// A value on its way to JavaScript.
#[napi(object, object_from_js = false)]
pub struct Parts {
    /// The value as JSON, each secret replaced by `{"$secret": n}`.
    pub json: String,
    /// The secrets, in order.
    pub secrets: Vec<Secret>,
}

/// Reads what `lib/carry.mjs` wrote.
pub(crate) fn read(text: &str, secrets: &Secrets<'_>) -> Result<Value> {
    let value = read_data(text)?;
    let secrets: Vec<&secret::Secret> = secrets.iter().map(|secret| secret.get()).collect();
    names::inward(value, &secrets).map_err(Throw::throw)
}

/// Reads a value whose members bear names that somebody chose; its secrets remain `{"$secret": n}`.
pub(crate) fn read_data(text: &str) -> Result<Value> {
    json::parse(text.as_bytes(), limits::COMMAND_BYTES)
        .map_err(|error| invalid("", &format!("cannot be carried: {error}")))
}

/// Reads one type of the core; `at` is the argument's name, for errors.
pub(crate) fn read_as<T: serde::de::DeserializeOwned>(
    text: &str,
    secrets: &Secrets<'_>,
    at: &str,
) -> Result<T> {
    handfast::vocabulary::from_value(read(text, secrets)?, at).map_err(Throw::throw)
}

/// Writes a value without secrets.
pub(crate) fn write(value: &impl serde::Serialize) -> String {
    names::outward(serde_json::to_value(value).unwrap_or_default()).to_string()
}

/// Writes what [`Answer::into_parts`](handfast::vocabulary::Answer::into_parts) gave.
pub(crate) fn parts((value, secrets): (Value, Vec<secret::Secret>)) -> Parts {
    Parts {
        json: names::outward(value).to_string(),
        secrets: secrets.into_iter().map(Secret::from).collect(),
    }
}

/// Reads an identifier, a key or another value that is written as text.
pub(crate) fn parse<T: std::str::FromStr>(text: &str, at: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Error::Input { path: at.to_owned(), message: error.to_string() }.throw())
}
