//! A short free text that somebody else wrote.

use serde::{Deserialize, Serialize};

use crate::limits;

/// A reason for people to read: cut to [`limits::REASON_BYTES`], control characters replaced by spaces, so that it
/// can neither fill a store nor forge lines in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "String")]
pub struct Reason(String);

impl Reason {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        let mut kept = String::new();
        for character in text.chars() {
            if kept.len().saturating_add(character.len_utf8()) > limits::REASON_BYTES {
                break;
            }
            kept.push(if character.is_control() { ' ' } else { character });
        }
        Self(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cannot_forge_a_log_line_or_grow() {
        assert_eq!(Reason::from("a\nb\u{1b}[2J").as_str(), "a b [2J");
        assert!(Reason::from("ä".repeat(1000)).as_str().len() <= limits::REASON_BYTES);
    }
}
