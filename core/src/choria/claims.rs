//! What makes a set of claims one of Choria's kinds.

use std::fmt;

use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{ChoriaError, standard::Standard};
use crate::{limits, secret::Secret};

/// The organisational unit of tokens that name none.
pub(super) const DEFAULT_OU: &str = "choria";

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// What a node that belongs to nobody yet carries: where to be provisioned, and with what secret.
    Provisioning,
    /// Who a node is.
    Server,
    /// Who a user, a service or a chain issuer is.
    Client,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Provisioning, Self::Server, Self::Client];

    /// As it stands in `purpose`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "choria_provisioning",
            Self::Server => "choria_server",
            Self::Client => "choria_client_id",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Provisioning => "provisioning",
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

/// The claims of one kind of token: [`Provisioning`](super::Provisioning), [`Server`](super::Server) or
/// [`Client`](super::Client).
pub trait Claims: Wire {
    /// Which kind.
    const PURPOSE: Purpose;
}

/// How claims stand in a token. Not for others to implement.
pub trait Wire: Sized {
    /// The names of its claims.
    const NAMES: &'static [&'static str];
    /// The names of its permissions; what newer versions add to them is of no meaning here.
    const PERMISSIONS: &'static [&'static str];

    /// Reads them from an object that has no others.
    fn from_members(members: Map<String, Value>) -> Result<Self, ChoriaError>;

    /// Writes them, with secrets, in Choria's order.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether a node, broker or provisioner could use them.
    fn check(&self) -> Result<(), ChoriaError>;

    /// Whether they may stand in a new token, where more can be asked than of those that are in use.
    fn check_new(&self) -> Result<(), ChoriaError> {
        self.check()
    }
}

/// A token's claims, all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token<T> {
    /// What every token says.
    #[serde(flatten)]
    pub standard: Standard,
    /// What this kind says.
    pub claims: T,
}

impl<T: Claims> Token<T> {
    /// The payload as it is signed, and as the provisioner gives it to its helper: JSON, with the secrets in it.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        to_json(&self.standard, &self.claims)
    }
}

pub(super) fn to_json<T: Wire>(standard: &Standard, claims: &T) -> Secret {
    Secret::new(std::mem::take(&mut *payload(standard, claims)))
}

/// A token's payload, in Choria's order and with its escapes. Members of our own types and texts as names: JSON can say all
/// of it.
pub(super) fn payload<T: Wire>(standard: &Standard, claims: &T) -> Zeroizing<String> {
    go_escaped(&Zeroizing::new(serde_json::to_string(&written(standard, claims)).unwrap_or_default()))
}

/// As Go's `encoding/json` writes it, which escapes what HTML and JavaScript read in their own way
/// (<https://pkg.go.dev/encoding/json#Marshal>). None of it stands in JSON outside of texts.
fn go_escaped(json: &str) -> Zeroizing<String> {
    const ESCAPE_BYTES: usize = 6;
    let special = |character: &char| matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    // Large enough at once: a text that moves leaves a copy of its secrets behind.
    let more = json.chars().filter(special).count().saturating_mul(ESCAPE_BYTES);
    let mut text = Zeroizing::new(String::with_capacity(json.len().saturating_add(more)));
    for character in json.chars() {
        match character {
            '<' => text.push_str(r"\u003c"),
            '>' => text.push_str(r"\u003e"),
            '&' => text.push_str(r"\u0026"),
            '\u{2028}' => text.push_str(r"\u2028"),
            '\u{2029}' => text.push_str(r"\u2029"),
            other => text.push(other),
        }
    }
    text
}

/// The payload as a part of a larger document.
pub(super) fn written<'a, T: Wire>(standard: &'a Standard, claims: &'a T) -> Payload<'a, T> {
    Payload { claims: Written(claims), standard: standard.wire() }
}

#[derive(Serialize)]
#[serde(bound = "")]
pub(super) struct Payload<'a, T: Wire> {
    #[serde(flatten)]
    claims: Written<'a, T>,
    #[serde(flatten)]
    standard: super::standard::Wire<'a>,
}

struct Written<'a, T>(&'a T);

impl<T: Wire> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// The claims that are texts.
pub(super) const TEXTS: &[&str] = &[
    "aud",
    "iss",
    "sub",
    "purpose",
    "jti",
    "tcs",
    "public_key",
    "cht",
    "chu",
    "chsrv",
    "chrd",
    "chf",
    "chusr",
    "chpwd",
    "ou",
    "identity",
    "callerid",
    "opa_policy",
];

/// Absent, `null` and, of texts, the empty one are one thing to Choria, whose language has no other way to leave a text
/// out. An empty text where something else belongs is of the wrong type to it, as it is here: `exp` of `""` is not "never".
pub(super) fn without_blanks(mut members: Map<String, Value>, texts: &[&str]) -> Map<String, Value> {
    members.retain(|name, value| {
        !value.is_null() && (value.as_str() != Some("") || !texts.contains(&name.as_str()))
    });
    members
}

/// Reads one kind's claims among those of a token.
pub(super) fn read<T: Wire>(members: &Map<String, Value>) -> Result<T, ChoriaError> {
    let own = members.iter().filter(|(name, _)| T::NAMES.contains(&name.as_str()));
    let mut own: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Some(Value::Object(permissions)) = own.get_mut("permissions") {
        permissions.retain(|name, value| T::PERMISSIONS.contains(&name.as_str()) && !value.is_null());
    }
    T::from_members(own)
}

/// Reads a type of this module; an error names the claim and nothing of what is in it.
pub(super) fn deserialize<T: DeserializeOwned>(
    members: Map<String, Value>,
    names: &'static [&'static str],
) -> Result<T, ChoriaError> {
    serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
        let path = error.path().to_string();
        let first = path.split(['.', '[']).next().unwrap_or_default();
        // A claim that is not there has no path; only those that must be there can be missing.
        let claim = names.iter().find(|name| **name == first).or(names.first());
        ChoriaError::InvalidClaim {
            claim: claim.copied().unwrap_or_default(),
            expected: "what Choria has there",
        }
    })
}

/// A name: not empty, not long, and one line.
pub(super) fn check_name(claim: &'static str, text: &str) -> Result<(), ChoriaError> {
    if matches!(text.len(), 1..=limits::CHORIA_NAME_BYTES) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(ChoriaError::InvalidClaim { claim, expected: "one line of text" })
}

pub(super) fn is_false(value: &bool) -> bool {
    !*value
}

pub(super) fn default_ou() -> String {
    DEFAULT_OU.to_owned()
}

/// Writes a set of permissions: each is false unless it is given, and a false one is not written.
macro_rules! permissions {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $permission:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[doc = $about])+
                #[serde(skip_serializing_if = "crate::choria::claims::is_false")]
                pub $permission: bool,
            )+
        }

        impl $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($permission),)+];
        }
    };
}
pub(super) use permissions;
