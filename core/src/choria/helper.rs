//! The conversation between Choria's provisioner and its helper, one JSON document each way: on standard input who asks
//! to be provisioned, on standard output what is to become of it.
//!
//! The provisioner kills a helper after ten seconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    ChoriaError, HexKey, Provisioning, Purpose, Server, ServerPermissions, Standard, Token,
    claims::{self, DEFAULT_OU, TEXTS, without_blanks},
    standard::seconds,
};
use crate::{json, jwt, limits, secret::Secret, time::Timestamp};

/// Who asks to be provisioned. Where there is a [`jwt`](Self::jwt) the provisioner has verified it; whoever reads this
/// document believes the provisioner. The rest is the node's own word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HelperRequest {
    /// The node's name.
    pub identity: String,
    /// Its certificate request, where the provisioner uses certificates.
    pub csr: Option<Csr>,
    /// Its new key, where the provisioner uses server tokens.
    pub ed25519_pubkey: Option<NodeKey>,
    /// What it says of itself, as JSON text.
    pub inventory: String,
    /// The provisioning token that it carries.
    pub jwt: Option<Token<Provisioning>>,
}

/// A certificate request of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Csr {
    /// In PEM.
    pub csr: String,
    /// The public key in it, in PEM.
    pub public_key: String,
    /// The folder on the node.
    pub ssldir: String,
}

/// A node's new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKey {
    /// The public half.
    pub public_key: HexKey,
    /// The folder on the node in which the private half stays.
    #[serde(default)]
    pub directory: String,
    /// Over the provisioner's nonce, which it has checked; hexadecimal digits.
    #[serde(default)]
    pub signature: String,
}

impl HelperRequest {
    /// Reads what a provisioner wrote. Members that newer versions add are ignored.
    ///
    /// # Errors
    /// `choria_malformed_helper`; for the token's claims as [`inspect`](super::inspect).
    pub fn from_json(text: &str) -> Result<Self, ChoriaError> {
        let mut members = object(text)?;
        let jwt = match members.remove("jwt") {
            None => None,
            Some(Value::Object(claims)) => Some(token(claims)?),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Null) => {
                return Err(malformed("jwt is not an object"));
            }
        };
        let mut read = Reader(members);
        Ok(Self {
            identity: read.take("identity")?.filter(|name: &String| !name.is_empty()).ok_or(NO_IDENTITY)?,
            csr: read.take("csr")?,
            ed25519_pubkey: read.take("ed25519_pubkey")?,
            inventory: read.take("inventory")?.unwrap_or_default(),
            jwt,
        })
    }

    /// Writes what a helper reads, with the token's secrets in it.
    ///
    /// # Errors
    /// `choria_malformed_helper` without an identity.
    pub fn to_json(&self) -> Result<Secret, ChoriaError> {
        #[derive(Serialize)]
        struct Written<'a, T> {
            identity: &'a str,
            csr: &'a Option<Csr>,
            ed25519_pubkey: &'a Option<NodeKey>,
            inventory: &'a str,
            jwt: Option<T>,
        }
        if self.identity.is_empty() {
            return Err(NO_IDENTITY);
        }
        let Self { identity, csr, ed25519_pubkey, inventory, jwt } = self;
        let jwt = jwt.as_ref().map(|token| claims::written(&token.standard, &token.claims));
        let document = Written { identity, csr, ed25519_pubkey, inventory, jwt };
        serde_json::to_string(&document).map(Secret::new).map_err(|_| malformed("cannot be written"))
    }

    /// The inventory, read.
    ///
    /// # Errors
    /// `choria_malformed_helper`.
    pub fn inventory(&self) -> Result<Value, ChoriaError> {
        json::parse(self.inventory.as_bytes(), limits::CHORIA_HELPER_BYTES)
            .map_err(|_| malformed("inventory is not strict JSON"))
    }
}

const NO_IDENTITY: ChoriaError = malformed("no identity");

