//! SPIFFE ids and the trust domains they lie in. See the SPIFFE-ID standard,
//! <https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md>.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    id::{InvalidId, as_text},
    limits,
};

/// A SPIFFE id with a path: `spiffe://<trust domain>/<segment>/..`, in its one canonical spelling.
///
/// Upper case, percent-encoding, empty and dot segments are refused instead of repaired: two ids that look alike
/// must not be the same workload to one reader and different ones to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId(Arc<str>);

impl SpiffeId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Puts an id together as SPIRE's API has it, with the path's leading slash.
    ///
    /// # Errors
    /// [`InvalidId`].
    pub fn from_parts(trust_domain: &str, path: &str) -> Result<Self, InvalidId> {
        format!("{SCHEME}{trust_domain}{path}")
            .parse::<Self>()
            .and_then(|id| if id.path() == path { Ok(id) } else { Err(INVALID) })
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        self.parts().0
    }

    /// The path, with its leading slash.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let rest = self.0.strip_prefix(SCHEME).unwrap_or_default();
        rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or_default()
    }
}

const SCHEME: &str = "spiffe://";
const INVALID: InvalidId = InvalidId::new("SpiffeId", "spiffe://<trust domain>/<path>");

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for SpiffeId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix(SCHEME).ok_or(INVALID)?;
        let (domain, path) = rest.split_once('/').ok_or(INVALID)?;
        let valid = text.len() <= limits::SPIFFE_ID_BYTES
            && is_trust_domain(domain)
            && path.split('/').all(is_segment);
        if valid { Ok(Self(text.into())) } else { Err(INVALID) }
    }
}

as_text!(SpiffeId, "^spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+$");

/// The name of a trust domain: whoever holds its keys can be any workload in it (SPIFFE-ID section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    /// The name, without `spiffe://`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for TrustDomain {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId::new("TrustDomain", "up to 255 of a-z 0-9 . _ -");
        if is_trust_domain(text) { Ok(Self(text.into())) } else { Err(INVALID) }
    }
}

as_text!(TrustDomain, "^[a-z0-9._-]{1,255}$");

pub(crate) fn is_trust_domain(text: &str) -> bool {
    (1..=limits::SPIFFE_TRUST_DOMAIN_BYTES).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
}

pub(super) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// An id as SPIRE's API has it: `{"trust_domain": .., "path": ..}`.
pub(super) mod in_parts {
    use super::{Deserialize, Deserializer, Serialize, Serializer, SpiffeId};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object with `trust_domain` and `path`")]
    struct Parts<'a> {
        trust_domain: std::borrow::Cow<'a, str>,
        path: std::borrow::Cow<'a, str>,
    }

    pub(in crate::spire) fn serialize<S: Serializer>(
        id: &SpiffeId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Parts { trust_domain: id.trust_domain().into(), path: id.path().into() }.serialize(serializer)
    }

    pub(in crate::spire) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SpiffeId, D::Error> {
        let parts = Parts::deserialize(deserializer)?;
        SpiffeId::from_parts(&parts.trust_domain, &parts.path).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id: SpiffeId = "spiffe://example.org/ns/edge/a-1".parse().unwrap();
        assert_eq!((id.trust_domain(), id.path()), ("example.org", "/ns/edge/a-1"));
        for bad in [
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://Example.org/a",
            "SPIFFE://example.org/a",
            "spiffe://example.org/a/",
            "spiffe://example.org//a",
            "spiffe://example.org/a/../b",
            "spiffe://example.org/a%20b",
            "spiffe://user@example.org/a",
            "spiffe://example.org:1/a",
            "spiffe:///a",
            "https://example.org/a",
        ] {
            assert!(bad.parse::<SpiffeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_trust_domain_is_a_name_and_no_id() {
        assert_eq!("prod.example_1.org".parse::<TrustDomain>().unwrap().as_str(), "prod.example_1.org");
        let long = "a".repeat(limits::SPIFFE_TRUST_DOMAIN_BYTES);
        assert!(long.parse::<TrustDomain>().is_ok());
        for bad in ["", "Example.org", "spiffe://example.org", "example.org/a", "a b", &format!("{long}a")] {
            assert!(bad.parse::<TrustDomain>().is_err(), "{bad}");
        }
    }
}
