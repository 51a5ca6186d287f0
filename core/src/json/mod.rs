//! Strict reading and canonical writing of JSON.
//!
//! Reading refuses what two parsers could understand differently: duplicate members, lone surrogates, trailing
//! bytes, deep nesting. Writing follows RFC 8785 (JSON Canonicalization Scheme) restricted to integers, so that
//! the same value has the same bytes in every language and can be digested.

mod canonical;
mod key;
#[cfg(test)]
mod tests;
mod without;

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
pub(crate) use without::read_without;

use crate::{code::Code, limits};

/// Why a document was not accepted as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    code: Code,
    message: String,
}

impl JsonError {
    /// [`Code::MalformedJson`], [`Code::TooLarge`] or [`Code::NotCanonicalJson`].
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

/// Reads one JSON document of at most `max_bytes`, strictly.
///
/// # Errors
/// [`Code::TooLarge`] before anything is parsed; [`Code::MalformedJson`] for everything else, with the position.
pub fn parse(bytes: &[u8], max_bytes: usize) -> Result<Value, JsonError> {
    if bytes.len() > max_bytes {
        return Err(JsonError {
            code: Code::TooLarge,
            message: format!("document of {} bytes, the limit is {max_bytes}", bytes.len()),
        });
    }
    let malformed = |error: serde_json::Error| JsonError {
        code: Code::MalformedJson,
        message: format!("not strict JSON at line {} column {}", error.line(), error.column()),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    Ok(value)
}

/// Reads a document that must be as [`canonical`] writes it, byte for byte, so that it can be digested as it stands.
///
/// # Errors
/// As [`parse`]; [`Code::NotCanonicalJson`] for what is JSON and could be written otherwise.
pub fn parse_canonical(text: &str, max_bytes: usize) -> Result<Value, JsonError> {
    let value = parse(text.as_bytes(), max_bytes)?;
    if is_whole(&value) && canonical(&value) == text {
        return Ok(value);
    }
    Err(JsonError { code: Code::NotCanonicalJson, message: "not in the form of RFC 8785".to_owned() })
}

/// Whether all numbers are integers.
pub(crate) fn is_whole(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.is_u64() || number.is_i64(),
        Value::Array(items) => items.iter().all(is_whole),
        Value::Object(members) => members.values().all(is_whole),
    }
}

/// Whether a binding's carrier of a secret stands somewhere in a value.
pub(crate) fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key("$secret") || members.values().any(holds_secret),
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Writes a value as RFC 8785 has it. Numbers must be integers, as everything that handfast writes is.
#[must_use]
pub fn canonical(value: &Value) -> String {
    canonical_of(value)
}

/// The canonical text of one of our own types, all of which have one: their maps have texts for keys.
pub(crate) fn canonical_of<T: serde::Serialize + ?Sized>(value: &T) -> String {
    canonical::write(value).unwrap_or_else(|_| "null".to_owned())
}

/// Builds a [`Value`] and refuses duplicates and depth on the way.
pub(crate) struct Strict {
    /// How deep the value lies in its document.
    pub(crate) depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > limits::JSON_DEPTH {
            return Err(D::Error::custom("nested too deeply"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Self { depth: self.depth.saturating_add(1) })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let member = map.next_value_seed(Self { depth: self.depth.saturating_add(1) })?;
            if members.insert(name, member).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(members))
    }
}
