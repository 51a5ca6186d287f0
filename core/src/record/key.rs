//! The keys under which a host stores records.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    aws::InstanceId,
    id::{InvalidId, NodeId, PackageId, PackageName, PoolName, ScopeId, SecretId, Subject, as_text},
};

/// Names one row of the host's store. Its text (`Display`, `FromStr`) is what a database keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A scope with its quota: `scope/<scope>`.
    Scope(ScopeId),
    /// A pool of finite items: `pool/<scope>/<name>`.
    Pool(ScopeId, PoolName),
    /// A package: `package/<uuid>`.
    Package(PackageId),
    /// The live package of that name: `name/<scope>/<name>`.
    Name(ScopeId, PackageName),
    /// Who connects, whatever the package: `subject/<scope>/<subject>`.
    Subject(ScopeId, Subject),
    /// A node: `node/<id>`.
    Node(NodeId),
    /// A cloud instance: `instance/<id>`.
    Instance(InstanceId),
    /// A sealed secret in the vault: `secret/<id>`. Read like a record, but never guarded and never in `writes`.
    Secret(SecretId),
}

impl Key {
    /// The vault's name, if this is a row of the vault and not a record.
    #[must_use]
    pub fn secret(&self) -> Option<SecretId> {
        if let Self::Secret(id) = self { Some(*id) } else { None }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => write!(formatter, "scope/{scope}"),
            Self::Pool(scope, name) => write!(formatter, "pool/{scope}/{name}"),
            Self::Package(id) => write!(formatter, "package/{id}"),
            Self::Name(scope, name) => write!(formatter, "name/{scope}/{name}"),
            Self::Subject(scope, subject) => write!(formatter, "subject/{scope}/{subject}"),
            Self::Node(id) => write!(formatter, "node/{id}"),
            Self::Instance(id) => write!(formatter, "instance/{id}"),
            Self::Secret(id) => write!(formatter, "secret/{id}"),
        }
    }
}

impl FromStr for Key {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("Key", "a record type, a slash and its id");
        let (kind, id) = text.split_once('/').ok_or_else(invalid)?;
        let within_scope = || id.split_once('/').ok_or_else(invalid);
        match kind {
            "scope" => Ok(Self::Scope(id.parse()?)),
            "pool" => within_scope().and_then(|(scope, name)| Ok(Self::Pool(scope.parse()?, name.parse()?))),
            "package" => Ok(Self::Package(id.parse()?)),
            "name" => within_scope().and_then(|(scope, name)| Ok(Self::Name(scope.parse()?, name.parse()?))),
            "subject" => within_scope()
                .and_then(|(scope, subject)| Ok(Self::Subject(scope.parse()?, subject.parse()?))),
            "node" => Ok(Self::Node(id.parse()?)),
            "instance" => id.parse().map(Self::Instance).map_err(|_| invalid()),
            "secret" => Ok(Self::Secret(id.parse()?)),
            _ => Err(invalid()),
        }
    }
}

as_text!(Key, "^(scope|pool|package|name|subject|node|instance|secret)/.+$");
