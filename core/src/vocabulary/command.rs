//! What is asked of the registrar.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Authority, EffectId, Error, labels::Labels, reason::Reason};
use crate::{
    aws::{AccountId, InstanceEvent, InstanceId, Region},
    id::{FileName, Fingerprint, Kind, NodeId, NodeName, PackageId, PackageName, RequestId, ScopeId},
    kubernetes::BootstrapGroup,
    limits,
    record::{InstanceState, Key},
    secret::Secret,
    time::Timestamp,
};

/// One command with the authority behind it.
#[derive(Clone, Debug)]
pub struct Command {
    /// On whose behalf, as the host authenticated it.
    pub authority: Authority,
    /// The address the request came from, as the host saw it: behind a proxy that is the host's business to know.
    pub source: Option<IpAddr>,
    /// What is asked.
    pub action: Action,
}

impl Command {
    /// Reads a command from JSON as it crosses a language boundary: the members of its action, a `type`, and
    /// `authority` and `source` beside them. `authority` may be left out where only one is possible.
    ///
    /// # Errors
    /// [`Code::InvalidInput`](crate::code::Code::InvalidInput) with the path of what is missing, unknown or wrong.
    pub fn from_value(mut value: serde_json::Value) -> Result<Self, Error> {
        let members = value.as_object_mut().ok_or_else(|| Error::input("", "expected an object"))?;
        let authority = members.remove("authority");
        let source = members.remove("source").filter(|source| !source.is_null());
        let kind = members.remove("type").ok_or_else(|| Error::input("type", "is required"))?;
        let action = Action::from_members(kind.as_str().unwrap_or_default(), value)?;
        let authority = match authority {
            Some(given) => from_value(given, "authority")?,
            None => action.only_authority().ok_or_else(|| Error::input("authority", "is required"))?,
        };
        let source = source.map(|source| from_value(source, "source")).transpose()?;
        Ok(Self { authority, source, action })
    }
}

/// Reads a policy, an effect or another value that crosses a language boundary; `at` is where it stands itself, for
/// the path in the error, and is empty for the whole.
///
/// # Errors
/// [`Code::InvalidInput`](crate::code::Code::InvalidInput) with the path of what is missing, unknown or wrong.
pub fn from_value<T: serde::de::DeserializeOwned>(value: serde_json::Value, at: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let path = match (at, inner.as_str()) {
            ("", ".") => String::new(),
            ("", _) => inner,
            (_, ".") => at.to_owned(),
            (_, item) if item.starts_with('[') => format!("{at}{item}"),
            (_, _) => format!("{at}.{inner}"),
        };
        Error::input(&path, &error.inner().to_string())
    })
}

/// What is asked. Scopes, pools, re-issue, leaving, bans and forgetting will have actions of their own.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(tag = "type", rename_all = "snake_case")
)]
pub enum Action {
    /// Make a package.
    Issue(Issue),
    /// Hand a package over.
    Deliver(Deliver),
    /// Present an enrollment token.
    Redeem(Redeem),
    /// Say that a node is alive.
    CheckIn(CheckIn),
    /// End a package for good.
    Revoke(Revoke),
    /// Apply the deadlines of one record.
    Expire(Expire),
    /// Say how an effect went.
    Report(Report),
    /// Take note of a verified cloud event. Evidence has no JSON form: only a verifier makes it.
    #[cfg_attr(feature = "schema", schemars(skip))]
    ObserveInstance(Box<InstanceEvent>),
}

impl Action {
    /// The action's name, as in its `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Issue(_) => "issue",
            Self::Deliver(_) => "deliver",
            Self::Redeem(_) => "redeem",
            Self::CheckIn(_) => "check_in",
            Self::Revoke(_) => "revoke",
            Self::Expire(_) => "expire",
            Self::Report(_) => "report",
            Self::ObserveInstance(_) => "observe_instance",
        }
    }

    /// Reads the members of the action of that name. Not a derived tagged enum, which would lose the paths of errors.
    fn from_members(kind: &str, members: serde_json::Value) -> Result<Self, Error> {
        match kind {
            "issue" => from_value(members, "").map(Self::Issue),
            "deliver" => from_value(members, "").map(Self::Deliver),
            "redeem" => from_value(members, "").map(Self::Redeem),
            "check_in" => from_value(members, "").map(Self::CheckIn),
            "revoke" => from_value(members, "").map(Self::Revoke),
            "expire" => from_value(members, "").map(Self::Expire),
            "report" => from_value(members, "").map(Self::Report),
            _ => Err(Error::input(
                "type",
                "expected issue, deliver, redeem, check_in, revoke, expire or report",
            )),
        }
    }

    /// The authority, where an action has just one.
    fn only_authority(&self) -> Option<Authority> {
        match self {
            Self::Redeem(_) | Self::CheckIn(_) => Some(Authority::Node),
            Self::Expire(_) => Some(Authority::Timer),
            Self::ObserveInstance(_) => Some(Authority::Event),
            Self::Deliver(Deliver { to: Recipient::Instance { .. } }) => Some(Authority::Node),
            Self::Deliver(_) | Self::Issue(_) | Self::Revoke(_) | Self::Report(_) => None,
        }
    }
}

