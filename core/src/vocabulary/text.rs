//! Short free texts that somebody else wrote.

use serde::{Deserialize, Serialize};

use crate::limits;

/// Texts for people to read: cut to their limit, control characters replaced by spaces, so that they can neither fill
/// a store nor forge lines in a log.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident, $max:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(from = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(cut(text, $max))
            }
        }
    )+};
}

texts! {
    /// Why something happened or failed, at most [`limits::REASON_BYTES`].
    Reason, limits::REASON_BYTES;
    /// What an operator notes about a package, at most [`limits::NOTES_BYTES`].
    Notes, limits::NOTES_BYTES;
}

fn cut(text: &str, max: usize) -> String {
    let mut kept = String::new();
    for character in text.chars() {
        if kept.len().saturating_add(character.len_utf8()) > max {
            break;
        }
        kept.push(if character.is_control() { ' ' } else { character });
    }
    kept
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
