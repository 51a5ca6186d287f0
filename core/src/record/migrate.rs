//! From older schemas to the present one. Old bodies are read as they are and never rewritten in place: a record takes
//! the present form when it changes next.

use serde_json::{Value, json};

use super::SCHEMA;
use crate::vocabulary::Error;

/// Brings the body of a record to the present schema.
pub(super) fn record(body: &str, schema: u32) -> Result<Value, Error> {
    let mut value = parse(body)?;
    if schema == 1 {
        record_from_1(&mut value);
    }
    Ok(value)
}

/// Brings the body of an event to the present schema. It keeps its schema number: facts of schema 1 were not linked.
pub(crate) fn event(body: &str, schema: u32) -> Result<Value, Error> {
    let mut value = parse(body)?;
    let claimed = value.get_mut("fact").filter(|fact| schema == 1 && is(fact, "node_claimed"));
    if let Some(fact) = claimed {
        insert(fact, "generation", json!(1));
    }
    Ok(value)
}

/// Whether a body of that schema has to be brought to the present one.
pub(crate) fn is_old(schema: u32) -> bool {
    schema < SCHEMA
}

/// A package had one token and one deadline, both in what it was issued as; a node had only ever redeemed the first
/// token of its package.
fn record_from_1(value: &mut Value) {
    if is(value, "package") {
        let issued = value.get("issued").cloned().unwrap_or_default();
        for member in ["token", "expires_at"] {
            if let Some(found) = issued.get(member) {
                insert(value, member, found.clone());
            }
        }
    }
    if is(value, "node") {
        insert(value, "generation", json!(1));
    }
}

fn parse(body: &str) -> Result<Value, Error> {
    serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))
}

fn is(value: &Value, kind: &str) -> bool {
    value.get("type").and_then(Value::as_str) == Some(kind)
}

fn insert(value: &mut Value, member: &str, inserted: Value) {
    if let Some(members) = value.as_object_mut() {
        members.insert(member.to_owned(), inserted);
    }
}
