//! Labels of Kubernetes objects ("Labels and Selectors", kubernetes.io).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::KubernetesError;
use crate::id::is_host_name;

/// Writes a newtype over a text that `accepts` has passed.
macro_rules! label {
    ($(#[doc = $doc:literal])+ $name:ident, $field:literal, $expected:literal, $accepts:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = KubernetesError;

            fn from_str(text: &str) -> Result<Self, KubernetesError> {
                if $accepts(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(KubernetesError::InvalidManifest { field: $field, expected: $expected })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $expected })
            }
        }
    };
}

label! {
    /// A label's key, for example `handfast.dev/instance-id`: a name of at most 63 characters, optionally after a DNS
    /// domain of at most 253 and a slash.
    LabelKey,
    "label key",
    "[DNS domain/]name of at most 63 letters, digits, `-`, `_` and `.` between letters or digits",
    is_key
}

label! {
    /// A label's value: at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.
    LabelValue,
    "label value",
    "1 to 63 letters, digits, `-`, `_` and `.` between letters or digits",
    is_name
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_host_name(domain) && is_name(name),
        None => is_name(text),
    }
}

fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    matches!(text.len(), 1..=63)
        && text.bytes().all(is_inner)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}
