//! `cluster-info`: where the cluster is and which authority it has, published for nodes that have nothing yet.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_saphyr::DoubleQuoted as Quoted;

use super::{BootstrapToken, CaPin, KubernetesError, jws, pin, yaml};
use crate::{crypto::Backend, limits, secret::Secret, verified::Verified};

const USER: &str = "tls-bootstrap-token-user";
const CLUSTER: &str = "kubernetes";
const CONTEXT: &str = "tls-bootstrap-token-user@kubernetes";

/// The ConfigMap `cluster-info` of namespace `kube-public`, parsed.
///
/// Everybody may read it, and nothing in it proves itself. A host that reads it with its own credentials over TLS
/// has it from the API server; a node proves it with [`ClusterInfo::verify`] or [`ClusterInfo::verify_pinned`].
///
/// What could weaken a node is refused: a server that is not https, `insecure-skip-tls-verify`, no embedded
/// authority, a proxy. Credentials that someone left in it are never copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInfo {
    /// Exactly as published, because this is what is signed.
    text: String,
    signatures: BTreeMap<String, String>,
    server: String,
    server_name: Option<String>,
    authority: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

impl ClusterInfo {
    /// Reads the ConfigMap, as YAML or as the JSON that the API server returns.
    ///
    /// # Errors
    /// `kubernetes_malformed_cluster_info` with what is wrong; `too_large` beyond
    /// [`limits::KUBERNETES_DOCUMENT_BYTES`].
    pub fn from_config_map(text: &str) -> Result<Self, KubernetesError> {
        let malformed = |what| KubernetesError::MalformedClusterInfo { what };
        let map: ConfigMap = yaml::read(text)?.ok_or(malformed("not a ConfigMap in YAML or JSON"))?;
        let namespace = map.metadata.namespace.as_deref().unwrap_or("kube-public");
        if map.kind != "ConfigMap" || map.metadata.name != "cluster-info" || namespace != "kube-public" {
            return Err(malformed("not the ConfigMap kube-public/cluster-info"));
        }
        let mut data = map.data;
        let kubeconfig = data.remove("kubeconfig").ok_or(malformed("no kubeconfig in it"))?;
        let signatures = data
            .into_iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("jws-kubeconfig-")?.to_owned(), value)))
            .collect();
        Ok(Self { signatures, ..Self::from_kubeconfig(kubeconfig)? })
    }

    /// Reads the member `kubeconfig` of the ConfigMap alone; such a value bears no signatures.
    ///
    /// # Errors
    /// As [`Self::from_config_map`].
    pub fn from_kubeconfig(text: String) -> Result<Self, KubernetesError> {
        let malformed = |what| KubernetesError::MalformedClusterInfo { what };
        let config: Kubeconfig =
            yaml::read(&text)?.ok_or(malformed("kubeconfig is not YAML of a kubeconfig"))?;
        let cluster = config.into_cluster().ok_or(malformed("kubeconfig names no cluster"))?;
        if cluster.insecure_skip_tls_verify.unwrap_or(false) {
            return Err(malformed("insecure-skip-tls-verify"));
        }
        if cluster.certificate_authority.is_some() || cluster.proxy_url.is_some() {
            return Err(malformed(
                "certificate-authority or proxy-url, which mean nothing on another machine",
            ));
        }
        if !is_https(&cluster.server) {
            return Err(malformed("server is not a plain https URL"));
        }
        if cluster.tls_server_name.as_deref().is_some_and(|name| !is_host_name(name)) {
            return Err(malformed("tls-server-name is not a host name"));
        }
        let encoded = cluster.certificate_authority_data.ok_or(malformed("no certificate-authority-data"))?;
        let authority = decode(&encoded)
            .ok_or(malformed("certificate-authority-data is not base64 of certificates in PEM"))?;
        let keys = pin::keys_of_pem(&authority)
            .map_err(|_| malformed("certificate-authority-data is not base64 of certificates in PEM"))?;
        Ok(Self {
            text,
            signatures: BTreeMap::new(),
            server: cluster.server,
            server_name: cluster.tls_server_name,
            authority,
            keys,
        })
    }

    /// The API server's URL.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The cluster's authorities, in PEM.
    #[must_use]
    pub fn authority(&self) -> &[u8] {
        &self.authority
    }

    /// The pins of the cluster's authorities, in their order.
    #[must_use]
    pub fn pins(&self, backend: &dyn Backend) -> Vec<CaPin> {
        self.keys.iter().map(|key| CaPin::of_key(backend, key)).collect()
    }

    /// Proves that whoever published this knows the token, by the signature `jws-kubeconfig-<id>`.
    ///
    /// # Errors
    /// `kubernetes_missing_signature`, `kubernetes_bad_signature`.
    pub fn verify(
        self,
        backend: &dyn Backend,
        token: &BootstrapToken,
    ) -> Result<Verified<Self>, KubernetesError> {
        let signature = self.signatures.get(token.id().as_str()).ok_or(KubernetesError::MissingSignature)?;
        jws::verify_detached(backend, &self.text, token, signature)?;
        Ok(Verified::new(self))
    }

    /// Proves that at least one of the cluster's authorities has a pinned key, as kubeadm does. The server's address
    /// is not covered: an attacker can point it elsewhere, where TLS under the pinned authority then fails.
    ///
    /// # Errors
    /// `kubernetes_pin_mismatch`.
    pub fn verify_pinned(
        self,
        backend: &dyn Backend,
        pins: &[CaPin],
    ) -> Result<Verified<Self>, KubernetesError> {
        let ours = self.pins(backend);
        if ours.iter().any(|our| pins.iter().any(|pin| pin.matches(our))) {
            Ok(Verified::new(self))
        } else {
            Err(KubernetesError::PinMismatch)
        }
    }

    /// The kubeconfig for `kubeadm join --discovery-file`, laid out as kubeadm itself writes one for a token.
    #[must_use]
    pub fn kubeconfig(&self, token: &BootstrapToken) -> Secret {
        let token = token.to_secret();
        yaml::write(&Written {
            api_version: "v1",
            clusters: [Named {
                cluster: WrittenCluster {
                    certificate_authority_data: BASE64.encode(&self.authority),
                    server: Quoted(&self.server),
                    tls_server_name: self.server_name.as_deref().map(Quoted),
                },
                name: CLUSTER,
            }],
            contexts: [WrittenContext { context: Pair { cluster: CLUSTER, user: USER }, name: CONTEXT }],
            current_context: CONTEXT,
            kind: "Config",
            users: [WrittenUser { name: USER, user: Token { token: Quoted(token.expose()) } }],
        })
    }
}

