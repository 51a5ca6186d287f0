//! Identifiers: newtypes that cannot hold an invalid value.
//!
//! All of them are public names, never secrets, and all may be logged. Their grammars leave out `/`, control
//! characters and white space, so that a name can be put into a key, a label or a log line without escaping.

use std::{fmt, marker::PhantomData, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};
use uuid::Uuid;

use crate::{code::Code, limits, spire::SpiffeId};

/// A text is not a valid identifier of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: {rule}")]
pub struct InvalidId {
    kind: &'static str,
    rule: &'static str,
}

impl InvalidId {
    pub(crate) const fn new(kind: &'static str, rule: &'static str) -> Self {
        Self { kind, rule }
    }

    /// [`Code::InvalidInput`].
    #[must_use]
    pub fn code(&self) -> Code {
        Code::InvalidInput
    }
}

/// Serde and schema of a type that is written with `Display` and read with `FromStr`.
macro_rules! as_text {
    ($name:ident, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::id::from_text(deserializer)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}
pub(crate) use as_text;

/// Whether a text is the name of a host or a domain (RFC 1123 section 2.1), in lower case.
pub(crate) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=limits::HOST_LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    text.len() <= limits::NODE_NAME_BYTES && text.split('.').all(is_label)
}

/// Reads what is written as a text, from the text as it lies there: nothing is copied that is not kept.
pub(crate) fn from_text<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

/// A bounded text: an alphanumeric first byte, then bytes of a small alphabet.
macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident, $max:expr, $extra:literal, $rule:literal, $pattern:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_name(text, $max, $extra) { Ok(Self(text.into())) } else { Err(InvalidId::new(stringify!($name), $rule)) }
            }
        }

        as_text!($name, $pattern);
    )+};
}

fn is_name(text: &str, max: usize, extra: &[u8]) -> bool {
    let mut bytes = text.bytes();
    text.len() <= max
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
}

names! {
    /// A tenant, site or account: the owner of packages.
    ScopeId, limits::NAME_BYTES, b"._-", "up to 128 of A-Z a-z 0-9 . _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
    /// What an operator calls a package, unique among the live packages of a scope.
    PackageName, limits::NAME_BYTES, b"._-", "up to 128 of A-Z a-z 0-9 . _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
    /// The host's own classification of a package, for lists and metrics.
    Kind, limits::KIND_BYTES, b"._-", "up to 32 of A-Z a-z 0-9 . _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$";
    /// The name of an operator or of an executor's worker, as the host authenticated it.
    ActorName, limits::NAME_BYTES, b"._@:+-", "up to 128 of A-Z a-z 0-9 . _ @ : + - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._@:+-]{0,127}$";
    /// Names one key of a key ring (the `kid`).
    KeyId, limits::KIND_BYTES, b"_-", "up to 32 of A-Z a-z 0-9 _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$";
    /// Chosen by a caller so that a lost reply can be asked for again.
    RequestId, limits::NAME_BYTES, b"._:-", "up to 128 of A-Z a-z 0-9 . _ : - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$";
    /// The name of a node within its cluster or fleet.
    NodeName, limits::NODE_NAME_BYTES, b".-", "up to 253 of A-Z a-z 0-9 . - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$";
    /// The plain name of a file: no folders.
    FileName, limits::NAME_BYTES, b"._-", "up to 128 of A-Z a-z 0-9 . _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
    /// What identifies the presenter of a token: `jkt:` and the RFC 7638 thumbprint of a key that it has proven, or an identifier that the host vouches for (a machine id, a client certificate's digest), which cannot begin with `jkt:`.
    Fingerprint, limits::NAME_BYTES, b"._:=+-", "up to 128 of A-Z a-z 0-9 . _ : = + - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._:=+-]{0,127}$";
    /// A pool of finite items within a scope: addresses, licences, prepared configurations.
    PoolName, limits::NAME_BYTES, b"._-", "up to 128 of A-Z a-z 0-9 . _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
    /// One item of a pool.
    ItemName, limits::NAME_BYTES, b"._:-", "up to 128 of A-Z a-z 0-9 . _ : - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$";
    /// A kind of external resource that the host defines, for its own executors.
    ResourceKind, limits::KIND_BYTES, b"._-", "up to 32 of A-Z a-z 0-9 . _ - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$";
    /// The external name of a resource of a host-defined kind.
    ResourceName, limits::NAME_BYTES, b"._:-", "up to 128 of A-Z a-z 0-9 . _ : - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$";
    /// A version of a cloud's event, or any other foreign id that is kept for the audit.
    ForeignId, limits::NAME_BYTES, b"._:-", "up to 128 of A-Z a-z 0-9 . _ : - with an alphanumeric first", "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$";
}

