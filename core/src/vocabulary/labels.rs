//! Labels: small public facts about a package.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{id::InvalidId, limits};

/// At most [`limits::LABELS`] pairs of short texts without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The pairs, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// One label's value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<String, String>> for Labels {
    type Error = InvalidId;

    fn try_from(pairs: BTreeMap<String, String>) -> Result<Self, InvalidId> {
        let fits = |(key, value): (&String, &String)| {
            !key.is_empty()
                && key.len() <= limits::LABEL_KEY_BYTES
                && value.len() <= limits::LABEL_VALUE_BYTES
                && !key.chars().chain(value.chars()).any(char::is_control)
        };
        if pairs.len() <= limits::LABELS && pairs.iter().all(fits) {
            Ok(Self(pairs))
        } else {
            Err(InvalidId::new(
                "Labels",
                "at most 16, keys of 1 to 63 bytes, values up to 256, no control characters",
            ))
        }
    }
}
