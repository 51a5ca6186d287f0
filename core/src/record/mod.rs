//! What the registrar knows, as records that a host keeps under keys.

mod apply;
mod forgotten;
mod instance;
mod key;
pub(crate) mod migrate;
mod names;
mod node;
mod package;
mod pool;
mod resource;
mod scope;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use apply::apply;
pub use forgotten::Forgotten;
pub use instance::Instance;
pub(crate) use instance::is_final;
pub use key::Key;
pub use names::{Ban, NameEntry, SubjectEntry};
pub use node::{CredentialGrant, Node, NodeStatus, RetireReason};
pub(crate) use package::Deadline;
pub use package::{
    DeliveredTo, Delivery, EndReason, OldToken, Package, PackageContent, PackageLink, PackageNode,
    PackageStatus, TokenDigest,
};
pub use pool::{Pool, PoolItem};
pub use resource::{HostResource, Lease, Resource, ResourceSpec, ResourceState, SpireEntry};
pub use scope::{Scope, ScopeView};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use crate::aws::InstanceState;
use crate::{
    id::{Digest, Kind, PackageName, ScopeId, SecretId},
    json, limits,
    time::Timestamp,
    vocabulary::{Error, Labels},
};

/// The version of the format of records and events. A newer one than the code knows is an error, never a guess.
pub const SCHEMA: u32 = 2;

/// The last schema in which facts were not linked to the ones before them.
pub(crate) const UNLINKED_SCHEMA: u32 = 1;

/// One record. Cloning is cheap: the contents are shared until they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    /// A scope.
    Scope(Arc<Scope>),
    /// A pool.
    Pool(Arc<Pool>),
    /// A package.
    Package(Arc<Package>),
    /// What a name means.
    Name(Arc<NameEntry>),
    /// Who a subject is.
    Subject(Arc<SubjectEntry>),
    /// A node.
    Node(Arc<Node>),
    /// A cloud instance.
    Instance(Arc<Instance>),
    /// What is left of a record that was forgotten.
    Forgotten(Arc<Forgotten>),
}

impl Record {
    /// Reads the record out of what [`Versioned::body`] wrote.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] and [`Error::CorruptRecord`].
    pub fn from_body(body: &str) -> Result<Self, Error> {
        Ok(Body::read(body)?.record)
    }

    /// The sealed secrets that the record still needs. All others of its own are shredded.
    #[must_use]
    pub fn held_secrets(&self) -> BTreeSet<SecretId> {
        match self {
            Self::Package(package) => package.held_secrets(),
            Self::Pool(pool) => pool.held_secrets(),
            Self::Scope(_)
            | Self::Name(_)
            | Self::Subject(_)
            | Self::Node(_)
            | Self::Instance(_)
            | Self::Forgotten(_) => BTreeSet::new(),
        }
    }

    /// What a database may want columns for.
    #[must_use]
    pub fn index(&self) -> Index {
        let within = |scope: &ScopeId, index| Index { scope: Some(scope.clone()), ..index };
        match self {
            Self::Scope(scope) => within(&scope.id, Index::new("scope", scope.created_at)),
            Self::Pool(pool) => within(&pool.scope, Index::new("pool", pool.created_at)),
            Self::Package(package) => package.index(),
            Self::Name(entry) => within(&entry.scope, Index::new("name", entry.updated_at)),
            Self::Subject(entry) => Index {
                status: Some(entry.standing()),
                ..within(&entry.scope, Index::new("subject", entry.updated_at))
            },
            Self::Node(node) => node.index(),
            Self::Instance(instance) => instance.index(),
            Self::Forgotten(forgotten) => {
                Index { scope: forgotten.scope.clone(), ..Index::new("forgotten", forgotten.updated_at) }
            }
        }
    }

    /// The earliest instant at which something about the record is due: a deadline, or an effect.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Package(package) => package.wake_at(),
            Self::Node(node) => node.wake_at(),
            Self::Instance(instance) => instance.wake_at(),
            Self::Scope(_) | Self::Pool(_) | Self::Name(_) | Self::Subject(_) | Self::Forgotten(_) => None,
        }
    }

    /// The latest instant that the record has seen. Time does not run backwards past it.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        match self {
            Self::Scope(scope) => scope.updated_at,
            Self::Pool(pool) => pool.updated_at,
            Self::Package(package) => package.updated_at,
            Self::Name(entry) => entry.updated_at,
            Self::Subject(entry) => entry.updated_at,
            Self::Node(node) => node.updated_at,
            Self::Instance(instance) => instance.updated_at,
            Self::Forgotten(forgotten) => forgotten.updated_at,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<Digest>,
    schema: u32,
    #[serde(flatten)]
    record: Record,
}

impl Body {
    fn read(body: &str) -> Result<Self, Error> {
        check_length(body, limits::RECORD_BYTES)?;
        let corrupt = |error: serde_json::Error| Error::CorruptRecord(error.to_string());
        match serde_json::from_str::<Outside>(body) {
            Ok(Outside { head, schema, kind }) if schema == SCHEMA => {
                Ok(Self { head, schema, record: kind.read(body).map_err(corrupt)? })
            }
            other => {
                let schema = check_schema(body)?;
                if let (Err(error), false) = (other, migrate::is_old(schema)) {
                    return Err(corrupt(error));
                }
                let mut old: Self =
                    serde_json::from_value(migrate::record(body, schema)?).map_err(corrupt)?;
                if let Record::Package(package) = &mut old.record {
                    Arc::make_mut(package).note_shredding(); // was not noted
                }
                Ok(old)
            }
        }
    }
}

