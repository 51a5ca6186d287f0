//! The Secret of type `bootstrap.kubernetes.io/token` that makes a bootstrap token work.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_saphyr::DoubleQuoted as Quoted;

use super::{BootstrapToken, KubernetesError, LabelKey, LabelValue, yaml};
use crate::{limits, secret::Secret, time::Timestamp};

const PREFIX: &str = "system:bootstrappers:";

/// A group that a node is in while it authenticates with its bootstrap token: what the cluster's role bindings
/// refer to. Kubernetes' own grammar: `\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z`; anything else makes the
/// API server refuse the whole token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootstrapGroup(Box<str>);

impl BootstrapGroup {
    /// The group that kubeadm's role bindings admit: `system:bootstrappers:kubeadm:default-node-token`.
    #[must_use]
    pub fn kubeadm() -> Self {
        Self("system:bootstrappers:kubeadm:default-node-token".into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BootstrapGroup {
    type Err = KubernetesError;

    fn from_str(text: &str) -> Result<Self, KubernetesError> {
        let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let accepted = text.strip_prefix(PREFIX).is_some_and(|rest| {
            matches!(rest.len(), 1..=256)
                && rest.bytes().all(|byte| is_end(byte) || matches!(byte, b':' | b'-'))
                && rest.bytes().next_back().is_some_and(is_end)
        });
        if accepted {
            Ok(Self(text.into()))
        } else {
            Err(KubernetesError::InvalidManifest {
                field: "group",
                expected: r"\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z",
            })
        }
    }
}

impl fmt::Display for BootstrapGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for BootstrapGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BootstrapGroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for BootstrapGroup {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BootstrapGroup".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$" })
    }
}

/// The Secret, as a value. It has no `Serialize`, because what it writes contains the token: [`Self::to_yaml`] and
/// [`Self::to_json`] give [`Secret`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapSecret {
    token: BootstrapToken,
    expires_at: Timestamp,
    owner: LabelValue,
    labels: BTreeMap<LabelKey, LabelValue>,
    groups: Vec<BootstrapGroup>,
    description: Option<String>,
}

impl BootstrapSecret {
    /// The default key of the label that holds the instance's id.
    pub const INSTANCE_LABEL: &'static str = "handfast.dev/instance-id";
    /// The key of the label that marks whose object it is: the executor deletes nothing that bears another mark.
    pub const OWNER_LABEL: &'static str = "handfast.dev/owner";
    const MANAGER_LABEL: &'static str = "app.kubernetes.io/managed-by";

    /// A Secret in kubeadm's node group, usable for authentication and for signing `cluster-info`, until `expires_at`
    /// (written in whole seconds, never later). `owner` is the mark that tells it from objects of the same name.
    #[must_use]
    pub fn new(token: BootstrapToken, expires_at: Timestamp, owner: LabelValue) -> Self {
        let groups = vec![BootstrapGroup::kubeadm()];
        Self { token, expires_at, owner, labels: BTreeMap::new(), groups, description: None }
    }

    /// Adds a label. The labels of the owner and the manager stay what they are.
    #[must_use]
    pub fn with_label(mut self, key: LabelKey, value: LabelValue) -> Self {
        self.labels.insert(key, value);
        self
    }

    /// Adds a label with the instance's id under [`Self::INSTANCE_LABEL`].
    ///
    /// # Errors
    /// `kubernetes_invalid_manifest` if the id is no label value.
    pub fn with_instance(self, instance: &str) -> Result<Self, KubernetesError> {
        Ok(self.with_label(Self::INSTANCE_LABEL.parse()?, instance.parse()?))
    }

    /// Replaces kubeadm's group; each group needs role bindings in the cluster, or the node can do nothing.
    ///
    /// # Errors
    /// `kubernetes_invalid_manifest` for none or more than [`limits::KUBERNETES_GROUPS`].
    pub fn with_groups(mut self, groups: Vec<BootstrapGroup>) -> Result<Self, KubernetesError> {
        if groups.is_empty() || groups.len() > limits::KUBERNETES_GROUPS {
            return Err(KubernetesError::InvalidManifest { field: "groups", expected: "1 to 16 groups" });
        }
        self.groups = groups;
        Ok(self)
    }

    /// Adds a line for humans. Everybody who may read Secrets can see it.
    ///
    /// # Errors
    /// `kubernetes_invalid_manifest` for control characters or more than [`limits::KUBERNETES_DESCRIPTION_BYTES`].
    pub fn with_description(mut self, description: &str) -> Result<Self, KubernetesError> {
        if description.len() > limits::KUBERNETES_DESCRIPTION_BYTES
            || description.chars().any(char::is_control)
        {
            return Err(KubernetesError::InvalidManifest {
                field: "description",
                expected: "one line of at most 1024 bytes",
            });
        }
        self.description = Some(description.to_owned());
        Ok(self)
    }

    /// `bootstrap-token-<id>`.
    #[must_use]
    pub fn name(&self) -> String {
        self.token.id().secret_name()
    }

    /// The namespace that Kubernetes demands.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        "kube-system"
    }

    /// The manifest for `kubectl apply`. Every value from outside is quoted: an id such as `1e1234` is a number to some
    /// readers of YAML.
    #[must_use]
    pub fn to_yaml(&self) -> Secret {
        yaml::write(&self.manifest())
    }

    /// The manifest for the API.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        yaml::write_json(&self.manifest())
    }

    fn manifest(&self) -> Manifest<'_> {
        let mut labels: BTreeMap<_, _> =
            self.labels.iter().map(|(key, value)| (key.as_str(), Quoted(value.as_str()))).collect();
        labels.insert(Self::MANAGER_LABEL, Quoted("handfast"));
        labels.insert(Self::OWNER_LABEL, Quoted(self.owner.as_str()));
        let groups: Vec<_> = self.groups.iter().map(BootstrapGroup::as_str).collect();
        Manifest {
            api_version: "v1",
            kind: "Secret",
            metadata: Metadata { labels, name: self.name(), namespace: self.namespace() },
            string_data: StringData {
                groups: Quoted(groups.join(",")),
                description: self.description.as_deref().map(Quoted),
                expiration: Quoted(self.expires_at.datetime().format("%Y-%m-%dT%H:%M:%SZ").to_string()),
                token_id: Quoted(self.token.id().as_str()),
                token_secret: Quoted(self.token.secret().expose()),
                authentication: Quoted("true"),
                signing: Quoted("true"),
            },
            kind_of_secret: "bootstrap.kubernetes.io/token",
        }
    }
}

/// Members in alphabetical order, as Kubernetes' own tools write them. JSON ignores the quotes.
#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    kind: &'a str,
    metadata: Metadata<'a>,
    #[serde(rename = "stringData")]
    string_data: StringData<'a>,
    #[serde(rename = "type")]
    kind_of_secret: &'a str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    labels: BTreeMap<&'a str, Quoted<&'a str>>,
    name: String,
    namespace: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StringData<'a> {
    #[serde(rename = "auth-extra-groups")]
    groups: Quoted<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Quoted<&'a str>>,
    expiration: Quoted<String>,
    token_id: Quoted<&'a str>,
    token_secret: Quoted<&'a str>,
    #[serde(rename = "usage-bootstrap-authentication")]
    authentication: Quoted<&'a str>,
    #[serde(rename = "usage-bootstrap-signing")]
    signing: Quoted<&'a str>,
}