/// What is to become of a node. Serialised it has no private key; [`HelperReply::to_json`] has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HelperReply {
    /// Not now: the node is asked again later.
    pub defer: bool,
    /// The node is told to stop.
    pub shutdown: bool,
    /// Why, for the provisioner's log.
    pub msg: String,
    /// The private key of the certificate, in PEM, where the helper made one.
    #[serde(skip_serializing)]
    pub key: Option<Secret>,
    /// The certificate, in PEM.
    pub certificate: String,
    /// Its authorities, in PEM.
    pub ca: String,
    /// The folder on the node that they go into.
    pub ssldir: String,
    /// What the node's server token is to say.
    pub server_claims: Option<HelperServer>,
    /// The node's configuration.
    pub configuration: BTreeMap<String, String>,
    /// Policies for its agents, by file.
    pub action_policies: BTreeMap<String, String>,
    /// Policies in Rego, by file.
    pub opa_policies: BTreeMap<String, String>,
    /// The version of Choria that the node is to be brought to first.
    pub upgrade: String,
}

/// What a helper may say about a node's server token; the rest is the provisioner's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HelperServer {
    /// When it expires; the provisioner's own choice (a year) where it is left out.
    pub exp: Option<Expiry>,
    /// The collectives that the node is in.
    pub collectives: Vec<String>,
    /// What it may do.
    pub permissions: Option<ServerPermissions>,
    /// The organisational unit.
    pub ou: Option<String>,
    /// Subjects that it may publish to besides its own.
    pub pub_subjects: Vec<String>,
}

/// What `server_claims.exp` says.
///
/// Choria's documentation has helpers write seconds that the token is to live; its provisioner takes the number for a
/// time since 1970, finds it long past, and silently gives its default. Here the two are told apart: a number below
/// 1,000,000,000 (September 2001, before there was Choria; as a duration more than thirty years) is a duration, any
/// other a time. It is written as a time, which is what the provisioner understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// So many seconds from now.
    After {
        /// The seconds.
        seconds: u32,
    },
}

const FIRST_TIME: u32 = 1_000_000_000;

impl Expiry {
    /// The time that is meant.
    ///
    /// # Errors
    /// `choria_validity` for less than [`limits::CHORIA_SERVER_VALIDITY_MIN_SECONDS`], for which the provisioner would
    /// silently take its default, and for more than [`limits::CHORIA_VALIDITY_MAX_SECONDS`].
    pub fn resolve(self, now: Timestamp) -> Result<Timestamp, ChoriaError> {
        let at = match self {
            Self::At(at) => at,
            Self::After { seconds } => now.plus_seconds(seconds),
        };
        if at <= now.plus_seconds(limits::CHORIA_SERVER_VALIDITY_MIN_SECONDS) {
            return Err(ChoriaError::Validity { what: "server_claims.exp is past, or within the next hour" });
        }
        if at > now.plus_seconds(limits::CHORIA_VALIDITY_MAX_SECONDS) {
            return Err(ChoriaError::Validity { what: "server_claims.exp is more than five years away" });
        }
        Ok(at)
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(match self {
            Self::At(at) => seconds(*at),
            Self::After { seconds } => i64::from(*seconds),
        })
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(seconds @ ..FIRST_TIME) => Ok(Self::After { seconds }),
            Ok(FIRST_TIME..) | Err(_) => {
                let millis = i64::try_from(number).ok().and_then(|seconds| seconds.checked_mul(1000));
                let at = millis.and_then(Timestamp::from_unix_millis);
                at.map(Self::At).ok_or_else(|| serde::de::Error::custom("not a time"))
            }
        }
    }
}

impl HelperReply {
    /// Reads what a helper wrote. A member that the provisioner does not know is an error: a misspelt one would silently
    /// give a node other rights than the helper's author meant.
    ///
    /// # Errors
    /// `choria_malformed_helper`.
    pub fn from_json(text: &str) -> Result<Self, ChoriaError> {
        let mut members = object(text)?;
        if let Some(Value::Object(claims)) = members.get_mut("server_claims") {
            *claims = without_blanks(std::mem::take(claims), TEXTS);
        }
        serde_json::from_value(Value::Object(members))
            .map_err(|_| malformed("a member is unknown or of the wrong type"))
    }

