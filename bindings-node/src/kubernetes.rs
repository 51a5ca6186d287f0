//! What a Kubernetes node needs to join.

use handfast::{
    crypto::default_backend,
    kubernetes::{self, CaPin},
    verified::Verified,
};
use napi::bindgen_prelude::{ClassInstance, Either, Uint8Array};
use napi_derive::napi;

use crate::{
    error::{Result, Throw},
    secret::Secret,
    system,
};

/// A bootstrap token.
#[napi]
pub struct BootstrapToken(kubernetes::BootstrapToken);

#[napi]
impl BootstrapToken {
    /// Reads `<id>.<secret>`.
    #[napi(factory)]
    pub fn parse(text: Either<String, ClassInstance<'_, Secret>>) -> Result<Self> {
        let token = match &text {
            Either::A(text) => text.parse(),
            Either::B(secret) => secret.get().expose().parse(),
        };
        token.map(Self).map_err(Throw::throw)
    }

    /// Draws a new one.
    #[napi(factory)]
    pub fn generate() -> Result<Self> {
        Ok(Self(kubernetes::BootstrapToken::generate(&mut system::entropy()?)))
    }

    /// The public part.
    #[napi(getter)]
    pub fn id(&self) -> &str {
        self.0.id().as_str()
    }

    /// The name of the Secret that makes it work.
    #[napi(getter)]
    pub fn secret_name(&self) -> String {
        self.0.id().secret_name()
    }

    /// The whole token.
    #[napi]
    pub fn to_secret(&self) -> Secret {
        self.0.to_secret().into()
    }
}

/// The Secret that makes a bootstrap token work.
#[napi]
pub struct BootstrapSecret(kubernetes::BootstrapSecret);

impl From<kubernetes::BootstrapSecret> for BootstrapSecret {
    fn from(secret: kubernetes::BootstrapSecret) -> Self {
        Self(secret)
    }
}

/// What a Secret is made of.
#[napi(object, object_to_js = false)]
pub struct SecretOptions {
    /// When the token expires.
    pub expires_at: i64,
    /// Whose object it is.
    pub owner: String,
    /// The instance that it is labelled with.
    pub instance: Option<String>,
    /// The groups of whoever authenticates with it.
    pub groups: Option<Vec<String>>,
    /// A line for people.
    pub description: Option<String>,
    /// Further labels: names and values in turn.
    pub labels: Vec<String>,
}

#[napi]
impl BootstrapSecret {
    /// Puts the Secret together.
    #[napi(constructor)]
    pub fn new(token: &BootstrapToken, options: SecretOptions) -> Result<Self> {
        let expires_at = system::instant(options.expires_at, "expiresAt")?;
        Self::build(token, expires_at, &options).map(Self).map_err(Throw::throw)
    }

    fn build(
        token: &BootstrapToken,
        expires_at: handfast::time::Timestamp,
        options: &SecretOptions,
    ) -> std::result::Result<kubernetes::BootstrapSecret, kubernetes::KubernetesError> {
        let mut secret =
            kubernetes::BootstrapSecret::new(token.0.clone(), expires_at, options.owner.parse()?);
        for [key, value] in options.labels.as_chunks::<2>().0 {
            secret = secret.with_label(key.parse()?, value.parse()?);
        }
        if let Some(groups) = &options.groups {
            let groups = groups.iter().map(|group| group.parse()).collect::<std::result::Result<_, _>>()?;
            secret = secret.with_groups(groups)?;
        }
        if let Some(instance) = &options.instance {
            secret = secret.with_instance(instance)?;
        }
        match &options.description {
            Some(description) => secret.with_description(description),
            None => Ok(secret),
        }
    }

    /// Its name.
    #[napi(getter)]
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Its namespace.
    #[napi(getter)]
    pub fn namespace(&self) -> &'static str {
        self.0.namespace()
    }

    /// The manifest for `kubectl apply`.
    #[napi]
    pub fn to_yaml(&self) -> Secret {
        self.0.to_yaml().into()
    }

    /// The manifest for the API.
    #[napi]
    pub fn to_manifest(&self) -> Secret {
        self.0.to_json().into()
    }
}

/// Where the cluster is and which authority it has, as published.
#[napi]
pub struct ClusterInfo(kubernetes::ClusterInfo);

/// The same, proven.
#[napi]
pub struct VerifiedClusterInfo(Verified<kubernetes::ClusterInfo>);

/// The members that both have.
macro_rules! cluster_info {
    ($class:ident { $($members:tt)* }) => {
        #[napi]
        impl $class {
            /// The API server's URL.
            #[napi(getter)]
            pub fn server(&self) -> &str {
                self.0.server()
            }

            /// The cluster's authorities, in PEM.
            #[napi(getter)]
            pub fn authority(&self) -> Uint8Array {
                self.0.authority().to_vec().into()
            }

            /// The pins of the authorities.
            #[napi]
            pub fn pins(&self) -> Vec<String> {
                self.0.pins(&*default_backend()).iter().map(CaPin::to_string).collect()
            }

            /// The kubeconfig that `kubeadm join` takes.
            #[napi]
            pub fn kubeconfig(&self, token: &BootstrapToken) -> Secret {
                self.0.kubeconfig(&token.0).into()
            }

            $($members)*
        }
    };
}

cluster_info!(VerifiedClusterInfo {});

cluster_info!(ClusterInfo {
    /// Reads the ConfigMap, as YAML or JSON.
    #[napi(factory)]
    pub fn from_config_map(text: String) -> Result<Self> {
        kubernetes::ClusterInfo::from_config_map(&text).map(Self).map_err(Throw::throw)
    }

    /// Reads the member `kubeconfig` of the ConfigMap alone.
    #[napi(factory)]
    pub fn from_kubeconfig(text: String) -> Result<Self> {
        kubernetes::ClusterInfo::from_kubeconfig(text).map(Self).map_err(Throw::throw)
    }

    /// Proves that whoever published it knows the token.
    #[napi]
    pub fn verify(&self, token: &BootstrapToken) -> Result<VerifiedClusterInfo> {
        let verified = self.0.clone().verify(&*default_backend(), &token.0);
        verified.map(VerifiedClusterInfo).map_err(Throw::throw)
    }

    /// Proves that one of the authorities has a pinned key.
    #[napi]
    pub fn verify_pinned(&self, pins: Vec<String>) -> Result<VerifiedClusterInfo> {
        let pins = pins.iter().map(|pin| pin.parse()).collect::<std::result::Result<Vec<CaPin>, _>>();
        let pins = pins.map_err(Throw::throw)?;
        let verified = self.0.clone().verify_pinned(&*default_backend(), &pins);
        verified.map(VerifiedClusterInfo).map_err(Throw::throw)
    }
});

/// The detached signature of the bootstrap signer.
#[napi]
pub fn sign_detached(content: String, token: &BootstrapToken) -> String {
    kubernetes::sign_detached(&*default_backend(), &content, &token.0)
}

/// Checks one.
#[napi]
pub fn verify_detached(content: String, token: &BootstrapToken, signature: String) -> Result<()> {
    kubernetes::verify_detached(&*default_backend(), &content, &token.0, &signature).map_err(Throw::throw)
}

/// The pin of a certificate in PEM or DER.
#[napi]
pub fn ca_pin(certificate: &[u8]) -> Result<String> {
    CaPin::of_certificate(&*default_backend(), certificate).map(|pin| pin.to_string()).map_err(Throw::throw)
}
