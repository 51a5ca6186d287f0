//! What the host must do, as a function of a record.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    aws::{AccountId, InstanceId, Region},
    id::{ActorName, InvalidId, NodeName, PackageId, ResourceKind, ResourceName, SecretId, as_text},
    kubernetes::BootstrapGroup,
    record::{HostResource, Key, SpireEntry},
    spire::{EntryId, SpiffeId},
    time::Timestamp,
};

/// Names one attempt of one effect: `package/<uuid>#<resource>.<verb>.<attempt>` or `instance/<id>#describe.<attempt>`.
///
/// A report that bears the id of an earlier attempt is recognised as late.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectId {
    /// Something about a resource of a package.
    Resource {
        /// The package.
        package: PackageId,
        /// The resource's number; 0 for the sweep.
        resource: u32,
        /// Ensure, delete or sweep.
        verb: Verb,
        /// Counts the attempts from 1.
        attempt: u32,
    },
    /// Ask the cloud about an instance.
    Describe {
        /// The instance.
        instance: InstanceId,
        /// Counts the attempts from 1.
        attempt: u32,
    },
}

/// What is to be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// See to it that exactly this exists.
    Ensure,
    /// See to it that it does not exist.
    Delete,
    /// Tell the records below the package of its end.
    Sweep,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ensure => "ensure",
            Self::Delete => "delete",
            Self::Sweep => "sweep",
        }
    }
}

impl EffectId {
    /// The record that the effect belongs to.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Resource { package, .. } => Key::Package(*package),
            Self::Describe { instance, .. } => Key::Instance(instance.clone()),
        }
    }
}

impl fmt::Display for EffectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { package, resource, verb, attempt } => {
                write!(formatter, "package/{package}#{resource}.{}.{attempt}", verb.as_str())
            }
            Self::Describe { instance, attempt } => {
                write!(formatter, "instance/{instance}#describe.{attempt}")
            }
        }
    }
}

impl FromStr for EffectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parsed = parse(text).ok_or(INVALID)?;
        if parsed.to_string() == text { Ok(parsed) } else { Err(INVALID) }
    }
}

const INVALID: InvalidId = InvalidId::new("EffectId", "as an outstanding effect has it");

fn parse(text: &str) -> Option<EffectId> {
    let (key, rest) = text.split_once('#')?;
    let (rest, attempt) = rest.rsplit_once('.')?;
    let attempt = attempt.parse().ok()?;
    if let Some(instance) = key.strip_prefix("instance/") {
        return (rest == "describe")
            .then_some(EffectId::Describe { instance: instance.parse().ok()?, attempt });
    }
    let (resource, verb) = rest.split_once('.')?;
    let verb = match verb {
        "ensure" => Verb::Ensure,
        "delete" => Verb::Delete,
        "sweep" => Verb::Sweep,
        _ => return None,
    };
    let package = key.strip_prefix("package/")?.parse().ok()?;
    Some(EffectId::Resource { package, resource: resource.parse().ok()?, verb, attempt })
}

as_text!(EffectId, "^(package|instance)/[^#]+#[0-9a-z.]+$");

/// One effect that is outstanding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Its name, for the report.
    pub id: EffectId,
    /// Not to be done before; a delay after a failure, or somebody's lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The worker whose lease runs until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased_by: Option<ActorName>,
    /// What to do.
    pub work: Work,
}

/// What to do. Every kind of work is idempotent: done twice, it is as if done once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// Ask the cloud's API about the instance and report `described`; `failed` when it does not know it.
    DescribeInstance {
        /// The instance.
        instance: InstanceId,
        /// The account that it must be in.
        account: AccountId,
        /// The region to ask.
        region: Region,
    },
    /// Ensure that exactly this bootstrap-token Secret exists; `reveal` gives its manifest.
    EnsureBootstrapToken {
        /// The Secret's name in `kube-system`.
        name: String,
        /// The sealed token.
        secret: SecretId,
        /// When the token expires.
        expires_at: Timestamp,
        /// The groups of whoever authenticates with it.
        groups: BTreeSet<BootstrapGroup>,
        /// The instance that it is labelled with.
        #[serde(skip_serializing_if = "Option::is_none")]
        instance: Option<InstanceId>,
    },
    /// Ensure that the bootstrap-token Secret does not exist, if it bears our owner label.
    DeleteBootstrapToken {
        /// The Secret's name in `kube-system`.
        name: String,
    },
    /// Ensure that the cluster has no object for the node.
    DeleteKubernetesNode {
        /// The object's name.
        name: NodeName,
    },
    /// Ensure that exactly this SPIRE join token exists (`CreateJoinToken` with our own value); `reveal` gives it.
    EnsureSpireJoinToken {
        /// The sealed token.
        secret: SecretId,
        /// When the token expires.
        expires_at: Timestamp,
    },
    /// Ensure that exactly this SPIRE entry exists, which gives the agent attested by a join token an id besides SPIRE's own
    /// ([`AliasEntry`](crate::spire::AliasEntry)); `reveal` gives the token.
    EnsureSpireAlias {
        /// The entry's id.
        id: EntryId,
        /// The id that the agent gets.
        spiffe_id: SpiffeId,
        /// The sealed token.
        secret: SecretId,
    },
    /// Ensure that exactly this SPIRE entry exists (`BatchCreateEntry` with our own id).
    EnsureSpireEntry {
        /// The entry.
        entry: SpireEntry,
    },
    /// Ensure that the SPIRE entry does not exist (`BatchDeleteEntry`).
    DeleteSpireEntry {
        /// The entry's id.
        id: EntryId,
    },
    /// Ensure that exactly this resource exists; `reveal` gives its value, if it has one.
    EnsureHost {
        /// The resource.
        resource: HostResource,
    },
    /// Ensure that the resource does not exist.
    DeleteHost {
        /// Its kind.
        kind: ResourceKind,
        /// Its external name.
        name: ResourceName,
    },
    /// Send `expire` for every live node and package whose index names this package as its parent; report `done` when
    /// there is none left.
    Sweep {
        /// The package.
        package: PackageId,
    },
}

impl Work {
    /// The sealed secrets that `reveal` needs.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretId> {
        match self {
            Self::EnsureBootstrapToken { secret, .. }
            | Self::EnsureSpireJoinToken { secret, .. }
            | Self::EnsureSpireAlias { secret, .. } => vec![*secret],
            Self::EnsureHost { resource } => resource.secret.into_iter().collect(),
            Self::DescribeInstance { .. }
            | Self::DeleteBootstrapToken { .. }
            | Self::DeleteKubernetesNode { .. }
            | Self::EnsureSpireEntry { .. }
            | Self::DeleteSpireEntry { .. }
            | Self::DeleteHost { .. }
            | Self::Sweep { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_id_is_text_and_back_in_one_spelling() {
        for text in [
            "package/01890a5d-ac96-774b-bcce-b302099a8057#1.ensure.3",
            "instance/i-0123456789abcdef0#describe.1",
        ] {
            assert_eq!(text.parse::<EffectId>().unwrap().to_string(), text);
        }
        for text in [
            "instance/i-0123456789abcdef0#describe.01",
            "package/x#1.ensure.1",
            "",
            "#",
            "instance/i-0123456789abcdef0#1.ensure.1",
        ] {
            assert!(text.parse::<EffectId>().is_err(), "{text}");
        }
    }
}
