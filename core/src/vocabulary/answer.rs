//! What a command comes to. Answers may hold secrets, and so they exist only after the commit.

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Value, json};

use super::{Class, FileFormat, Reason, Refusal};
use crate::{
    aws::InstanceId,
    code::Code,
    id::{FileName, ItemName, NodeId, PackageId, PoolName, ResourceKind, ResourceName, ScopeId, Subject},
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
    /// A download link was made.
    Linked(Linked),
    /// A package has a new token.
    Reissued(Reissued),
    /// A token was redeemed.
    Redeemed(Redeemed),
    /// A proof has to be made once more, with this nonce.
    UseNonce(UseNonce),
    /// A node is alive.
    CheckedIn(CheckedIn),
    /// A node is no node any more.
    NodeEnded(NodeEnded),
    /// A subject is banned.
    Banned(Banned),
    /// A subject is not banned any more.
    Unbanned(Unbanned),
    /// Recoveries are counted from 0 again.
    RecoveriesReset(Changed),
    /// A package has ended.
    Revoked(Revoked),
    /// A scope or a pool is as asked.
    Configured(Configured),
    /// Deadlines were applied.
    Expired(Changed),
    /// A record was forgotten.
    Forgotten(Changed),
    /// A report was taken in.
    Reported(Changed),
    /// An event was taken in.
    Observed(Observed),
    /// A subject was found.
    SubjectObserved(SubjectObserved),
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

/// A download link was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Linked {
    /// The package.
    pub package: PackageId,
    /// The link's secret part: the host puts it behind its own address.
    pub link: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A package has a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReissuedAnswer"))]
pub struct Reissued {
    /// The package.
    pub package: PackageId,
    /// When the new token ends.
    pub expires_at: Timestamp,
    /// The enrollment token, if it was delivered in the same decision.
    pub token: Option<Secret>,
    /// Until when the old token is good at the latest; it is dead, when absent.
    pub old_until: Option<Timestamp>,
    /// Whether contents that the package was issued with were shredded after they had been given: who redeems the new
    /// token is not given them.
    pub contents_shredded: bool,
    /// Whether this is the answer to a repeated request.
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
    /// What the package carries, as far as it was not shredded.
    pub contents: Vec<GivenContent>,
    /// Whether contents that the package was issued with are not among these: they were shredded after they had been
    /// given, and a reissued token brings none of them back.
    pub contents_shredded: bool,
    /// Until when the same presenter may ask for the same grant again.
    pub retry_until: Timestamp,
    /// Until when the node must have checked in.
    pub activate_by: Timestamp,
    /// The node's credential, where it proved a key and the registrar has signing keys.
    pub credential: Option<Credential>,
    /// Whether this is a retry.
    pub again: bool,
}

/// A node's credential: a short-lived JWT that is bound to the node's key (`cnf.jkt`) and worth nothing without it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    /// The JWT.
    pub token: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A proof has to be made once more, with this nonce: the presenter's clock does not matter then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UseNonce {
    /// For the proof's `nonce`; good for a minute.
    pub nonce: String,
}

/// A node is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckedIn {
    /// The node.
    pub node: NodeId,
    /// The sequence number that was taken in.
    pub sequence: u64,
    /// The node's new credential, where it proved a key and the registrar has signing keys.
    pub credential: Option<Credential>,
    /// Whether this is the answer to a repeated check-in.
    pub again: bool,
}

/// A node is no node any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeEnded {
    /// The node.
    pub node: NodeId,
    /// Whether it was none before.
    pub again: bool,
}

/// A subject is banned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Banned {
    /// The scope.
    pub scope: ScopeId,
    /// The subject.
    pub subject: Subject,
    /// The node that it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Whether it was banned before.
    pub again: bool,
}

/// A subject is not banned any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unbanned {
    /// The scope.
    pub scope: ScopeId,
    /// The subject.
    pub subject: Subject,
    /// Whether it was not banned before, either.
    pub again: bool,
}

/// A scope or a pool is as asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Configured {
    /// `false`: it was so before.
    pub changed: bool,
}