/// What a body has beside the record's own members.
#[derive(Deserialize)]
struct Outside {
    #[serde(default)]
    head: Option<Digest>,
    schema: u32,
    #[serde(rename = "type")]
    kind: Type,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    Scope,
    Pool,
    Package,
    Name,
    Subject,
    Node,
    Instance,
    Forgotten,
}

impl Type {
    fn read(self, body: &str) -> serde_json::Result<Record> {
        Ok(match self {
            Self::Scope => Record::Scope(inside(body)?),
            Self::Pool => Record::Pool(inside(body)?),
            Self::Package => Record::Package(inside(body)?),
            Self::Name => Record::Name(inside(body)?),
            Self::Subject => Record::Subject(inside(body)?),
            Self::Node => Record::Node(inside(body)?),
            Self::Instance => Record::Instance(inside(body)?),
            Self::Forgotten => Record::Forgotten(inside(body)?),
        })
    }
}

/// The record's own members.
fn inside<T: DeserializeOwned>(body: &str) -> serde_json::Result<Arc<T>> {
    json::read_without(body, &["head", "schema", "type"]).map(Arc::new)
}

/// Refuses what is longer than anything of its kind that handfast writes, before it is read.
pub(crate) fn check_length(body: &str, limit: usize) -> Result<(), Error> {
    if body.len() > limit {
        return Err(Error::CorruptRecord(format!("{} bytes, the limit is {limit}", body.len())));
    }
    Ok(())
}

/// The schema of a body. That of a newer one is an error, whatever else is in it.
pub(crate) fn check_schema(body: &str) -> Result<u32, Error> {
    let SchemaOnly { schema } =
        serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))?;
    if schema > SCHEMA { Err(Error::NewerSchema(schema)) } else { Ok(schema) }
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// A record with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// Counts the record's events.
    pub version: u64,
    /// The digest of its last event; absent where that was written before facts were linked.
    pub head: Option<Digest>,
    /// The record.
    pub record: Record,
}

impl Versioned {
    /// The record as RFC 8785 JSON with its schema number and head: what a store keeps.
    #[must_use]
    pub fn body(&self) -> String {
        json::canonical_of(&Body { head: self.head, schema: SCHEMA, record: self.record.clone() })
    }

    /// Reads what [`Versioned::body`] wrote.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] and [`Error::CorruptRecord`].
    pub fn from_body(version: u64, body: &str) -> Result<Self, Error> {
        let Body { head, record, .. } = Body::read(body)?;
        Ok(Self { version, head, record })
    }
}

/// A row as a store gives it back: a record, or a sealed secret of the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its key.
    pub key: Key,
    /// Its version; 1 for a row of the vault.
    pub version: u64,
    /// Its body, or the ciphertext.
    pub body: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nobody has looked yet.
    Unknown,
    /// The store has no such row.
    Absent,
    /// A record.
    Record(Versioned),
    /// A sealed secret of the vault.
    Sealed(Arc<str>),
}

/// Where `decide` looks records up: a store in memory, or what has been loaded of one.
pub trait Records {
    /// What is known of the key.
    fn look(&self, key: &Key) -> Look;
}

/// Rows that have been loaded from a store.
#[derive(Clone, Debug, Default)]
pub struct Loaded(BTreeMap<Key, Look>);

impl Loaded {
    /// Takes in the rows that the store gave for `asked`; a key without a row is absent.
    ///
    /// # Errors
    /// As [`Record::from_body`].
    pub fn add(&mut self, asked: &[Key], rows: Vec<Row>) -> Result<(), Error> {
        self.0.extend(asked.iter().map(|key| (key.clone(), Look::Absent)));
        for row in rows {
            let look = match row.key.secret() {
                Some(_) => Look::Sealed(row.body.into()),
                None => Look::Record(Versioned::from_body(row.version, &row.body)?),
            };
            self.0.insert(row.key, look);
        }
        Ok(())
    }
}

impl Records for Loaded {
    fn look(&self, key: &Key) -> Look {
        self.0.get(key).cloned().unwrap_or(Look::Unknown)
    }
}

/// What a database may want columns for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Index {
    /// The record's type: `scope`, `pool`, `package`, `name`, `subject`, `node`, `instance` or `forgotten`.
    pub record: &'static str,
    /// Its scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeId>,
    /// A package's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<PackageName>,
    /// A package's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The status of a package or node, the state of an instance, the standing of a subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// The package that a node belongs to, or that a package sits under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Key>,
    /// A package's labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub labels: Labels,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When something about it is due next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
}

impl Index {
    fn new(record: &'static str, created_at: Timestamp) -> Self {
        Self {
            record,
            scope: None,
            name: None,
            kind: None,
            status: None,
            parent: None,
            labels: Labels::default(),
            created_at,
            wake_at: None,
        }
    }
}