/// A UUID version 7 (RFC 9562 section 5.7) from the host's clock and entropy.
macro_rules! uuids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Built from a time and ten random bytes; ids of one millisecond do not sort by age.
            #[must_use]
            pub fn new(at: crate::time::Timestamp, random: &[u8; 10]) -> Self {
                let millis = u64::try_from(at.unix_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid())
            }

            /// The 16 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Only the lower-case hyphenated form: one value, one spelling.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId::new(stringify!($name), "a lower-case hyphenated UUID");
                let id = Uuid::try_parse(text).map_err(|_| invalid.clone())?;
                if id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text { Ok(Self(id)) } else { Err(invalid) }
            }
        }

        as_text!($name, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");
    )+};
}

uuids! {
    /// Identifies a package for ever.
    PackageId;
    /// Identifies one decision; all of its events carry it.
    DecisionId;
}

/// Identifies a node; derived from its package and its fingerprint, so that a retry finds its node without a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// The first half of SHA-256 over a domain label, the package id and the fingerprint.
    #[must_use]
    pub(crate) fn derive(
        backend: &dyn crate::crypto::Backend,
        package: PackageId,
        fingerprint: &Fingerprint,
    ) -> Self {
        let mut input = b"handfast node 1\n".to_vec();
        input.extend_from_slice(package.as_bytes());
        input.extend_from_slice(fingerprint.as_str().as_bytes());
        let digest = backend.sha256(&input);
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        Self(id)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "n-{}", data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl FromStr for NodeId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes =
            text.strip_prefix("n-").and_then(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidId::new("NodeId", "n- and 32 lower-case hexadecimal digits"))
    }
}

as_text!(NodeId, "^n-[0-9a-f]{32}$");

/// A SHA-256 digest (FIPS 180-4), written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        data_encoding::HEXLOWER.encode_mut(&self.0, &mut text);
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for Digest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes =
            data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidId::new("Digest", "64 lower-case hexadecimal digits"))
    }
}

as_text!(Digest, "^[0-9a-f]{64}$");

/// Who connects, whatever the package: a fingerprint, a node name (`node/<name>`) or a SPIFFE id.
///
/// A fingerprint holds no `/`, so the three spellings cannot be mistaken for each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A proven key's thumbprint, or what the host vouches for.
    Fingerprint(Fingerprint),
    /// A name that an operator gave to a node.
    NodeName(NodeName),
    /// A SPIFFE id, as the host's own TLS or SPIRE reports it.
    Spiffe(SpiffeId),
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint(fingerprint) => fingerprint.fmt(formatter),
            Self::NodeName(name) => write!(formatter, "node/{name}"),
            Self::Spiffe(id) => id.fmt(formatter),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix("node/") {
            Some(name) => name.parse().map(Self::NodeName),
            None if text.contains('/') => text.parse().map(Self::Spiffe),
            None => text.parse().map(Self::Fingerprint),
        }
    }
}

as_text!(Subject, "^(node/.+|spiffe://.+|[A-Za-z0-9][A-Za-z0-9._:=+-]{0,127})$");

impl From<Fingerprint> for Subject {
    fn from(fingerprint: Fingerprint) -> Self {
        Self::Fingerprint(fingerprint)
    }
}

/// Names one sealed secret of a package, or of a pool, in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId {
    /// The package that the secret belongs to, or the id that a pool keeps its secrets under.
    pub package: PackageId,
    /// Counts the package's secrets from 1; a number is never used again.
    pub number: u32,
}

impl fmt::Display for SecretId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.package, self.number)
    }
}

impl FromStr for SecretId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId::new("SecretId", "a package id, a dot and a number");
        let (package, number) = text.split_once('.').ok_or(invalid.clone())?;
        let id = Self { package: package.parse()?, number: number.parse().map_err(|_| invalid.clone())? };
        if id.to_string() == text { Ok(id) } else { Err(invalid) }
    }
}

as_text!(SecretId, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[.][0-9]+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_grammar() {
        assert!("edge-1.example_x".parse::<PackageName>().is_ok());
        for bad in ["", "-x", "a/b", "a b", "a\n", "ä", &"x".repeat(129)] {
            assert!(bad.parse::<PackageName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_have_one_spelling() {
        let id = PackageId::new("2026-01-02T03:04:05Z".parse().unwrap(), &[7; 10]);
        assert_eq!(id.to_string().parse::<PackageId>().unwrap(), id);
        assert!(id.to_string().to_uppercase().parse::<PackageId>().is_err());
        assert!(format!("{{{id}}}").parse::<PackageId>().is_err());
        assert!(format!("{id}.01").parse::<SecretId>().is_err());
        assert_eq!(format!("{id}.1").parse::<SecretId>().unwrap(), SecretId { package: id, number: 1 });
    }
}
