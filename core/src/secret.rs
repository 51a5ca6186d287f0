//! A string or byte string that must not be seen.
//!
//! An attacker reads logs, error reports, core dumps and audit exports. A [`Secret`] prints `[redacted]`, has
//! no `Display` and no `Serialize`, compares in constant time and is wiped when dropped. It can be *read* from
//! input (`Deserialize`), never written back by accident: [`Secret::expose`] is the one way out, and easy to
//! search for.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Unexpected, Visitor},
};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Secret UTF-8 text: a token, a kubeconfig, a private key in PEM.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of the text; the caller's own copies are the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Each call is a place where it may leak: hand it to its consumer and to nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// Read from a text, or from `{"$secret": text}`: so a binding carries its own secret type, which no other member
/// accepts, and a secret that was put into the wrong place is an error instead of a leak.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretText)
    }
}

struct SecretText;

impl<'de> Visitor<'de> for SecretText {
    type Value = Secret;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a secret text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Secret, E> {
        Ok(Secret(text))
    }

    /// Says nothing about what it found: a member's name may be the secret that somebody put there.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        let misfit = || A::Error::invalid_type(Unexpected::Map, &SecretText);
        if map.next_key::<String>()?.as_deref() != Some("$secret") {
            return Err(misfit());
        }
        let text = map.next_value::<String>().map_err(|_| misfit())?;
        if map.next_key::<IgnoredAny>()?.is_some() { Err(misfit()) } else { Ok(Secret(text)) }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "secret" })
    }
}

/// A 32-byte symmetric key: a pepper, a sealing key. Same rules as [`Secret`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Takes the 32 key bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key bytes, for the cryptographic backend.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Secret bytes of any length: an archive with credentials in it, a file. Same rules as [`Secret`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes ownership of the bytes; the caller's own copies are the caller's to wipe.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves. Each call is a place where they may leak.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

/// Takes the text over: no copy of it stays behind.
impl From<Secret> for SecretBytes {
    fn from(mut secret: Secret) -> Self {
        Self(std::mem::take(&mut secret.0).into_bytes())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "[redacted]");
        assert_eq!(format!("{:?}", SecretKey::new([7; 32])), "[redacted]");
        assert_eq!(format!("{:?}", SecretBytes::from(Secret::new("hunter2".into()))), "[redacted]");
    }

    #[test]
    fn equality_is_by_content() {
        assert_eq!(Secret::new("a".into()), Secret::new("a".into()));
        assert_ne!(Secret::new("a".into()), Secret::new("ab".into()));
        assert_eq!(SecretBytes::from(Secret::new("a".into())), SecretBytes::new(vec![b'a']));
        assert_ne!(SecretBytes::from("a".to_owned()), SecretBytes::new(vec![b'b']));
    }

    #[test]
    fn read_from_text_or_from_a_carrier_of_its_own() {
        for text in [r#""hunter2""#, r#"{"$secret": "hunter2"}"#] {
            assert_eq!(serde_json::from_str::<Secret>(text).unwrap().expose(), "hunter2", "{text}");
        }
        for text in
            ["7", "{}", r#"{"$secret": ["hunter2"]}"#, r#"{"secret": "hunter2"}"#, "null", r#"["hunter2"]"#]
        {
            let error = serde_json::from_str::<Secret>(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
