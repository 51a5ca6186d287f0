//! What the registrar knows, as records that a host keeps under keys.

mod apply;
mod instance;
mod key;
mod names;
mod node;
mod package;
mod resource;

use std::{collections::BTreeMap, sync::Arc};

pub use apply::apply;
pub use instance::Instance;
pub(crate) use instance::is_final;
pub use key::Key;
pub use names::{NameEntry, SubjectEntry};
pub use node::{Node, NodeStatus, RetireReason};
pub(crate) use package::Deadline;
pub use package::{
    DeliveredTo, Delivery, EndReason, Package, PackageContent, PackageNode, PackageStatus, TokenDigest,
};
pub use resource::{Lease, Resource, ResourceSpec, ResourceState};
use serde::{Deserialize, Serialize};

pub use crate::aws::InstanceState;
use crate::{
    id::{Kind, PackageName, ScopeId},
    json,
    time::Timestamp,
    vocabulary::{Error, Labels},
};

/// The version of the format of records and events. A newer one than the code knows is an error, never a guess.
pub const SCHEMA: u32 = 1;

/// One record. Cloning is cheap: the contents are shared until they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
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
}

impl Record {
    /// The record as RFC 8785 JSON with its schema number: what a store keeps.
    #[must_use]
    pub fn body(&self) -> String {
        json::canonical_of(&Body { schema: SCHEMA, record: self.clone() })
    }

    /// Reads what [`Record::body`] wrote.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] and [`Error::CorruptRecord`].
    pub fn from_body(body: &str) -> Result<Self, Error> {
        check_schema(body)?;
        let body: Body =
            serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))?;
        Ok(body.record)
    }

    /// What a database may want columns for.
    #[must_use]
    pub fn index(&self) -> Index {
        match self {
            Self::Package(package) => package.index(),
            Self::Name(entry) => {
                Index { scope: Some(entry.scope.clone()), ..Index::new("name", entry.updated_at) }
            }
            Self::Subject(entry) => {
                Index { scope: Some(entry.scope.clone()), ..Index::new("subject", entry.updated_at) }
            }
            Self::Node(node) => node.index(),
            Self::Instance(instance) => instance.index(),
        }
    }

    /// The earliest instant at which something about the record is due: a deadline, or an effect.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Package(package) => package.wake_at(),
            Self::Node(node) => node.wake_at(),
            Self::Instance(instance) => instance.wake_at(),
            Self::Name(_) | Self::Subject(_) => None,
        }
    }

    /// The latest instant that the record has seen. Time does not run backwards past it.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        match self {
            Self::Package(package) => package.updated_at,
            Self::Name(entry) => entry.updated_at,
            Self::Subject(entry) => entry.updated_at,
            Self::Node(node) => node.updated_at,
            Self::Instance(instance) => instance.updated_at,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Body {
    schema: u32,
    #[serde(flatten)]
    record: Record,
}

/// A body of a newer schema is an error, whatever else is in it.
pub(crate) fn check_schema(body: &str) -> Result<(), Error> {
    let SchemaOnly { schema } =
        serde_json::from_str(body).map_err(|error| Error::CorruptRecord(error.to_string()))?;
    if schema > SCHEMA { Err(Error::NewerSchema(schema)) } else { Ok(()) }
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
    /// The record.
    pub record: Record,
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
            let look = match &row.key {
                Key::Secret(_) => Look::Sealed(row.body.into()),
                Key::Package(_) | Key::Name(..) | Key::Subject(..) | Key::Node(_) | Key::Instance(_) => {
                    Look::Record(Versioned { version: row.version, record: Record::from_body(&row.body)? })
                }
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
    /// The record's type: `package`, `name`, `subject`, `node` or `instance`.
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
    /// The status of a package or node, the state of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
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
            labels: Labels::default(),
            created_at,
            wake_at: None,
        }
    }
}
