//! A key's name that follows from the key alone.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    id::{InvalidId, as_text},
    json,
};

/// The SHA-256 thumbprint of a public key (RFC 7638), in base64url: 43 characters, one spelling. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Of a key's required members. RFC 7638 section 3.3 writes them as RFC 8785 does.
    pub(super) fn of(required: &Value) -> Self {
        Self(Sha256::digest(json::canonical(required)).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl FromStr for Thumbprint {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidId::new("Thumbprint", "32 bytes in unpadded base64url"))
    }
}

as_text!(Thumbprint, "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$");
