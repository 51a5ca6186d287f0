//! Registration entries, as `BatchCreateEntry` takes them and gives them back.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Selector, SpiffeId, SpireError, TrustDomain};
use crate::{
    id::{InvalidId, as_text, is_host_name},
    limits,
    vocabulary::{Error, from_secret_value},
};

/// The id of an entry. Ours bear the mark of their owner, `<owner>-<32 hexadecimal digits>`: nobody else has made one of
/// that id, so that making it twice makes one, and nothing but ours is deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it bears this owner's mark.
    #[must_use]
    pub fn is_of(&self, owner: &str) -> bool {
        let drawn = self.0.strip_prefix(owner).and_then(|rest| rest.strip_prefix('-'));
        let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        drawn.is_some_and(|drawn| drawn.len() == 32 && drawn.bytes().all(is_hex))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for EntryId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId::new("EntryId", "up to 255 of A-Z a-z 0-9 . _ -");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let valid = (1..=limits::SPIRE_ENTRY_ID_BYTES).contains(&text.len()) && text.bytes().all(plain);
        if valid { Ok(Self(text.into())) } else { Err(INVALID) }
    }
}

as_text!(EntryId, "^[A-Za-z0-9._-]{1,255}$");

/// A registration entry: who shows these selectors to this parent is given this identity.
///
/// The fields are those of `spire.api.types.Entry`, under its names and in its units; as JSON it is what a protobuf
/// library of any language reads as one. What the server sets itself (`revision_number`, `created_at`) is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The entry's id.
    pub id: EntryId,
    /// The id that it grants.
    #[serde(with = "super::id::in_parts")]
    pub spiffe_id: SpiffeId,
    /// Who vouches for it: an agent, or `spiffe://<trust domain>/spire/server` for an entry of a node.
    #[serde(with = "super::id::in_parts")]
    pub parent_id: SpiffeId,
    /// What must be shown, all of it; 1 to [`limits::SPIRE_SELECTORS`].
    #[serde(with = "super::selector::in_parts")]
    pub selectors: BTreeSet<Selector>,
    /// Life of an X.509-SVID in seconds; the server's default for 0.
    #[serde(default)]
    pub x509_svid_ttl: u32,
    /// Life of a JWT-SVID in seconds; the server's default for 0.
    #[serde(default)]
    pub jwt_svid_ttl: u32,
    /// Trust domains whose bundles are given along.
    #[serde(default)]
    pub federates_with: BTreeSet<TrustDomain>,
    /// Whether it may administer the server. Whoever shows the selectors can then make any entry.
    #[serde(default)]
    pub admin: bool,
    /// Whether it is for a downstream SPIRE server. Whoever shows the selectors can then sign any identity of the trust
    /// domain.
    #[serde(default)]
    pub downstream: bool,
    /// When the server deletes it, in seconds of the Unix epoch; never for 0.
    #[serde(default, deserialize_with = "super::protojson::integer")]
    pub expires_at: u32,
    /// Names in the X.509-SVID; the first one is its common name, so their order counts.
    #[serde(default)]
    pub dns_names: Vec<String>,
    /// Whether the SVID is put into a store by the agent's plugin instead of being given to a workload.
    #[serde(default)]
    pub store_svid: bool,
    /// For workloads that are given several: which is for what. Every workload sees it.
    #[serde(default)]
    pub hint: String,
}

impl Entry {
    /// An entry with nothing but what every entry has.
    #[must_use]
    pub fn new(id: EntryId, spiffe_id: SpiffeId, parent_id: SpiffeId, selectors: BTreeSet<Selector>) -> Self {
        Self {
            id,
            spiffe_id,
            parent_id,
            selectors,
            x509_svid_ttl: 0,
            jwt_svid_ttl: 0,
            federates_with: BTreeSet::new(),
            admin: false,
            downstream: false,
            expires_at: 0,
            dns_names: Vec::new(),
            store_svid: false,
            hint: String::new(),
        }
    }

    /// Reads an entry of ours that crosses a language boundary; `at` is where it stands, for the path in the error.
    ///
    /// # Errors
    /// `invalid_input` with the path of what is missing, unknown or wrong. It does not repeat a value: that of an
    /// [`AliasEntry`](super::AliasEntry) holds the join token.
    pub fn from_value(value: Value, at: &str) -> Result<Self, Error> {
        from_secret_value(value, at)
    }

    /// Checks what the server would refuse, or take for something else.
    ///
    /// # Errors
    /// `spire_invalid_request` with the field.
    pub fn check(&self) -> Result<(), SpireError> {
        let invalid = |field, expected| Err(SpireError::InvalidRequest { field, expected });
        let ttl_fits = |ttl: u32| ttl <= limits::SPIRE_SVID_TTL_MAX_SECONDS;
        if self.parent_id.trust_domain() != self.spiffe_id.trust_domain() {
            return invalid("parent_id", "an id of the same trust domain");
        }
        if is_reserved(&self.spiffe_id) {
            return invalid("spiffe_id", "a path outside /spire, which is the server's own");
        }
        if !(1..=limits::SPIRE_SELECTORS).contains(&self.selectors.len()) {
            return invalid("selectors", "1 to 16");
        }
        if !ttl_fits(self.x509_svid_ttl) {
            return invalid("x509_svid_ttl", "seconds in 31 bits");
        }
        if !ttl_fits(self.jwt_svid_ttl) {
            return invalid("jwt_svid_ttl", "seconds in 31 bits");
        }
        if self.federates_with.len() > limits::SPIRE_FEDERATES_WITH {
            return invalid("federates_with", "at most 16 trust domains");
        }
        if self.hint.len() > limits::SPIRE_HINT_BYTES {
            return invalid("hint", "at most 1024 bytes");
        }
        if self.dns_names.len() > limits::SPIRE_DNS_NAMES || !self.dns_names.iter().all(|name| is_dns(name)) {
            return invalid("dns_names", "at most 16 host names");
        }
        Ok(())
    }
}

/// Whether the id is the server's own to give.
pub(crate) fn is_reserved(id: &SpiffeId) -> bool {
    id.path() == "/spire" || id.path().starts_with("/spire/")
}

/// The name of a host; a `*` may stand for the first label.
fn is_dns(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= limits::NODE_NAME_BYTES && is_host_name(rest)
}