/// Make a package: a token, what it is bound to, what it carries.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Unique among the live packages of the scope.
    pub name: PackageName,
    /// The tenant, site or account; `default` when left out.
    #[serde(default = "defaults::scope")]
    pub scope: ScopeId,
    /// The host's own classification; `node` when left out.
    #[serde(default = "defaults::kind")]
    pub kind: Kind,
    /// Free labels for lists.
    #[serde(default)]
    pub labels: Labels,
    /// Seconds until the unused package expires; the policy's default when left out, clamped to nothing: too long is an error.
    #[serde(default)]
    pub ttl_seconds: Option<u32>,
    /// How many distinct subjects may redeem the token, at most [`limits::PACKAGE_NODES`].
    #[serde(default = "defaults::one")]
    pub max_uses: u32,
    /// What a presenter must match. All of it must match.
    #[serde(default)]
    pub bindings: Bindings,
    /// What turns the package Activated.
    #[serde(default)]
    pub activates_on: ActivatesOn,
    /// What the package carries, at most [`limits::CONTENTS`].
    #[serde(default)]
    pub contents: Vec<Content>,
    /// The same request id and name again give the same package, so that a lost reply can be asked for again.
    #[serde(default)]
    pub request: Option<RequestId>,
    /// Deliver to the operator in the same decision; not possible when contents need something external first.
    #[serde(default)]
    pub deliver: bool,
}

impl Issue {
    /// A single-use package named `name` in the scope `default`, with the policy's lifetime and nothing in it.
    #[must_use]
    pub fn new(name: PackageName) -> Self {
        Self {
            name,
            scope: defaults::scope(),
            kind: defaults::kind(),
            labels: Labels::default(),
            ttl_seconds: None,
            max_uses: 1,
            bindings: Bindings::default(),
            activates_on: ActivatesOn::default(),
            contents: Vec::new(),
            request: None,
            deliver: false,
        }
    }
}

/// What must happen for a package to count as in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActivatesOn {
    /// The hand-over is the whole job. Such a package has no enrollment token.
    Delivery,
    /// The first redemption.
    Redeem,
    /// The first check-in of a node: proof that it has what it was given.
    #[default]
    CheckIn,
}

/// What a presenter of the token must match; everything given must hold.
///
/// A binding narrows what a thief can do with a stolen token. None of them proves anything alone: an instance id
/// or a node name is claimed by the presenter, and an address is as good as the network it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bindings {
    /// The cloud instance that the presenter names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The node name that the presenter names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<NodeName>,
    /// Networks that the request must come from, at most [`limits::CIDRS`]; any of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub cidrs: BTreeSet<IpNet>,
}

/// One thing that a package carries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// A file, given to the node as it is. Sealed in the vault until then.
    File {
        /// Its plain name.
        name: FileName,
        /// Its text, at most [`limits::FILE_BYTES`].
        content: Secret,
    },
    /// A Kubernetes bootstrap token, made for this package and put into the cluster as a Secret.
    /// See <https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/>.
    KubernetesBootstrapToken {
        /// Groups of whoever authenticates with it; kubeadm's node group when left out.
        #[serde(default = "defaults::groups")]
        groups: BTreeSet<BootstrapGroup>,
        /// Seconds that the token lives, at most [`limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS`], which is the default.
        #[serde(default = "defaults::bootstrap_token_ttl")]
        ttl_seconds: u32,
    },
}

/// Hand a package over, once; the same recipient again within its window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// To whom.
    pub to: Recipient,
}

/// Who receives a package. Links and parent nodes will be recipients too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Recipient {
    /// The operator who asks, to carry it to the node.
    Operator {
        /// The package.
        package: PackageId,
    },
    /// The cloud instance itself, which proves itself by the address that the cloud's API gave for it.
    Instance {
        /// The instance that the requester says it is.
        instance: InstanceId,
    },
}

/// Present an enrollment token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The token, as it was handed out.
    pub token: Secret,
    /// An identifier of the presenter that the host vouches for; the policy must allow it. Key proofs will stand beside it.
    pub fingerprint: Fingerprint,
    /// The cloud instance that the presenter says it is.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// The node name that the presenter says it has.
    #[serde(default)]
    pub node_name: Option<NodeName>,
}

/// Say that a node is alive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// The node.
    pub node: NodeId,
    /// The fingerprint it redeemed with.
    pub fingerprint: Fingerprint,
    /// Counts the node's check-ins from 1. The last number again is a lost reply; an older one is a suspected clone.
    pub sequence: u64,
}

/// End a package for good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The package.
    pub package: PackageId,
    /// Why, for the audit.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Apply the deadlines of one record that have come.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expire {
    /// The record, as the store's `due` named it.
    pub key: Key,
}

