//! Client tokens: users, services, and the issuers that an organisation appoints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    ChoriaError, Claims, Purpose,
    claims::{self, check_name, default_ou, permissions},
};

/// What a client token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Who it is, usually `provider=name`.
    pub callerid: String,
    /// The agents, or actions of agents, that it may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    /// The organisational unit.
    #[serde(default = "default_ou")]
    pub ou: String,
    /// What policies may look at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_properties: BTreeMap<String, String>,
    /// A policy in Rego that limits what it may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opa_policy: Option<String>,
    /// What it may do besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<ClientPermissions>,
    /// Further subjects that it may publish to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pub_subjects: Vec<String>,
    /// Further subjects that it may subscribe to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_subjects: Vec<String>,
}

permissions! {
    /// What a client may do.
    ClientPermissions {
        /// Everything with streams.
        streams_admin,
        /// Use streams.
        streams_user,
        /// See events.
        events_viewer,
        /// Take part in elections.
        election_user,
        /// The broker's system account.
        system_user,
        /// Take part in governors; needs streams.
        governor,
        /// Everything in the organisation.
        org_admin,
        /// Manage the fleet.
        fleet_management,
        /// Manage the fleet with requests that a delegator has signed.
        signed_fleet_management,
        /// Live longer than people's tokens do.
        service,
        /// Sign requests for others.
        authentication_delegator,
        /// Reach nodes that wait for being provisioned.
        provisioner,
    }
}

impl Client {
    /// A client's claims with everything else left at its default.
    #[must_use]
    pub fn new(callerid: String) -> Self {
        Self {
            callerid,
            agents: Vec::new(),
            ou: default_ou(),
            user_properties: BTreeMap::new(),
            opa_policy: None,
            permissions: None,
            pub_subjects: Vec::new(),
            sub_subjects: Vec::new(),
        }
    }
}

impl Claims for Client {
    const PURPOSE: Purpose = Purpose::Client;
}

impl claims::Wire for Client {
    const NAMES: &'static [&'static str] = &[
        "callerid",
        "agents",
        "ou",
        "user_properties",
        "opa_policy",
        "permissions",
        "pub_subjects",
        "sub_subjects",
    ];
    const PERMISSIONS: &'static [&'static str] = ClientPermissions::NAMES;

    fn from_members(members: Map<String, Value>) -> Result<Self, ChoriaError> {
        claims::deserialize(members, Self::NAMES)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn check(&self) -> Result<(), ChoriaError> {
        check_name("callerid", &self.callerid)
    }
}