/// A subject was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubjectObserved {
    /// The scope.
    pub scope: ScopeId,
    /// The subject.
    pub subject: Subject,
    /// The live package that names it, or that its node belongs to.
    pub package: PackageId,
    /// Its node, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Whether this turned the package Activated.
    pub activated: bool,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which rule.
    pub refusal: Refusal,
    /// What the operator's own rule said.
    pub reason: Option<Reason>,
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
                "reason": { "type": "string" },
            },
        })
    }
}

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Refused", 4)?;
        fields.serialize_field("code", &self.code())?;
        fields.serialize_field("class", &self.class())?;
        fields.serialize_field("message", &self.refusal.to_string())?;
        match &self.reason {
            Some(reason) => fields.serialize_field("reason", reason)?,
            None => fields.skip_field("reason")?,
        }
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
        /// What it is, where that was said.
        format: Option<FileFormat>,
    },
    /// A Kubernetes bootstrap token.
    KubernetesBootstrapToken {
        /// The token, `<id>.<secret>`.
        token: Secret,
        /// When the cluster stops accepting it.
        expires_at: Timestamp,
    },
    /// A SPIRE join token, for the agent's first start.
    SpireJoinToken {
        /// The token.
        token: Secret,
        /// When the SPIRE server stops accepting it.
        expires_at: Timestamp,
    },
    /// The value of a resource of a kind that the host defines.
    Host {
        /// The kind.
        kind: ResourceKind,
        /// The resource's external name.
        name: ResourceName,
        /// Its value.
        value: Secret,
    },
    /// An item of a pool.
    PoolItem {
        /// The pool.
        pool: PoolName,
        /// The item.
        item: ItemName,
        /// Its content, if it has any.
        content: Option<Secret>,
    },
}

impl GivenContent {
    /// The secret in it; a pool's item may have none.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::File { content: secret, .. }
            | Self::KubernetesBootstrapToken { token: secret, .. }
            | Self::SpireJoinToken { token: secret, .. }
            | Self::Host { value: secret, .. } => Some(secret),
            Self::PoolItem { content, .. } => content.as_ref(),
        }
    }
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
            Self::Linked(answer) => json!({
                "type": "linked", "package": answer.package, "link": placeholder(answer.link, &mut secrets),
                "expires_at": answer.expires_at,
            }),
            Self::Reissued(answer) => json!({
                "type": "reissued", "package": answer.package, "expires_at": answer.expires_at, "again": answer.again,
                "token": answer.token.map(|token| placeholder(token, &mut secrets)), "old_until": answer.old_until,
                "contents_shredded": answer.contents_shredded,
            }),
            Self::Redeemed(answer) => json!({
                "type": "redeemed", "package": answer.package, "node": answer.node, "again": answer.again,
                "contents": contents(answer.contents, &mut secrets),
                "contents_shredded": answer.contents_shredded,
                "retry_until": answer.retry_until, "activate_by": answer.activate_by,
                "credential": answer.credential.map(|given| credential(given, &mut secrets)),
            }),
            Self::UseNonce(answer) => tagged("use_nonce", &answer),
            Self::CheckedIn(answer) => json!({
                "type": "checked_in", "node": answer.node, "sequence": answer.sequence, "again": answer.again,
                "credential": answer.credential.map(|given| credential(given, &mut secrets)),
            }),
            Self::NodeEnded(answer) => tagged("node_ended", &answer),
            Self::Banned(answer) => tagged("banned", &answer),
            Self::Unbanned(answer) => tagged("unbanned", &answer),
            Self::RecoveriesReset(answer) => tagged("recoveries_reset", &answer),
            Self::Revoked(answer) => tagged("revoked", &answer),
            Self::Configured(answer) => tagged("configured", &answer),
            Self::Expired(answer) => tagged("expired", &answer),
            Self::Forgotten(answer) => tagged("forgotten", &answer),
            Self::Reported(answer) => tagged("reported", &answer),
            Self::Observed(answer) => tagged("observed", &answer),
            Self::SubjectObserved(answer) => tagged("subject_observed", &answer),
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

fn credential(given: Credential, secrets: &mut Vec<Secret>) -> Value {
    json!({ "token": placeholder(given.token, secrets), "expires_at": given.expires_at })
}

fn contents(given: Vec<GivenContent>, secrets: &mut Vec<Secret>) -> Vec<Value> {
    let mut one = |content| match content {
        GivenContent::File { name, content, format } => {
            let content = placeholder(content, secrets);
            let mut given = json!({ "type": "file", "name": name, "content": content, "format": format });
            drop_nulls(&mut given);
            given
        }
        GivenContent::KubernetesBootstrapToken { token, expires_at } => json!({
            "type": "kubernetes_bootstrap_token", "token": placeholder(token, secrets), "expires_at": expires_at,
        }),
        GivenContent::SpireJoinToken { token, expires_at } => json!({
            "type": "spire_join_token", "token": placeholder(token, secrets), "expires_at": expires_at,
        }),
        GivenContent::Host { kind, name, value } => {
            json!({ "type": "host", "kind": kind, "name": name, "value": placeholder(value, secrets) })
        }
        GivenContent::PoolItem { pool, item, content } => {
            let content = content.map(|content| placeholder(content, secrets));
            let mut given = json!({ "type": "pool_item", "pool": pool, "item": item, "content": content });
            drop_nulls(&mut given);
            given
        }
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
                format: None,
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