/// Say how an effect went.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The effect, as `outstanding` named it.
    pub effect: EffectId,
    /// How it went.
    pub outcome: Outcome,
}

/// How an effect went.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EffectOutcome"))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// A worker takes it, for at most `lease_seconds` ([`limits::LEASE_MAX_SECONDS`]): nobody else shall meanwhile.
    Started {
        /// Seconds until the worker is taken for dead.
        lease_seconds: u32,
    },
    /// What was wanted is so, whether or not it was so before.
    Done,
    /// It was not done; it is tried again after a delay.
    Failed {
        /// Why, for the operator. Must hold no secret.
        reason: Reason,
    },
    /// Something of that name exists that is not ours.
    Collision,
    /// Nobody knows whether it was done (a time-out, for example); it is tried again.
    Unknown,
    /// The cloud's answer about an instance.
    Described(Description),
}

/// An instance, as the cloud's own API describes it (EC2 `DescribeInstances`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The account that owns the reservation.
    pub account: AccountId,
    /// The region that was asked.
    pub region: Region,
    /// The state that the API reports.
    pub state: InstanceState,
    /// All addresses, private and public, at most [`limits::INSTANCE_ADDRESSES`].
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub addresses: BTreeSet<IpAddr>,
    /// The instance's tags, at most [`limits::INSTANCE_TAGS`].
    #[serde(default)]
    pub tags: std::collections::BTreeMap<String, String>,
    /// When it was launched.
    #[serde(default)]
    pub launched_at: Option<Timestamp>,
}

mod defaults {
    use super::{BTreeSet, BootstrapGroup, Kind, ScopeId, limits};

    #[expect(clippy::expect_used, reason = "a literal that the tests parse")]
    pub(super) fn scope() -> ScopeId {
        "default".parse().expect("a valid scope id")
    }

    #[expect(clippy::expect_used, reason = "a literal that the tests parse")]
    pub(super) fn kind() -> Kind {
        "node".parse().expect("a valid kind")
    }

    pub(super) fn groups() -> BTreeSet<BootstrapGroup> {
        BTreeSet::from([BootstrapGroup::kubeadm()])
    }

    pub(super) const fn one() -> u32 {
        1
    }

    pub(super) const fn bootstrap_token_ttl() -> u32 {
        limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_filled_in_and_the_authority_is_inferred_where_it_is_certain() {
        let command =
            Command::from_value(json!({"type": "issue", "authority": "operator:ann", "name": "edge-1"}))
                .unwrap();
        let Action::Issue(issue) = command.action else { panic!("{command:?}") };
        assert_eq!((issue.scope.as_str(), issue.kind.as_str(), issue.max_uses), ("default", "node", 1));
        let expire =
            Command::from_value(json!({"type": "expire", "key": "instance/i-0123456789abcdef0"})).unwrap();
        assert_eq!(expire.authority, Authority::Timer);
    }

    #[test]
    fn errors_name_the_path() {
        let path = |value| Command::from_value(value).unwrap_err().to_string();
        assert!(path(json!({"type": "issue", "name": "a"})).starts_with("authority: is required"));
        let second =
            from_value::<Vec<Key>>(json!(["package/01890a5d-ac96-774b-bcce-b302099a8057", "x"]), "keys");
        assert!(second.unwrap_err().to_string().starts_with("keys[1]: not a valid Key"));
        let unknown = path(
            json!({"type": "issue", "authority": "operator:ann", "name": "a", "bindings": {"cidr": []}}),
        );
        assert!(unknown.starts_with("bindings.cidr: unknown field"), "{unknown}");
        let evidence = path(json!({"type": "observe_instance", "authority": "event"}));
        assert!(evidence.starts_with("type: expected issue"), "{evidence}");
    }

    #[test]
    fn a_secret_that_a_binding_carries_fits_only_where_secrets_belong() {
        let carried = json!({"$secret": "hunter2"});
        let redeem = json!({"type": "redeem", "token": carried, "fingerprint": "a"});
        let Action::Redeem(redeem) = Command::from_value(redeem).unwrap().action else {
            panic!("a redemption")
        };
        assert_eq!(redeem.token.expose(), "hunter2");
        let package = "01890a5d-ac96-774b-bcce-b302099a8057";
        let misplaced = Command::from_value(
            json!({"type": "revoke", "authority": "operator:ann", "package": package, "reason": carried}),
        );
        let error = misplaced.unwrap_err().to_string();
        assert!(error.starts_with("reason: ") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_error_about_a_secret_does_not_repeat_it() {
        let error = Command::from_value(
            json!({"type": "redeem", "token": "hf1_hunter2", "fingerprint": "not valid!"}),
        )
        .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let error =
            Command::from_value(json!({"type": "redeem", "token": {"hunter2": 1}, "fingerprint": "a"}))
                .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
