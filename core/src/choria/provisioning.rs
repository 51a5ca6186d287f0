//! Provisioning tokens: the file `provisioning.jwt` of a node that belongs to nobody yet.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    Broker, BrokerUrl, ChoriaError, Claims, Purpose,
    claims::{self, check_name, default_ou, is_false},
};
use crate::{json, secret::Secret};

/// What a provisioning token says. A whole fleet carries the same one, and every node of it can be read by whoever holds
/// the node: [`token`](Self::token) opens the provisioning of one's own machine, and must open nothing else.
///
/// Serialised it has no secrets; [`Token::to_json`](super::Token::to_json) has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provisioning {
    /// `cht`: the secret with which a provisioner may configure the node.
    #[serde(skip_serializing)]
    pub token: Secret,
    /// `chs`: connect with TLS. On, unless said otherwise; Choria's own command has it off.
    #[serde(default = "yes")]
    pub secure: bool,
    /// `chu`: the brokers' URLs.
    #[serde(default)]
    pub urls: Vec<BrokerUrl>,
    /// `chsrv`: the domain in which the brokers are looked up.
    #[serde(default)]
    pub srv_domain: Option<String>,
    /// `chpd`: whether a node without configuration goes into provisioning by itself.
    #[serde(default)]
    pub by_default: bool,
    /// `chrd`: the file whose content the node publishes while it waits.
    #[serde(default)]
    pub registration: Option<String>,
    /// `chf`: the file with the node's facts.
    #[serde(default)]
    pub facts: Option<String>,
    /// `chusr`: the user at the broker.
    #[serde(default)]
    pub user: Option<String>,
    /// `chpwd`: the user's password.
    #[serde(default, skip_serializing)]
    pub password: Option<Secret>,
    /// `extensions`: whatever the operator's helper understands. Readable by everybody who has the token; of a token that
    /// nobody has verified only their names are shown.
    #[serde(default)]
    pub extensions: Option<Map<String, Value>>,
    /// `ou`: the organisational unit.
    #[serde(default = "default_ou")]
    pub ou: String,
    /// `v2`: Choria's second protocol.
    #[serde(default)]
    pub protocol_2: bool,
    /// `update`: whether the provisioner may replace the node's program.
    #[serde(default)]
    pub update: bool,
}

impl Provisioning {
    /// A token's claims with everything else left at its default.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self {
            token,
            secure: true,
            urls: Vec::new(),
            srv_domain: None,
            by_default: false,
            registration: None,
            facts: None,
            user: None,
            password: None,
            extensions: None,
            ou: default_ou(),
            protocol_2: false,
            update: false,
        }
    }

    /// Where the node goes. A token may name an SRV domain or URLs, for nodes refuse one that names both or neither.
    ///
    /// # Errors
    /// `choria_no_broker`, `choria_two_brokers`.
    pub fn broker(&self) -> Result<Broker<'_>, ChoriaError> {
        match (&self.srv_domain, self.urls.as_slice()) {
            (None, []) => Err(ChoriaError::NoBroker),
            (None, urls) => Ok(Broker::Urls(urls)),
            (Some(domain), []) => Ok(Broker::Srv(domain)),
            (Some(_), _) => Err(ChoriaError::TwoBrokers),
        }
    }

    /// The name of the SRV records that nodes ask for, where they do.
    #[must_use]
    pub fn srv_record(&self) -> Option<String> {
        self.srv_domain.as_ref().map(|domain| format!("_choria-provisioner._tcp.{domain}"))
    }
}

impl Claims for Provisioning {
    const PURPOSE: Purpose = Purpose::Provisioning;
}

impl claims::Wire for Provisioning {
    const NAMES: &'static [&'static str] = &[
        "cht",
        "chs",
        "chu",
        "chsrv",
        "chpd",
        "chrd",
        "chf",
        "chusr",
        "chpwd",
        "extensions",
        "ou",
        "v2",
        "update",
    ];
    const PERMISSIONS: &'static [&'static str] = &[];

    fn from_members(members: Map<String, Value>) -> Result<Self, ChoriaError> {
        claims::deserialize(members, Self::NAMES).map(|Read(read)| read)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire::serialize(self, serializer)
    }

    fn check(&self) -> Result<(), ChoriaError> {
        if self.token.expose().is_empty() {
            return Err(ChoriaError::NoToken);
        }
        match self.broker()? {
            Broker::Srv(domain) => check_name("chsrv", domain)?,
            Broker::Urls(urls) => urls.iter().try_for_each(BrokerUrl::check)?,
        }
        if self.extensions.as_ref().is_some_and(|extensions| extensions.values().any(json::holds_secret)) {
            let expected = "free of secrets: everybody who has the token can read it";
            return Err(ChoriaError::InvalidClaim { claim: "extensions", expected });
        }
        Ok(())
    }

    fn check_new(&self) -> Result<(), ChoriaError> {
        self.check()?;
        self.urls.iter().try_for_each(BrokerUrl::check_public)
    }
}

/// The claims under Choria's names, in Choria's order.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Provisioning")]
struct Wire {
    #[serde(rename = "cht", default = "no_secret", with = "text")]
    token: Secret,
    #[serde(rename = "chs", default)]
    secure: bool,
    #[serde(rename = "chu", default, with = "commas", skip_serializing_if = "Vec::is_empty")]
    urls: Vec<BrokerUrl>,
    #[serde(rename = "chsrv", default, skip_serializing_if = "Option::is_none")]
    srv_domain: Option<String>,
    #[serde(rename = "chpd", default)]
    by_default: bool,
    #[serde(rename = "chrd", default, skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
    #[serde(rename = "chf", default, skip_serializing_if = "Option::is_none")]
    facts: Option<String>,
    #[serde(rename = "chusr", default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(rename = "chpwd", default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    password: Option<Secret>,
    #[serde(default)]
    extensions: Option<Map<String, Value>>,
    #[serde(default = "default_ou")]
    ou: String,
    #[serde(rename = "v2", default, skip_serializing_if = "is_false")]
    protocol_2: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    update: bool,
}

struct Read(Provisioning);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer).map(Self)
    }
}

/// A secret in a token is a text and nothing else; that of a binding has other forms.
mod text {
    use super::{Deserialize as _, Deserializer, Secret, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

mod optional_text {
    use super::{Deserializer, Secret, Serialize as _, Serializer, text};

    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret>, D::Error> {
        text::deserialize(deserializer).map(Some)
    }
}

mod commas {
    use super::{BrokerUrl, Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(urls: &[BrokerUrl], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&urls.iter().map(BrokerUrl::expose).collect::<Vec<_>>().join(","))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<BrokerUrl>, D::Error> {
        Ok(String::deserialize(deserializer)?.split(',').map(BrokerUrl::from).collect())
    }
}

fn no_secret() -> Secret {
    Secret::new(String::new())
}

const fn yes() -> bool {
    true
}