    /// Writes what a provisioner reads, with the private key in it, and with `server_claims.exp` as the time that it
    /// means from `now` on.
    ///
    /// # Errors
    /// `choria_validity`.
    pub fn to_json(&self, now: Timestamp) -> Result<Secret, ChoriaError> {
        #[derive(Serialize)]
        struct Written<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            key: Option<&'a str>,
            #[serde(flatten)]
            rest: &'a HelperReply,
        }
        let mut rest = self.clone();
        if let Some(claims) = &mut rest.server_claims {
            claims.exp = claims.exp.map(|exp| exp.resolve(now)).transpose()?.map(Expiry::At);
        }
        let document = Written { key: self.key.as_ref().map(Secret::expose), rest: &rest };
        serde_json::to_string(&document).map(Secret::new).map_err(|_| malformed("cannot be written"))
    }

    /// The claims of the node's server token, as the provisioner puts them together. Collectives come from the claims,
    /// else from the configuration, else they are Choria's defaults.
    #[must_use]
    pub fn server(&self, identity: &str) -> Server {
        let claims = self.server_claims.clone().unwrap_or_default();
        let configured = || match self.configuration.get("collectives") {
            Some(listed) => listed.split(',').map(|name| name.trim().to_owned()).collect(),
            None => vec![self.default_collective().to_owned()],
        };
        Server {
            identity: identity.to_owned(),
            collectives: if claims.collectives.is_empty() { configured() } else { claims.collectives },
            permissions: claims.permissions,
            ou: claims.ou.filter(|ou| !ou.is_empty()).unwrap_or_else(|| DEFAULT_OU.to_owned()),
            pub_subjects: claims.pub_subjects,
        }
    }

    /// When the node's server token is to expire, where the helper says so.
    ///
    /// # Errors
    /// `choria_validity`.
    pub fn expires_at(&self, now: Timestamp) -> Result<Option<Timestamp>, ChoriaError> {
        let exp = self.server_claims.as_ref().and_then(|claims| claims.exp);
        exp.map(|exp| exp.resolve(now)).transpose()
    }

    fn default_collective(&self) -> &'static str {
        let provider = self.configuration.get("plugin.security.provider").map(String::as_str);
        if provider == Some("choria") { "choria" } else { "mcollective" }
    }
}

/// The claims of a token whose signature somebody else has checked.
fn token(claims: Map<String, Value>) -> Result<Token<Provisioning>, ChoriaError> {
    let members = jwt::Claims::new(without_blanks(claims, TEXTS));
    let standard = Standard::read(&members)?;
    let expected = Purpose::Provisioning;
    if standard.kind()? != expected {
        return Err(ChoriaError::WrongPurpose { expected });
    }
    Ok(Token { standard, claims: claims::read(members.as_map())? })
}

/// The members of both documents that are texts.
const DOCUMENT_TEXTS: &[&str] =
    &["identity", "inventory", "msg", "key", "certificate", "ca", "ssldir", "upgrade"];

/// One object, without what is left blank.
fn object(text: &str) -> Result<Map<String, Value>, ChoriaError> {
    match json::parse(text.as_bytes(), limits::CHORIA_HELPER_BYTES) {
        Ok(Value::Object(members)) => Ok(without_blanks(members, DOCUMENT_TEXTS)),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(malformed("not an object"))
        }
        Err(_) => Err(malformed("not strict JSON")),
    }
}

struct Reader(Map<String, Value>);

impl Reader {
    fn take<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ChoriaError> {
        let value = self.0.remove(name).map(serde_json::from_value).transpose();
        value.map_err(|_| malformed("a member is of the wrong type"))
    }
}

const fn malformed(what: &'static str) -> ChoriaError {
    ChoriaError::MalformedHelper { what }
}
