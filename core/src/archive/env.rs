//! Environment files that a shell and systemd read alike.

use zeroize::Zeroizing;

use super::ArchiveError;
use crate::{limits, secret::Secret};

/// Lines `KEY='value'`, in the order given.
///
/// Within single quotes a POSIX shell takes every character for itself up to the next quote, and so does systemd's
/// `EnvironmentFile=` (systemd.exec(5)), but for the backslash, which older releases of it unquote. So a value holds no
/// single quote, no backslash and no control character; everything else means itself, to those two and to the readers
/// that imitate them. `docker run --env-file` is not one of them: it keeps the quotes.
#[derive(Clone, Debug, Default)]
pub struct EnvFile(Vec<(String, Secret)>);

impl EnvFile {
    /// A file without lines.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable.
    ///
    /// # Errors
    /// `archive_invalid_variable` for a key that is not a shell's, one that is there, and a value that cannot be said;
    /// `too_large` beyond [`limits::ENV_VARIABLES`] and [`limits::ENV_VALUE_BYTES`].
    pub fn with(mut self, key: &str, value: Secret) -> Result<Self, ArchiveError> {
        let invalid = |expected| ArchiveError::InvalidVariable { expected };
        if self.0.len() >= limits::ENV_VARIABLES {
            return Err(ArchiveError::TooLarge { limit: limits::ENV_VARIABLES, what: "variables" });
        }
        if value.expose().len() > limits::ENV_VALUE_BYTES {
            return Err(ArchiveError::TooLarge { limit: limits::ENV_VALUE_BYTES, what: "bytes in a value" });
        }
        if !is_key(key) {
            return Err(invalid("a key of ASCII letters, digits and _ that begins with no digit"));
        }
        if self.0.iter().any(|(taken, _)| taken == key) {
            return Err(invalid("each key once"));
        }
        if value.expose().chars().any(|character| matches!(character, '\'' | '\\') || character.is_control())
        {
            return Err(invalid("a value without single quotes, backslashes and control characters"));
        }
        self.0.push((key.to_owned(), value));
        Ok(self)
    }

    /// The file.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let line = |(key, value): &(String, Secret)| key.len().saturating_add(value.expose().len()) + 4;
        let mut text = Zeroizing::new(String::with_capacity(self.0.iter().map(line).sum()));
        for (key, value) in &self.0 {
            for part in [key, "='", value.expose(), "'\n"] {
                text.push_str(part);
            }
        }
        Secret::new(std::mem::take(&mut *text))
    }
}

/// A name as of XBD 8.1 of POSIX, but in either case.
fn is_key(text: &str) -> bool {
    (1..=limits::NAME_BYTES).contains(&text.len())
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
