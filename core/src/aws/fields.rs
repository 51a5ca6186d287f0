//! Bounded reading of an event's members.

use super::{AwsError, InstanceId, Object};
use crate::{limits, time::Timestamp};

/// A required text of at most [`limits::AWS_TEXT_BYTES`].
pub(super) fn text<'a>(object: &'a Object, field: &'static str) -> Result<&'a str, AwsError> {
    optional_text(object, field)?.ok_or(AwsError::Malformed { field })
}

/// A text that may be absent or null, but not of another type.
pub(super) fn optional_text<'a>(
    object: &'a Object,
    field: &'static str,
) -> Result<Option<&'a str>, AwsError> {
    match object.get(field) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) if text.len() <= limits::AWS_TEXT_BYTES => Ok(Some(text)),
        Some(_) => Err(AwsError::Malformed { field }),
    }
}

/// A text of a grammar of its own.
pub(super) fn parsed<T: std::str::FromStr>(object: &Object, field: &'static str) -> Result<T, AwsError> {
    text(object, field)?.parse().map_err(|_| AwsError::Malformed { field })
}

/// An RFC 3339 time, or `None` for the placeholder that AWS's documentation writes instead of one.
pub(super) fn time(object: &Object, field: &'static str) -> Result<Option<Timestamp>, AwsError> {
    if text(object, field)? == "yyyy-mm-ddThh:mm:ssZ" { Ok(None) } else { parsed(object, field).map(Some) }
}

/// An instance id. Surrounding blanks are dropped, because one of AWS's own samples has them; nothing else is mended.
pub(super) fn instance(object: &Object, field: &'static str) -> Result<InstanceId, AwsError> {
    text(object, field)?.trim_matches(' ').parse().map_err(|_| AwsError::Malformed { field })
}
