//! Kubernetes material: bootstrap tokens, their Secrets, `cluster-info`, pins.

use handfast::{
    crypto,
    kubernetes::{self, BootstrapGroup, CaPin, KubernetesError},
    verified::Verified,
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::{
    error::Raise,
    secret::{Secret, exposed},
    system,
};

/// A Kubernetes bootstrap token, `<id>.<secret>`. It shows only its id.
#[pyclass(frozen, module = "handfast.kubernetes")]
pub(crate) struct BootstrapToken(kubernetes::BootstrapToken);

#[pymethods]
impl BootstrapToken {
    /// Read a token, from a text or a `Secret`.
    #[new]
    #[pyo3(signature = (token, /))]
    fn new(token: &Bound<'_, PyAny>) -> PyResult<Self> {
        exposed(token, "token")?.parse().map(Self).map_err(|error: KubernetesError| error.raise())
    }

    /// A new token, from the system's entropy.
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        Ok(Self(kubernetes::BootstrapToken::generate(&mut system::entropy()?)))
    }

    /// The public part: it names the Secret and the signature, and may be logged.
    #[getter]
    fn id(&self) -> &str {
        self.0.id().as_str()
    }

    /// The name of the Secret that makes the token work, in namespace `kube-system`.
    #[getter]
    fn secret_name(&self) -> String {
        self.0.id().secret_name()
    }

    /// The whole token, as a node presents it.
    fn to_secret(&self) -> Secret {
        self.0.to_secret().into()
    }

    fn __repr__(&self) -> String {
        format!("BootstrapToken({}.[redacted])", self.0.id())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a BootstrapToken cannot be pickled"))
    }
}

/// The Secret of type `bootstrap.kubernetes.io/token` that makes a bootstrap token work. It shows only its name.
#[pyclass(frozen, module = "handfast.kubernetes")]
pub(crate) struct BootstrapSecret(kubernetes::BootstrapSecret);

impl From<kubernetes::BootstrapSecret> for BootstrapSecret {
    fn from(secret: kubernetes::BootstrapSecret) -> Self {
        Self(secret)
    }
}

#[pymethods]
impl BootstrapSecret {
    /// A Secret in kubeadm's node group unless `groups` says otherwise. `owner` marks whose object it is; `instance`
    /// becomes the label `handfast.dev/instance-id`.
    #[new]
    #[pyo3(signature = (token, *, expires_at, owner, instance=None, groups=None, labels=None, description=None))]
    fn new(
        token: &BootstrapToken,
        expires_at: &Bound<'_, PyAny>,
        owner: &str,
        instance: Option<&str>,
        groups: Option<Vec<String>>,
        labels: Option<&Bound<'_, PyDict>>,
        description: Option<&str>,
    ) -> PyResult<Self> {
        let expires_at = system::instant("expires_at", Some(expires_at))?;
        let owner = owner.parse().map_err(|error: KubernetesError| error.raise())?;
        let labels = labels.map(|labels| labels.items().extract::<Vec<(String, String)>>()).transpose()?;
        let secret = kubernetes::BootstrapSecret::new(token.0.clone(), expires_at, owner);
        describe(secret, instance, groups, labels.unwrap_or_default(), description)
            .map(Self)
            .map_err(Raise::raise)
    }

    /// `bootstrap-token-<id>`.
    #[getter]
    fn name(&self) -> String {
        self.0.name()
    }

    /// The namespace that Kubernetes demands.
    #[getter]
    fn namespace(&self) -> &'static str {
        self.0.namespace()
    }

    /// The manifest for `kubectl apply`.
    fn to_yaml(&self) -> Secret {
        self.0.to_yaml().into()
    }

    /// The manifest for the API.
    fn to_json(&self) -> Secret {
        self.0.to_json().into()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.kubernetes.BootstrapSecret {}>", self.0.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a BootstrapSecret cannot be pickled"))
    }
}

fn describe(
    mut secret: kubernetes::BootstrapSecret,
    instance: Option<&str>,
    groups: Option<Vec<String>>,
    labels: Vec<(String, String)>,
    description: Option<&str>,
) -> Result<kubernetes::BootstrapSecret, KubernetesError> {
    for (key, value) in labels {
        secret = secret.with_label(key.parse()?, value.parse()?);
    }
    if let Some(instance) = instance {
        secret = secret.with_instance(instance)?;
    }
    if let Some(groups) = groups {
        let groups = groups.iter().map(|group| group.parse()).collect::<Result<Vec<BootstrapGroup>, _>>()?;
        secret = secret.with_groups(groups)?;
    }
    match description {
        Some(description) => secret.with_description(description),
        None => Ok(secret),
    }
}

