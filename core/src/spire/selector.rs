//! SPIRE selectors.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    id::{InvalidId, as_text},
    limits,
};

/// A SPIRE selector, `type:value`: what an attested workload or agent must show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Arc<str>);

impl Selector {
    /// Puts a selector together as SPIRE's API has it.
    ///
    /// # Errors
    /// [`InvalidId`], also for a type with a colon: it would be read back as another selector.
    pub fn from_parts(kind: &str, value: &str) -> Result<Self, InvalidId> {
        format!("{kind}:{value}")
            .parse::<Self>()
            .and_then(|selector| if selector.kind() == kind { Ok(selector) } else { Err(INVALID) })
    }

    /// The part before the first colon.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once(':').map_or("", |(kind, _)| kind)
    }

    /// Everything after the first colon.
    #[must_use]
    pub fn value(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, value)| value)
    }
}

const INVALID: InvalidId =
    InvalidId::new("Selector", "<type>:<value>, up to 512 bytes, no control characters");

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Selector {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (kind, value) = text.split_once(':').ok_or(INVALID)?;
        let valid = text.len() <= limits::SPIRE_SELECTOR_BYTES
            && !kind.is_empty()
            && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            && !value.is_empty()
            && !value.chars().any(char::is_control);
        if valid { Ok(Self(text.into())) } else { Err(INVALID) }
    }
}

as_text!(Selector, "^[A-Za-z0-9._-]+:.+$");

/// Selectors as SPIRE's API has them: `[{"type": .., "value": ..}]`.
pub(super) mod in_parts {
    use std::{borrow::Cow, collections::BTreeSet};

    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, Selector, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object with `type` and `value`")]
    struct Parts<'a> {
        r#type: Cow<'a, str>,
        value: Cow<'a, str>,
    }

    pub(in crate::spire) fn serialize<S: Serializer>(
        selectors: &BTreeSet<Selector>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let parts = |selector: &Selector| Parts {
            r#type: selector.kind().to_owned().into(),
            value: selector.value().to_owned().into(),
        };
        serializer.collect_seq(selectors.iter().map(parts))
    }

    pub(in crate::spire) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<Selector>, D::Error> {
        let parts = Vec::<Parts<'_>>::deserialize(deserializer)?;
        let selector = |parts: &Parts<'_>| Selector::from_parts(&parts.r#type, &parts.value);
        parts.iter().map(selector).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_splits_at_its_first_colon() {
        let selector: Selector = "k8s:ns:edge".parse().unwrap();
        assert_eq!((selector.kind(), selector.value()), ("k8s", "ns:edge"));
        for bad in ["unix", ":a", "unix:", "un ix:a", "unix:a\nb"] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }
}
