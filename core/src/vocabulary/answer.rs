//! What a command comes to. Answers may hold secrets, and so they exist only after the commit.

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Value, json};

use super::{Class, Refusal};
use crate::{
    aws::InstanceId,
    code::Code,
    id::{FileName, NodeId, PackageId},
    record::{InstanceState, PackageStatus},
    secret::Secret,
    time::Timestamp,
};

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(tag = "type", rename_all = "snake_case")
)]
pub enum Answer {
    /// A package exists.
    Issued(Issued),
    /// A package was handed over.
    Delivered(Delivered),
    /// A token was redeemed.
    Redeemed(Redeemed),
    /// A node is alive.
    CheckedIn(CheckedIn),
    /// A package has ended.
    Revoked(Revoked),
    /// Deadlines were applied.
    Expired(Changed),
    /// A report was taken in.
    Reported(Changed),
    /// An event was taken in.
    Observed(Observed),
    /// The rules said no.
    Refused(Refused),
}

/// A package exists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Issued {
    /// The package.
    pub package: PackageId,
    /// Its status.
    pub status: PackageStatus,
    /// When it expires if it is not in use by then.
    pub expires_at: Timestamp,
    /// The enrollment token, if it was delivered in the same decision.
    pub token: Option<Secret>,
    /// Whether this is the answer to a repeated request.
    pub again: bool,
}

/// A package was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivered {
    /// The package.
    pub package: PackageId,
    /// The enrollment token, if the package has one.
    pub token: Option<Secret>,
    /// The contents, if the hand-over is the whole job.
    pub contents: Vec<GivenContent>,
    /// Whether the same recipient had it before.
    pub again: bool,
}

/// A token was redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Redeemed {
    /// The package.
    pub package: PackageId,
    /// The node that the presenter now is.
    pub node: NodeId,
    /// What the package carries.
    pub contents: Vec<GivenContent>,
    /// Until when the same presenter may ask for the same grant again.
    pub retry_until: Timestamp,
    /// Until when the node must have checked in.
    pub activate_by: Timestamp,
    /// Whether this is a retry.
    pub again: bool,
}

/// A node is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckedIn {
    /// The node.
    pub node: NodeId,
    /// The sequence number that was taken in.
    pub sequence: u64,
    /// Whether this is the answer to a repeated check-in.
    pub again: bool,
}

/// A package has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revoked {
    /// The package.
    pub package: PackageId,
    /// Its status: Revoked, or the way in which it had ended before.
    pub status: PackageStatus,
    /// Whether it had ended before.
    pub again: bool,
}

/// Whether a record changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changed {
    /// `false`: nothing was due, or nothing new was said.
    pub changed: bool,
}

/// An event was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Observed {
    /// The instance.
    pub instance: InstanceId,
    /// Its state, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<InstanceState>,
    /// `false`: old news, or news that changes no state.
    pub changed: bool,
    /// The package issued for the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
}

/// The rules said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which rule.
    pub refusal: Refusal,
}

impl Refused {
    /// The stable code, for the audit.
    #[must_use]
    pub fn code(&self) -> Code {
        self.refusal.code()
    }

    /// What the presenter may be told.
    #[must_use]
    pub fn class(&self) -> Class {
        self.refusal.class()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Refused {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Refused".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["code", "class", "message"],
            "properties": {
                "code": { "type": "string" },
                "class": { "enum": ["not_found", "denied", "conflict", "later", "malformed"] },
                "message": { "type": "string" },
            },
        })
    }
}

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Refused", 3)?;
        fields.serialize_field("code", &self.code())?;
        fields.serialize_field("class", &self.class())?;
        fields.serialize_field("message", &self.refusal.to_string())?;
        fields.end()
    }
}

/// One thing that was given to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(tag = "type", rename_all = "snake_case")
)]
pub enum GivenContent {
    /// A file.
    File {
        /// Its plain name.
        name: FileName,
        /// Its text.
        content: Secret,
    },
    /// A Kubernetes bootstrap token.
    KubernetesBootstrapToken {
        /// The token, `<id>.<secret>`.
        token: Secret,
        /// When the cluster stops accepting it.
        expires_at: Timestamp,
    },
}

impl Answer {
    /// The answer as it crosses a language boundary: a tagged object in which each secret is replaced by
    /// `{"$secret": n}`, and the secrets themselves, in order. The binding puts its own secret type in their place.
    #[must_use]
    pub fn into_parts(self) -> (Value, Vec<Secret>) {
        let mut secrets = Vec::new();
        let mut value = match self {
            Self::Issued(answer) => json!({
                "type": "issued", "package": answer.package, "status": answer.status, "expires_at": answer.expires_at,
                "token": answer.token.map(|token| placeholder(token, &mut secrets)), "again": answer.again,
            }),
            Self::Delivered(answer) => json!({
                "type": "delivered", "package": answer.package, "again": answer.again,
                "token": answer.token.map(|token| placeholder(token, &mut secrets)),
                "contents": contents(answer.contents, &mut secrets),
            }),
            Self::Redeemed(answer) => json!({
                "type": "redeemed", "package": answer.package, "node": answer.node, "again": answer.again,
                "contents": contents(answer.contents, &mut secrets),
                "retry_until": answer.retry_until, "activate_by": answer.activate_by,
            }),
            Self::CheckedIn(answer) => tagged("checked_in", &answer),
            Self::Revoked(answer) => tagged("revoked", &answer),
            Self::Expired(answer) => tagged("expired", &answer),
            Self::Reported(answer) => tagged("reported", &answer),
            Self::Observed(answer) => tagged("observed", &answer),
            Self::Refused(answer) => tagged("refused", &answer),
        };
        drop_nulls(&mut value);
        (value, secrets)
    }
}

fn placeholder(secret: Secret, secrets: &mut Vec<Secret>) -> Value {
    let place = secrets.len();
    secrets.push(secret);
    json!({ "$secret": place })
}

fn contents(given: Vec<GivenContent>, secrets: &mut Vec<Secret>) -> Vec<Value> {
    let mut one = |content| match content {
        GivenContent::File { name, content } => {
            json!({ "type": "file", "name": name, "content": placeholder(content, secrets) })
        }
        GivenContent::KubernetesBootstrapToken { token, expires_at } => json!({
            "type": "kubernetes_bootstrap_token", "token": placeholder(token, secrets), "expires_at": expires_at,
        }),
    };
    given.into_iter().map(&mut one).collect()
}

fn tagged(tag: &str, answer: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(answer).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("type".to_owned(), tag.into());
    }
    value
}

fn drop_nulls(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_by_their_own_door() {
        let answer = Answer::Delivered(Delivered {
            package: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            token: Some(Secret::new("hunter2".into())),
            contents: vec![GivenContent::File {
                name: "a".parse().unwrap(),
                content: Secret::new("hunter3".into()),
            }],
            again: false,
        });
        assert!(!format!("{answer:?}").contains("hunter"));
        let (value, secrets) = answer.into_parts();
        assert!(!value.to_string().contains("hunter"));
        assert_eq!(value["token"]["$secret"], 0);
        assert_eq!(value["contents"][0]["content"]["$secret"], 1);
        assert_eq!(secrets[1].expose(), "hunter3");
    }
}