/// The ConfigMap `kube-public/cluster-info`, parsed and not yet proven. Prove it with `verify` or `verify_pinned`, unless
/// it was read over TLS with credentials of one's own.
#[pyclass(frozen, module = "handfast.kubernetes")]
pub(crate) struct ClusterInfo(kubernetes::ClusterInfo);

#[pymethods]
impl ClusterInfo {
    /// Read the ConfigMap, as YAML or as the JSON that the API server returns.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn from_config_map(text: &str) -> PyResult<Self> {
        kubernetes::ClusterInfo::from_config_map(text).map(Self).map_err(Raise::raise)
    }

    /// Read the member `kubeconfig` of the ConfigMap alone; it bears no signatures.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn from_kubeconfig(text: String) -> PyResult<Self> {
        kubernetes::ClusterInfo::from_kubeconfig(text).map(Self).map_err(Raise::raise)
    }

    /// The API server's URL.
    #[getter]
    fn server(&self) -> &str {
        self.0.server()
    }

    /// The cluster's authorities, in PEM.
    #[getter]
    fn authority<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.authority())
    }

    /// The pins of the cluster's authorities, in their order.
    fn pins(&self) -> Vec<String> {
        pins(&self.0)
    }

    /// Prove that whoever published this knows the token, by the token's signature.
    fn verify(&self, token: &BootstrapToken) -> PyResult<VerifiedClusterInfo> {
        let verified = self.0.clone().verify(crypto::default_backend().as_ref(), &token.0);
        verified.map(VerifiedClusterInfo).map_err(Raise::raise)
    }

    /// Prove that at least one of the cluster's authorities has one of these pins, as kubeadm does.
    fn verify_pinned(&self, pins: Vec<String>) -> PyResult<VerifiedClusterInfo> {
        let pins = pins.iter().map(|pin| pin.parse()).collect::<Result<Vec<CaPin>, KubernetesError>>();
        let pins = pins.map_err(Raise::raise)?;
        let verified = self.0.clone().verify_pinned(crypto::default_backend().as_ref(), &pins);
        verified.map(VerifiedClusterInfo).map_err(Raise::raise)
    }

    /// The kubeconfig for `kubeadm join --discovery-file`.
    fn kubeconfig(&self, token: &BootstrapToken) -> Secret {
        self.0.kubeconfig(&token.0).into()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.kubernetes.ClusterInfo of {}>", self.0.server())
    }
}

/// A proven `cluster-info`. Evidence: only `ClusterInfo.verify` and `verify_pinned` make one.
#[pyclass(frozen, module = "handfast.kubernetes")]
pub(crate) struct VerifiedClusterInfo(Verified<kubernetes::ClusterInfo>);

#[pymethods]
impl VerifiedClusterInfo {
    /// The API server's URL.
    #[getter]
    fn server(&self) -> &str {
        self.0.server()
    }

    /// The cluster's authorities, in PEM.
    #[getter]
    fn authority<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.authority())
    }

    /// The pins of the cluster's authorities, in their order.
    fn pins(&self) -> Vec<String> {
        pins(&self.0)
    }

    /// The kubeconfig for `kubeadm join --discovery-file`.
    fn kubeconfig(&self, token: &BootstrapToken) -> Secret {
        self.0.kubeconfig(&token.0).into()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.kubernetes.VerifiedClusterInfo of {}>", self.0.server())
    }
}

fn pins(info: &kubernetes::ClusterInfo) -> Vec<String> {
    info.pins(crypto::default_backend().as_ref()).iter().map(ToString::to_string).collect()
}

/// The pin of one certificate, in PEM or DER: `sha256:<hex>`, as `kubeadm join --discovery-token-ca-cert-hash` takes it.
#[pyfunction]
#[pyo3(signature = (certificate, /))]
pub(crate) fn ca_pin(certificate: &[u8]) -> PyResult<String> {
    let pin = CaPin::of_certificate(crypto::default_backend().as_ref(), certificate);
    pin.map(|pin| pin.to_string()).map_err(Raise::raise)
}

/// Sign `content` with the token as Kubernetes' bootstrap signer does: `<header>..<signature>`.
#[pyfunction]
pub(crate) fn sign_detached(content: &str, token: &BootstrapToken) -> String {
    kubernetes::sign_detached(crypto::default_backend().as_ref(), content, &token.0)
}

/// Verify a detached signature over `content`. Raises `KubernetesError`; gives nothing, so that nobody can ignore it.
#[pyfunction]
pub(crate) fn verify_detached(content: &str, token: &BootstrapToken, signature: &str) -> PyResult<()> {
    kubernetes::verify_detached(crypto::default_backend().as_ref(), content, &token.0, signature)
        .map_err(Raise::raise)
}
