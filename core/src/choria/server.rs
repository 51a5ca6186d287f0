//! Server tokens: who a node is, once it is provisioned.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    ChoriaError, Claims, Purpose,
    claims::{self, check_name, default_ou, permissions},
};

/// What a server token says: the file `server.jwt`. Its holder proves that it is its own by signing with the key in
/// `public_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The node's name.
    pub identity: String,
    /// The collectives that it is in; at least one.
    #[serde(default)]
    pub collectives: Vec<String>,
    /// What it may do besides being managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<ServerPermissions>,
    /// The organisational unit.
    #[serde(default = "default_ou")]
    pub ou: String,
    /// Subjects that it may publish to besides its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pub_subjects: Vec<String>,
}

permissions! {
    /// What a node may do besides being managed.
    ServerPermissions {
        /// Submit messages.
        submission,
        /// Read streams.
        streams,
        /// Take part in governors; needs streams.
        governor,
        /// Answer service requests.
        service_host,
    }
}

impl Claims for Server {
    const PURPOSE: Purpose = Purpose::Server;
}

impl claims::Wire for Server {
    const NAMES: &'static [&'static str] = &["identity", "collectives", "permissions", "ou", "pub_subjects"];
    const PERMISSIONS: &'static [&'static str] = ServerPermissions::NAMES;

    fn from_members(members: Map<String, Value>) -> Result<Self, ChoriaError> {
        claims::deserialize(members, Self::NAMES)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn check(&self) -> Result<(), ChoriaError> {
        check_name("identity", &self.identity)?;
        if self.collectives.is_empty() {
            return Err(ChoriaError::InvalidClaim { claim: "collectives", expected: "at least one" });
        }
        self.collectives.iter().try_for_each(|collective| check_name("collectives", collective))
    }
}
