//! Bootstrap tokens in a cluster, through its API. The rights this needs are in `deploy/rbac.yaml`, and no more.

use std::{path::Path, time::Duration};

use handfast::kubernetes::{BootstrapSecret, LabelValue};
use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret};
use kube::{
    Api, Client, Config, Error,
    api::{DeleteParams, PostParams, Preconditions},
    config::{KubeConfigOptions, Kubeconfig},
};

use super::Failure;
use crate::Fatal;

/// A client for one cluster.
#[derive(Debug)]
pub(super) struct Kubernetes {
    secrets: Api<Secret>,
    config_maps: Api<ConfigMap>,
    nodes: Api<Node>,
    owner: LabelValue,
}

impl Kubernetes {
    /// Reads the kubeconfig. Nobody is asked yet.
    pub(super) async fn new(kubeconfig: &Path, owner: LabelValue) -> Result<Self, Fatal> {
        let unusable = |error: &dyn std::error::Error| format!("{}: {error}", kubeconfig.display());
        let file = Kubeconfig::read_from(kubeconfig).map_err(|error| unusable(&error))?;
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .map_err(|error| unusable(&error))?;
        config.connect_timeout = Some(Duration::from_secs(5));
        config.read_timeout = Some(Duration::from_secs(10));
        let client = Client::try_from(config).map_err(|error| unusable(&error))?;
        let secrets = Api::namespaced(client.clone(), "kube-system");
        let nodes = Api::all(client.clone());
        Ok(Self { secrets, nodes, config_maps: Api::namespaced(client, "kube-public"), owner })
    }

    /// Makes the Secret, or finds that exactly it is there. One of ours with other contents, which nobody but a meddler
    /// makes, is made again.
    pub(super) async fn ensure(&self, manifest: &BootstrapSecret) -> Result<(), Failure> {
        let wanted: Secret = serde_json::from_str(manifest.to_json().expose())
            .map_err(|_| Failure::Failed("its manifest is no Secret".into()))?;
        for _ in 0..2 {
            match self.secrets.create(&PostParams::default(), &wanted).await {
                Ok(_) => return Ok(()),
                Err(error) if is(&error, 409) => {}
                Err(error) => return Err(unknown(&error)),
            }
            let Some(found) = self.secrets.get_opt(&manifest.name()).await.map_err(|error| failed(&error))?
            else {
                continue;
            };
            if !self.is_ours(&found) {
                return Err(Failure::Collision);
            }
            if is_same(&found, &wanted) {
                return Ok(());
            }
            self.delete_exactly(&found).await?;
        }
        Err(Failure::Failed("somebody else keeps making it".into()))
    }

    /// Deletes the Secret, if it is ours.
    pub(super) async fn delete(&self, name: &str) -> Result<(), Failure> {
        match self.secrets.get_opt(name).await.map_err(|error| failed(&error))? {
            None => Ok(()),
            Some(found) if self.is_ours(&found) => self.delete_exactly(&found).await,
            Some(_) => Err(Failure::Collision),
        }
    }

