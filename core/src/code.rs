//! The one list of stable codes: every error and every refusal has exactly one.

/// Writes the enum, its text and its documentation from one list.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A stable, machine-readable reason. The text never changes once released; new codes may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code's text, as it crosses every boundary.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What the code means, for generated documentation.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

codes! {
    // Values of any kind.
    /// Not JSON, or JSON that two readers could understand differently (duplicate member, lone surrogate, trailing bytes).
    MalformedJson = "malformed_json",
    /// Larger, longer or deeper than the limit for this input.
    TooLarge = "too_large",
    /// A field of a command, policy or configuration is missing, unknown or of the wrong type or form.
    InvalidInput = "invalid_input",
    // Cryptography.
    /// A key of an unusable kind, size or encoding.
    UnusableKey = "unusable_key",
    /// The signature does not verify under the key.
    BadSignature = "bad_signature",
    /// A sealed secret does not open: altered, moved, or sealed under another key.
    SealBroken = "seal_broken",
    /// A key id that the configured key ring does not hold: an operator's mistake, never the presenter's.
    MissingKey = "missing_key",
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_snake_case() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count);
        assert!(texts.iter().all(|text| {
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
        }));
    }
}
