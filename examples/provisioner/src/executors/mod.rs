//! Executors: the hands of the host. Each effect says "see to it that this is so", so that doing it twice, after a
//! crash or a lost answer, does it once.

mod asked;
#[cfg(feature = "ec2")]
mod ec2;
mod files;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod resources;
#[cfg(feature = "spire")]
mod spire;

#[cfg(all(test, any(feature = "kubernetes", feature = "spire")))]
#[path = "../../tests/support/peer.rs"]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod peer;

use std::{path::PathBuf, time::Duration};

use handfast::{
    aws::{AccountId, InstanceId, Region},
    id::{NodeName, ResourceKind, ResourceName},
    kubernetes::{BootstrapSecret, ClusterInfo, LabelValue},
    record::HostResource,
    registrar::Revealed,
    secret::Secret,
    spire::Bundle,
    time::Timestamp,
    vocabulary::{Content, Description, EffectOutcome, Reason, Work},
};
use tokio::task::block_in_place;

use self::asked::Asked;
use crate::{Fatal, config};

/// Whoever confirms instances, and the cluster.
#[derive(Debug)]
pub(crate) struct Executors {
    cloud: Option<Cloud>,
    cluster: Option<Cluster>,
    #[cfg(feature = "spire")]
    spire: Option<spire::Spire>,
    resources: Option<resources::Folder>,
    info: Asked<ClusterInfo>,
    bundle: Asked<Bundle>,
}

#[derive(Debug)]
enum Cloud {
    File(files::Instances),
    #[cfg(feature = "ec2")]
    Ec2(Box<ec2::Ec2>),
}

#[derive(Debug)]
enum Cluster {
    Files(files::Manifests),
    #[cfg(feature = "kubernetes")]
    Kubernetes(Box<kubernetes::Kubernetes>),
}

/// Why an effect was not performed.
#[derive(Debug)]
enum Failure {
    /// Something of that name is not ours.
    Collision,
    /// It was not done, and this is why. Holds no secret.
    Failed(String),
    /// It may have been done: the answer was lost.
    #[cfg_attr(
        not(any(feature = "kubernetes", feature = "spire")),
        expect(dead_code, reason = "files either are there or not")
    )]
    Unknown(String),
}

impl Executors {
    /// Gets everything ready that can be got ready without asking anybody. `alone`: no other host uses its folders.
    pub(crate) async fn new(
        cloud: Option<config::Cloud>,
        cluster: Option<config::Cluster>,
        spire: Option<config::Spire>,
        (owner, resources): (LabelValue, Option<PathBuf>),
        alone: bool,
    ) -> Result<Self, Fatal> {
        let resources = match resources {
            Some(path) => Some(resources::Folder::new(path, owner.clone(), alone)?),
            None => None,
        };
        let cloud = match cloud {
            None => None,
            Some(config::Cloud::File(path)) => Some(Cloud::File(files::Instances(path))),
            #[cfg(feature = "ec2")]
            Some(config::Cloud::Ec2(settings)) => Some(Cloud::Ec2(Box::new(ec2::Ec2::new(settings).await))),
            #[cfg(not(feature = "ec2"))]
            Some(config::Cloud::Ec2(ec2)) => {
                let place = ec2.endpoint_url.unwrap_or_else(|| "AWS".into());
                return Err(format!("this build cannot ask EC2 at {place}: build with --features ec2").into());
            }
        };
        let cluster = match cluster {
            None => None,
            Some(config::Cluster::Files { manifests, cluster_info }) => {
                Some(Cluster::Files(files::Manifests::new(manifests, cluster_info, owner, alone)?))
            }
            #[cfg(feature = "kubernetes")]
            Some(config::Cluster::Kubernetes(kubeconfig)) => {
                Some(Cluster::Kubernetes(Box::new(kubernetes::Kubernetes::new(&kubeconfig, owner).await?)))
            }
            #[cfg(not(feature = "kubernetes"))]
            Some(config::Cluster::Kubernetes(kubeconfig)) => {
                let shown = kubeconfig.display();
                return Err(format!("this build cannot use {shown}: build with --features kubernetes").into());
            }
        };
        #[cfg(not(feature = "spire"))]
        if let Some(config::Spire { socket, trust_domain }) = spire {
            let shown = socket.display();
            let why = format!(
                "this build cannot ask {trust_domain}'s server at {shown}: build with --features spire"
            );
            return Err(why.into());
        }
        Ok(Self {
            cloud,
            cluster,
            #[cfg(feature = "spire")]
            spire: spire.map(spire::Spire::new).transpose()?,
            resources,
            info: Asked::default(),
            bundle: Asked::default(),
        })
    }

