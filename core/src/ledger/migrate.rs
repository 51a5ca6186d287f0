//! Old texts, brought to the present schema one step at a time.
//!
//! A step takes the JSON of schema `n` and makes it the JSON of schema `n + 1`, without knowing any of today's types:
//! those go on changing, a step never does. `core/vectors/ledger` holds what each schema really wrote.

use std::borrow::Cow;

use serde_json::Value;

use crate::{json, record::SCHEMA, vocabulary::Error};

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// A record's body.
    Record,
    /// An event's body.
    Event,
}

/// The body in the present schema; untouched if it is that already.
///
/// # Errors
/// [`Error::CorruptRecord`], [`Error::NewerSchema`].
pub(super) fn to_present(text: Text, body: &str) -> Result<Cow<'_, str>, Error> {
    upgrade(text, body, SCHEMA, &STEPS)
}

type Step = fn(Text, &mut Value);

/// The step at position `n - 1` leads from schema `n` to schema `n + 1`.
const STEPS: [Step; 0] = [];

fn upgrade<'a>(text: Text, body: &'a str, present: u32, steps: &[Step]) -> Result<Cow<'a, str>, Error> {
    let schema = schema(body)?;
    if schema > present {
        return Err(Error::NewerSchema(schema));
    }
    if schema == present {
        return Ok(Cow::Borrowed(body));
    }
    let corrupt = || Error::CorruptRecord(format!("no text has schema {schema}"));
    let first = schema.checked_sub(1).and_then(|first| usize::try_from(first).ok()).ok_or_else(corrupt)?;
    let mut value = serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))?;
    for (schema, step) in (schema.saturating_add(1)..).zip(steps.iter().skip(first)) {
        step(text, &mut value);
        if let Some(member) = value.get_mut("schema") {
            *member = schema.into();
        }
    }
    Ok(Cow::Owned(json::canonical(&value)))
}

/// The schema of a body. What the core writes ends in `"schema":n` or has it before one of few members, so looking from
/// the end is quick; every other spelling is read as JSON.
fn schema(body: &str) -> Result<u32, Error> {
    #[derive(serde::Deserialize)]
    struct SchemaOnly {
        schema: u32,
    }
    let SchemaOnly { schema } =
        serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))?;
    Ok(schema)
}
