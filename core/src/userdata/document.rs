//! The finished text.

use std::fmt;

use serde::Serialize;

use super::{Cloud, UserDataError};
use crate::secret::Secret;

/// A document of user data. The token is in it: it is wiped when dropped, and does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct UserData(Secret);

impl UserData {
    /// The text itself, for the cloud's API and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The text as a secret.
    #[must_use]
    pub fn into_secret(self) -> Secret {
        self.0
    }

    /// Whether the cloud takes a document of this size. What the cloud itself adds, or one compresses, is not counted.
    ///
    /// # Errors
    /// `userdata_too_large`.
    pub fn fits(&self, cloud: Cloud) -> Result<(), UserDataError> {
        let (bytes, limit) = (self.0.expose().len(), cloud.limit());
        if bytes <= limit { Ok(()) } else { Err(UserDataError::TooLarge { cloud, bytes, limit }) }
    }

    /// Writes JSON after a first line, into room for all of it, so that no copy of the token is left behind by growing.
    #[expect(
        clippy::expect_used,
        reason = "structs of strings and lists always serialise, and serde_json writes UTF-8"
    )]
    pub(super) fn write(first: &str, document: &impl Serialize, room: usize) -> Self {
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(first.as_bytes());
        serde_json::to_writer(&mut bytes, document).expect("strings serialise");
        bytes.push(b'\n');
        debug_assert!(bytes.len() <= room, "outgrew its room");
        Self(Secret::new(String::from_utf8(bytes).expect("JSON is UTF-8")))
    }
}

impl fmt::Debug for UserData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserData([redacted])")
    }
}
