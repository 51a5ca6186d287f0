//! SPIFFE ids and SPIRE selectors, as values. See the SPIFFE-ID standard,
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

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for SpiffeId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId::new("SpiffeId", "spiffe://<trust domain>/<path>");
        let rest = text.strip_prefix(SCHEME).ok_or(INVALID)?;
        let (domain, path) = rest.split_once('/').ok_or(INVALID)?;
        let valid = text.len() <= limits::SPIFFE_ID_BYTES
            && is_trust_domain(domain)
            && path.split('/').all(is_segment);
        if valid { Ok(Self(text.into())) } else { Err(INVALID) }
    }
}

as_text!(SpiffeId, "^spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+$");

pub(crate) fn is_trust_domain(text: &str) -> bool {
    (1..=limits::SPIFFE_TRUST_DOMAIN_BYTES).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
}

fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// A SPIRE selector, `type:value`: what an attested workload or agent must show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Arc<str>);

impl Selector {
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

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Selector {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId =
            InvalidId::new("Selector", "<type>:<value>, up to 256 bytes, no control characters");
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
    fn a_selector_splits_at_its_first_colon() {
        let selector: Selector = "k8s:ns:edge".parse().unwrap();
        assert_eq!((selector.kind(), selector.value()), ("k8s", "ns:edge"));
        for bad in ["unix", ":a", "unix:", "un ix:a", "unix:a\nb"] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }
}
