//! The entry that came with a result of `BatchCreateEntry`.

use serde::Deserialize;
use serde_json::Value;

use super::{Entry, Selector, SpiffeId, protojson};
use crate::vocabulary::{Error, from_secret_value};

/// The entry that came with a result of `BatchCreateEntry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// None.
    Nothing,
    /// This one.
    Entry(Box<Entry>),
    /// One that we could not have made, and thus have not.
    Foreign,
}

impl Found {
    /// Reads a `spire.api.types.Entry` as protobuf libraries write it in JSON, with the names of the proto or in
    /// lowerCamelCase (<https://protobuf.dev/programming-guides/json/>); `at` is where it stands, for the path in the error.
    /// What the server sets itself and what later servers add is not looked at. A message with nothing in it is what some
    /// libraries give for one that is not there.
    ///
    /// # Errors
    /// `invalid_input` for what is no such message: a slip in the executor must not pass for somebody else's entry, whose
    /// outcome is that ours is given up. No error repeats a value, for there may be a join token in it.
    pub fn from_value(value: Value, at: &str) -> Result<Self, Error> {
        let message: Message = from_secret_value(value, at)?;
        if message == Message::default() {
            return Ok(Self::Nothing);
        }
        Ok(message.entry().map_or(Self::Foreign, |entry| Self::Entry(Box::new(entry))))
    }
}

impl<E> From<Option<Result<Entry, E>>> for Found {
    fn from(read: Option<Result<Entry, E>>) -> Self {
        match read {
            None => Self::Nothing,
            Some(Ok(entry)) => Self::Entry(Box::new(entry)),
            Some(Err(_)) => Self::Foreign,
        }
    }
}

/// A `spire.api.types.Entry`, whatever its values.
#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Message {
    id: String,
    #[serde(alias = "spiffeId")]
    spiffe_id: Option<Id>,
    #[serde(alias = "parentId")]
    parent_id: Option<Id>,
    selectors: Vec<Pair>,
    #[serde(alias = "x509SvidTtl")]
    x509_svid_ttl: i32,
    #[serde(alias = "jwtSvidTtl")]
    jwt_svid_ttl: i32,
    #[serde(alias = "federatesWith")]
    federates_with: Vec<String>,
    admin: bool,
    downstream: bool,
    #[serde(alias = "expiresAt", deserialize_with = "protojson::integer")]
    expires_at: i64,
    #[serde(alias = "dnsNames")]
    dns_names: Vec<String>,
    #[serde(alias = "storeSvid")]
    store_svid: bool,
    hint: String,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(default, expecting = "an object with `trust_domain` and `path`")]
struct Id {
    #[serde(alias = "trustDomain")]
    trust_domain: String,
    path: String,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(default, expecting = "an object with `type` and `value`")]
struct Pair {
    r#type: String,
    value: String,
}

impl Message {
    fn entry(self) -> Option<Entry> {
        let id = |id: Option<Id>| id.and_then(|id| SpiffeId::from_parts(&id.trust_domain, &id.path).ok());
        let selector = |pair: &Pair| Selector::from_parts(&pair.r#type, &pair.value).ok();
        Some(Entry {
            id: self.id.parse().ok()?,
            spiffe_id: id(self.spiffe_id)?,
            parent_id: id(self.parent_id)?,
            selectors: self.selectors.iter().map(selector).collect::<Option<_>>()?,
            x509_svid_ttl: self.x509_svid_ttl.try_into().ok()?,
            jwt_svid_ttl: self.jwt_svid_ttl.try_into().ok()?,
            federates_with: self
                .federates_with
                .iter()
                .map(|domain| domain.parse().ok())
                .collect::<Option<_>>()?,
            admin: self.admin,
            downstream: self.downstream,
            expires_at: self.expires_at.try_into().ok()?,
            dns_names: self.dns_names,
            store_svid: self.store_svid,
            hint: self.hint,
        })
    }
}