    /// Deletes a node's object.
    pub(super) async fn delete_node(&self, name: &str) -> Result<(), Failure> {
        match self.nodes.delete(name, &DeleteParams::default()).await {
            Err(error) if !is(&error, 404) => Err(failed(&error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Reads `cluster-info`, as JSON.
    pub(super) async fn cluster_info(&self) -> Result<String, String> {
        let map = self.config_maps.get("cluster-info").await.map_err(|error| text(&error))?;
        serde_json::to_string(&map).map_err(|error| error.to_string())
    }

    /// Deletes what was looked at, and nothing that has taken its place meanwhile.
    async fn delete_exactly(&self, found: &Secret) -> Result<(), Failure> {
        let metadata = &found.metadata;
        let preconditions =
            Preconditions { uid: metadata.uid.clone(), resource_version: metadata.resource_version.clone() };
        let only = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match self.secrets.delete(metadata.name.as_deref().unwrap_or_default(), &only).await {
            Err(error) if !is(&error, 404) => Err(failed(&error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn is_ours(&self, found: &Secret) -> bool {
        let labels = found.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get(BootstrapSecret::OWNER_LABEL)).map(String::as_str)
            == Some(self.owner.as_str())
    }
}

/// Whether type, labels and data are those that are wanted.
fn is_same(found: &Secret, wanted: &Secret) -> bool {
    let data = found.data.iter().flatten().map(|(name, value)| (name.as_str(), value.0.as_slice()));
    let wanted_data =
        wanted.string_data.iter().flatten().map(|(name, value)| (name.as_str(), value.as_bytes()));
    found.type_ == wanted.type_ && found.metadata.labels == wanted.metadata.labels && data.eq(wanted_data)
}

fn is(error: &Error, code: u16) -> bool {
    matches!(error, Error::Api(status) if status.code == code)
}

/// An API server that answered with 4xx has done nothing; whoever else failed may have done it.
fn unknown(error: &Error) -> Failure {
    let refused = matches!(error, Error::Api(status) if status.code < 500);
    if refused { failed(error) } else { Failure::Unknown(text(error)) }
}

fn failed(error: &Error) -> Failure {
    Failure::Failed(text(error))
}

/// The API server's own words; they name the object and the right that is missing, never the data.
fn text(error: &Error) -> String {
    if let Error::Api(status) = error {
        format!("the API server said {}: {}", status.code, status.message)
    } else if let Error::SerdeError(_) = error {
        "the API server's answer cannot be read".into()
    } else {
        format!("no answer from the API server: {error}")
    }
}

#[cfg(test)]
use super::peer;

#[cfg(test)]
#[path = "../../tests/support/cluster.rs"]
#[allow(dead_code, reason = "shared with the tests of the program")]
mod cluster;

#[cfg(test)]
mod tests {
    use handfast::kubernetes::BootstrapToken;

    use super::{cluster::Cluster, *};

    #[tokio::test]
    async fn ensured_and_deleted_any_number_of_times_and_never_what_is_not_ours() {
        let Some(cluster) = Cluster::start().await else { return };
        let executor =
            async |owner: &str| Kubernetes::new(&cluster.admin(), owner.parse().unwrap()).await.unwrap();
        let (ours, theirs) = (executor("ours").await, executor("theirs").await);
        let secret = |token: &str, owner: &str| {
            let token: BootstrapToken = token.parse().unwrap();
            BootstrapSecret::new(token, "2099-01-01T00:00:00Z".parse().unwrap(), owner.parse().unwrap())
        };
        let wanted = secret("abcdef.0123456789abcdef", "ours");
        for _ in 0..2 {
            ours.ensure(&wanted).await.unwrap();
            assert_eq!(cluster.secrets().await.len(), 1);
        }
        let uid = cluster.secrets().await[0]["metadata"]["uid"].clone();
        // A meddler has changed it: made again.
        let other = secret("abcdef.fedcba9876543210", "ours");
        ours.ensure(&other).await.unwrap();
        assert_ne!(cluster.secrets().await[0]["metadata"]["uid"], uid);
        let meddled = secret("abcdef.0123456789abcdef", "theirs");
        assert!(matches!(theirs.ensure(&meddled).await, Err(Failure::Collision)));
        assert!(matches!(theirs.delete("bootstrap-token-abcdef").await, Err(Failure::Collision)));
        for _ in 0..2 {
            ours.delete("bootstrap-token-abcdef").await.unwrap();
            assert_eq!(cluster.secrets().await.len(), 0);
        }
        assert!(ours.cluster_info().await.unwrap_err().contains("404"));
        cluster.publish().await;
        assert!(ours.cluster_info().await.unwrap().contains("certificate-authority-data"));
        drop(cluster);
        assert!(matches!(ours.ensure(&wanted).await, Err(Failure::Unknown(_))));
        assert!(matches!(ours.delete("bootstrap-token-abcdef").await, Err(Failure::Failed(_))));
    }
}