fn is_https(url: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte);
    url.len() <= limits::KUBERNETES_URL_BYTES
        && url.strip_prefix("https://").is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
                && rest.bytes().all(is_plain)
        })
}

fn is_host_name(name: &str) -> bool {
    matches!(name.len(), 1..=253)
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// Base64 as Kubernetes reads it: padded, line ends ignored.
fn decode(text: &str) -> Option<Vec<u8>> {
    let joined: String = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    BASE64.decode(joined.as_bytes()).ok()
}

#[derive(Deserialize)]
struct ConfigMap {
    kind: String,
    metadata: ObjectMeta,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ObjectMeta {
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kubeconfig {
    clusters: Vec<NamedCluster>,
    contexts: Option<Vec<NamedContext>>,
    current_context: Option<String>,
}

impl Kubeconfig {
    /// The one kubeadm would take: the unnamed cluster, else that of the current context.
    fn into_cluster(self) -> Option<Cluster> {
        let current = self.current_context.as_deref();
        let contexts = self.contexts.unwrap_or_default();
        let context = contexts.iter().find(|context| Some(context.name.as_str()) == current);
        let named = context.map(|context| context.context.cluster.as_str());
        let unnamed = self.clusters.iter().any(|cluster| cluster.name.is_empty()).then_some("");
        let wanted = unnamed.or(named)?;
        self.clusters.into_iter().find(|cluster| cluster.name == wanted).map(|cluster| cluster.cluster)
    }
}

#[derive(Deserialize)]
struct NamedCluster {
    #[serde(default)]
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority_data: Option<String>,
    certificate_authority: Option<String>,
    insecure_skip_tls_verify: Option<bool>,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
}

/// Members in alphabetical order, as Kubernetes' own tools write them.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    clusters: [Named<'a>; 1],
    contexts: [WrittenContext<'a>; 1],
    #[serde(rename = "current-context")]
    current_context: &'a str,
    kind: &'a str,
    users: [WrittenUser<'a>; 1],
}

#[derive(Serialize)]
struct Named<'a> {
    cluster: WrittenCluster<'a>,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenCluster<'a> {
    certificate_authority_data: String,
    server: Quoted<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_server_name: Option<Quoted<&'a str>>,
}

#[derive(Serialize)]
struct WrittenContext<'a> {
    context: Pair<'a>,
    name: &'a str,
}

#[derive(Serialize)]
struct Pair<'a> {
    cluster: &'a str,
    user: &'a str,
}

#[derive(Serialize)]
struct WrittenUser<'a> {
    name: &'a str,
    user: Token<'a>,
}

#[derive(Serialize)]
struct Token<'a> {
    token: Quoted<&'a str>,
}