    /// Whether there is a cluster that nodes can be sent to.
    pub(crate) fn has_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Whether there is a SPIRE server.
    pub(crate) fn has_spire(&self) -> bool {
        #[cfg(feature = "spire")]
        return self.spire.is_some();
        #[cfg(not(feature = "spire"))]
        return false;
    }

    /// The first of these contents that this host could never make, and why: better said to the operator who issues it than
    /// to a node that waits.
    pub(crate) fn cannot_make(&self, contents: &[Content]) -> Option<(usize, &'static str)> {
        let why = |content: &Content| match content {
            Content::KubernetesBootstrapToken { .. } | Content::KubernetesNode { .. } => {
                self.cluster.is_none().then_some(NO_CLUSTER)
            }
            Content::SpireJoinToken { .. } | Content::SpireEntry { .. } => {
                (!self.has_spire()).then_some(NO_SPIRE)
            }
            Content::Host { .. } => self.resources.is_none().then_some(NO_FOLDER),
            Content::File { .. } | Content::PoolItem { .. } => None,
        };
        contents.iter().enumerate().find_map(|(place, content)| Some((place, why(content)?)))
    }

    /// Performs an effect and says how it went. Never takes longer than [`PATIENCE`].
    pub(crate) async fn perform(&self, work: &Work, revealed: Revealed, now: Timestamp) -> EffectOutcome {
        let performed = tokio::time::timeout(PATIENCE, self.attempt(work, revealed, now));
        match performed.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(Failure::Collision)) => EffectOutcome::Collision,
            Ok(Err(Failure::Failed(reason))) => EffectOutcome::Failed { reason: Reason::from(reason) },
            Ok(Err(Failure::Unknown(reason))) => {
                tracing::warn!("an effect may have been done or not: {reason}");
                EffectOutcome::Unknown
            }
            Err(_) => EffectOutcome::Unknown,
        }
    }

    async fn attempt(
        &self,
        work: &Work,
        revealed: Revealed,
        now: Timestamp,
    ) -> Result<EffectOutcome, Failure> {
        match (work, revealed) {
            (Work::DescribeInstance { instance, account, region }, _) => {
                self.describe(instance, account, region).await.map(EffectOutcome::Described)
            }
            (Work::EnsureBootstrapToken { .. }, Revealed::BootstrapToken(manifest)) => {
                self.ensure(&manifest).await.map(|()| EffectOutcome::Done)
            }
            (Work::EnsureBootstrapToken { .. }, Revealed::Nothing | Revealed::Value(_)) => {
                Err(Failure::Failed("its manifest was not revealed".into()))
            }
            (Work::DeleteBootstrapToken { name }, _) => self.delete(name).await.map(|()| EffectOutcome::Done),
            (Work::DeleteKubernetesNode { name }, _) => {
                self.delete_node(name).await.map(|()| EffectOutcome::Done)
            }
            (Work::EnsureHost { resource }, revealed) => {
                let value = if let Revealed::Value(value) = revealed { Some(value) } else { None };
                self.ensure_host(resource, value).map(|()| EffectOutcome::Done)
            }
            (Work::DeleteHost { kind, name }, _) => {
                self.delete_host(kind, name).map(|()| EffectOutcome::Done)
            }
            (
                Work::EnsureSpireJoinToken { .. }
                | Work::EnsureSpireAlias { .. }
                | Work::EnsureSpireEntry { .. }
                | Work::DeleteSpireEntry { .. },
                revealed,
            ) => self.at_spire(work, revealed, now).await.map(|()| EffectOutcome::Done),
            // The driver's own: see there.
            (Work::Sweep { .. }, _) => Err(Failure::Failed("sweeping is not for executors".into())),
        }
    }

    #[cfg(feature = "spire")]
    async fn at_spire(&self, work: &Work, revealed: Revealed, now: Timestamp) -> Result<(), Failure> {
        let spire = self.spire.as_ref().ok_or_else(|| Failure::Failed(NO_SPIRE.into()))?;
        spire.perform(work, revealed, now).await
    }

    #[cfg(not(feature = "spire"))]
    async fn at_spire(&self, _: &Work, _: Revealed, _: Timestamp) -> Result<(), Failure> {
        Err(Failure::Failed(NO_SPIRE.into()))
    }

    /// What is of a kind that the operator's own programs know is left for them in a folder, as JSON.
    fn ensure_host(&self, resource: &HostResource, value: Option<Secret>) -> Result<(), Failure> {
        let Some(folder) = &self.resources else { return Err(no_folder()) };
        block_in_place(|| folder.ensure(resource, value.as_ref()))
    }

    fn delete_host(&self, kind: &ResourceKind, name: &ResourceName) -> Result<(), Failure> {
        let Some(folder) = &self.resources else { return Err(no_folder()) };
        block_in_place(|| folder.delete(kind, name))
    }

    /// A folder of manifests has no objects of nodes, which the cluster makes itself.
    async fn delete_node(&self, name: &NodeName) -> Result<(), Failure> {
        match self.cluster.as_ref().ok_or_else(no_cluster)? {
            Cluster::Files(_) => {
                tracing::info!(%name, "the node's object is to be deleted in the cluster: kubectl delete node");
                Ok(())
            }
            #[cfg(feature = "kubernetes")]
            Cluster::Kubernetes(cluster) => cluster.delete_node(name.as_str()).await,
        }
    }

    async fn describe(
        &self,
        instance: &InstanceId,
        account: &AccountId,
        region: &Region,
    ) -> Result<Description, Failure> {
        let nobody = || Failure::Failed("nobody confirms instances (ec2, or instances)".into());
        let description = match self.cloud.as_ref().ok_or_else(nobody)? {
            Cloud::File(file) => file.describe(instance),
            #[cfg(feature = "ec2")]
            Cloud::Ec2(ec2) => ec2.describe(instance, region).await,
        }?;
        if description.account != *account || description.region != *region {
            tracing::warn!("{instance} is not in the account and region that its event named");
        }
        Ok(description)
    }

    async fn ensure(&self, manifest: &BootstrapSecret) -> Result<(), Failure> {
        match self.cluster.as_ref().ok_or_else(no_cluster)? {
            Cluster::Files(files) => block_in_place(|| files.ensure(manifest)),
            #[cfg(feature = "kubernetes")]
            Cluster::Kubernetes(cluster) => cluster.ensure(manifest).await,
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        match self.cluster.as_ref().ok_or_else(no_cluster)? {
            Cluster::Files(files) => block_in_place(|| files.delete(name)),
            #[cfg(feature = "kubernetes")]
            Cluster::Kubernetes(cluster) => cluster.delete(name).await,
        }
    }

    /// Where nodes are sent.
    pub(crate) async fn cluster_info(&self) -> Result<ClusterInfo, String> {
        self.info.get(self.ask_cluster_info()).await
    }

    async fn ask_cluster_info(&self) -> Result<ClusterInfo, String> {
        let text = match self.cluster.as_ref().ok_or(NO_CLUSTER)? {
            Cluster::Files(files) => files.cluster_info(),
            #[cfg(feature = "kubernetes")]
            Cluster::Kubernetes(cluster) => cluster.cluster_info().await,
        }?;
        ClusterInfo::from_config_map(&text).map_err(|error| error.to_string())
    }

    /// By what agents know the SPIRE server.
    pub(crate) async fn spire_bundle(&self, now: Timestamp) -> Result<Bundle, String> {
        self.bundle.get(self.ask_bundle(now)).await
    }

    #[cfg(feature = "spire")]
    async fn ask_bundle(&self, now: Timestamp) -> Result<Bundle, String> {
        self.spire.as_ref().ok_or(NO_SPIRE)?.bundle(now).await
    }

    #[cfg(not(feature = "spire"))]
    async fn ask_bundle(&self, _: Timestamp) -> Result<Bundle, String> {
        Err(NO_SPIRE.into())
    }
}

const NO_CLUSTER: &str = "this host has no cluster (kubeconfig, or manifests and cluster_info)";
const NO_SPIRE: &str = "this host has no SPIRE server (spire_socket)";
const NO_FOLDER: &str = "this host has no folder for resources of its operator's kinds (resources)";

fn no_folder() -> Failure {
    Failure::Failed(NO_FOLDER.into())
}

fn no_cluster() -> Failure {
    Failure::Failed(NO_CLUSTER.into())
}

/// How long an effect may take; well within its lease.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
