//! The one place where members change their case: `ttlSeconds` in JavaScript, `ttl_seconds` in the core.
//!
//! Only names of members change. Tags such as `check_in`, keys of maps such as labels, and opaque texts are data.

use handfast::{secret::Secret, vocabulary::Error};
use serde_json::{Map, Value};

/// The members that are maps: what is in them bears names that somebody chose.
const MAPS: [&str; 8] =
    ["add", "certificates", "expected_names", "keepers", "kinds", "labels", "settings", "tags"];

/// The members of formats that hold whatever somebody chose, down to the last name.
const OPAQUE: [&str; 5] =
    ["action_policies", "configuration", "extensions", "opa_policies", "user_properties"];

/// Those of them that hold objects, whose members have the core's names again.
const OF_OBJECTS: [&str; 1] = ["kinds"];

/// A value from JavaScript as the core reads it. `{"$secret": n}`, which only `lib/carry.mjs` writes, becomes the n-th
/// secret.
pub(crate) fn inward(value: Value, secrets: &[&Secret]) -> Result<Value, Error> {
    read(value, secrets, "")
}

/// A value of the core as JavaScript has it.
pub(crate) fn outward(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let rename = |(name, member): (String, Value)| {
                let member = match name.as_str() {
                    opaque if OPAQUE.contains(&opaque) => member,
                    map if MAPS.contains(&map) => outward_map(member),
                    _ => outward(member),
                };
                (camel(&name), member)
            };
            Value::Object(members.into_iter().map(rename).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(outward).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn outward_map(map: Value) -> Value {
    let Value::Object(members) = map else { return outward(map) };
    Value::Object(members.into_iter().map(|(name, member)| (name, outward(member))).collect())
}

/// The path in an error of the core, but for what stands in maps.
pub(crate) fn path(path: &str) -> String {
    let (mut in_map, mut chosen) = (false, false);
    let segments = path.split('.').map(|segment| {
        let renamed = if in_map || chosen { segment.to_owned() } else { camel(segment) };
        chosen = !in_map && !chosen && OF_OBJECTS.contains(&segment);
        let of_values = MAPS.contains(&segment) && !OF_OBJECTS.contains(&segment);
        in_map = in_map || of_values || OPAQUE.contains(&segment);
        renamed
    });
    segments.collect::<Vec<_>>().join(".")
}

/// The text of an error of the core, where it lists members.
pub(crate) fn message(message: &str) -> String {
    if !["unknown field", "missing field", "duplicate field"].iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let odd = |(place, part): (usize, &str)| if place % 2 == 1 { camel(part) } else { part.to_owned() };
    message.split('`').enumerate().map(odd).collect::<Vec<_>>().join("`")
}

fn read(value: Value, secrets: &[&Secret], at: &str) -> Result<Value, Error> {
    match value {
        Value::Object(members) => match place(&members) {
            Some(place) => secret(secrets, place, at),
            None => members.into_iter().map(|member| rename(member, secrets, at)).collect(),
        },
        Value::Array(items) => {
            let item = |(place, item)| read(item, secrets, &format!("{at}[{place}]"));
            items.into_iter().enumerate().map(item).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value),
    }
}

fn rename((name, member): (String, Value), secrets: &[&Secret], at: &str) -> Result<(String, Value), Error> {
    let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
    if name.contains(['_', '.']) {
        let message = format!("`{name}` is written `{}` here", camel(&name));
        return Err(Error::Input { path: at, message });
    }
    let name = snake(&name);
    let member = match name.as_str() {
        opaque if OPAQUE.contains(&opaque) => member,
        map if MAPS.contains(&map) => read_map(member, secrets, &at)?,
        _ => read(member, secrets, &at)?,
    };
    Ok((name, member))
}

/// The names are somebody's own; what they stand for may be secrets or objects.
fn read_map(map: Value, secrets: &[&Secret], at: &str) -> Result<Value, Error> {
    match map {
        Value::Object(members) if place(&members).is_none() => members
            .into_iter()
            .map(|(name, member)| {
                let member = read(member, secrets, &format!("{at}.{name}"))?;
                Ok((name, member))
            })
            .collect(),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => read(other, secrets, at),
    }
}

fn place(members: &Map<String, Value>) -> Option<usize> {
    members.get("$secret").and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok())
}

fn secret(secrets: &[&Secret], place: usize, at: &str) -> Result<Value, Error> {
    let secret = secrets
        .get(place)
        .ok_or_else(|| Error::Input { path: at.to_owned(), message: "names no secret".to_owned() })?;
    let text = Value::String(secret.expose().to_owned());
    Ok(Value::Object(Map::from_iter([("$secret".to_owned(), text)])))
}

fn camel(name: &str) -> String {
    let mut renamed = String::with_capacity(name.len());
    let mut upper = false;
    for character in name.chars() {
        match character {
            '_' => upper = true,
            _ if upper => {
                renamed.push(character.to_ascii_uppercase());
                upper = false;
            }
            _ => renamed.push(character),
        }
    }
    renamed
}

/// The inverse of [`camel`]: a new word begins at a capital and at the first digit of a number, but for names that end in one.
fn snake(name: &str) -> String {
    let mut renamed = String::with_capacity(name.len().saturating_add(8));
    let mut in_number = false;
    for character in name.chars() {
        let digit = character.is_ascii_digit();
        if character.is_ascii_uppercase() || (digit && !in_number && !ends_in_number(&renamed)) {
            renamed.push('_');
        }
        in_number = digit;
        renamed.push(character.to_ascii_lowercase());
    }
    renamed
}

/// X.509, ASN.1.
fn ends_in_number(so_far: &str) -> bool {
    matches!(so_far.rsplit('_').next(), Some("asn" | "x"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_change_and_data_does_not() {
        let given = json!({
            "type": "check_in", "legacyRsa1024": true, "version1Unsubscribe": [{"ttlSeconds": 1}], "x509SvidTtl": 1, "asn1": 1,
            "labels": {"someKey": "a", "some_key": "b"}, "text": "node_name",
            "kinds": {"my_kind": {"ttlSeconds": 1}}, "extensions": {"a_b": [{"cD": 1}]},
        });
        let core = json!({
            "type": "check_in", "legacy_rsa_1024": true, "version_1_unsubscribe": [{"ttl_seconds": 1}], "x509_svid_ttl": 1, "asn1": 1,
            "labels": {"someKey": "a", "some_key": "b"}, "text": "node_name",
            "kinds": {"my_kind": {"ttl_seconds": 1}}, "extensions": {"a_b": [{"cD": 1}]},
        });
        assert_eq!(inward(given.clone(), &[]).unwrap(), core);
        assert_eq!(outward(core), given);
    }

    #[test]
    fn there_is_one_spelling() {
        let error = inward(json!({"bindings": [{"node_name": "a"}]}), &[]).unwrap_err().to_string();
        assert!(error.ends_with("`node_name` is written `nodeName` here"), "{error}");
    }

    #[test]
    fn errors_speak_of_what_was_written() {
        assert_eq!(path("contents[0].ttl_seconds"), "contents[0].ttlSeconds");
        assert_eq!(path("labels.some_key"), "labels.some_key");
        assert_eq!(path("action_policies.my_agent"), "actionPolicies.my_agent");
        assert_eq!(path("kinds.my_kind.ttl_seconds"), "kinds.my_kind.ttlSeconds");
        assert_eq!(message("missing field `node_name`"), "missing field `nodeName`");
        assert_eq!(
            message("unknown variant `a_b`, expected `check_in`"),
            "unknown variant `a_b`, expected `check_in`"
        );
    }

    #[test]
    fn secrets_are_put_in_by_their_number() {
        let secret = Secret::new("hunter2".into());
        let read = inward(json!({"token": {"$secret": 0}}), &[&secret]).unwrap();
        assert_eq!(read, json!({"token": {"$secret": "hunter2"}}));
        let read = inward(json!({"add": {"my_item": {"$secret": 0}, "other": null}}), &[&secret]).unwrap();
        assert_eq!(read, json!({"add": {"my_item": {"$secret": "hunter2"}, "other": null}}));
        assert!(inward(json!({"token": {"$secret": 1}}), &[&secret]).is_err());
    }
}
