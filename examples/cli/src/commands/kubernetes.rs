//! `handfast kubernetes`: what a node needs to join a cluster.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use handfast::{
    crypto::default_backend,
    kubernetes::{BootstrapSecret, BootstrapToken, CaPin, ClusterInfo, KubernetesError},
};
use serde_json::json;

use crate::{
    clock,
    failure::Failure,
    input::{self, Input},
    output::{self, Out},
};

/// What a node needs to join a cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum Kubernetes {
    /// Make a bootstrap token
    Token(Token),
    /// Write the Secret that makes a bootstrap token work
    Secret(Secret),
    /// Pin the certificate authority of a certificate, as kubeadm takes it
    Pin(Input),
    /// Write the kubeconfig that a node joins with
    Kubeconfig(Kubeconfig),
}

impl Kubernetes {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Token(token) => token.run(),
            Self::Secret(secret) => secret.run(),
            Self::Pin(input) => {
                let certificate = input.text()?;
                let pin = CaPin::of_certificate(&*default_backend(), certificate.expose().as_bytes());
                output::print(&json!({ "pin": pin.map_err(failed)? }))
            }
            Self::Kubeconfig(kubeconfig) => kubeconfig.run(),
        }
    }
}

/// A new bootstrap token.
#[derive(Args, Debug)]
pub(crate) struct Token {
    #[command(flatten)]
    out: Out,
}

impl Token {
    fn run(&self) -> Result<(), Failure> {
        let token = BootstrapToken::generate(&mut rand::rng());
        output::print(&json!({
            "token": self.out.give(&token.to_secret())?,
            "id": token.id(),
            "secret_name": token.id().secret_name(),
        }))
    }
}

/// The manifest for `kubectl apply`.
#[derive(Args, Debug)]
pub(crate) struct Secret {
    #[command(flatten)]
    token: Input,
    /// Seconds until it expires
    #[arg(long, default_value_t = 15 * 60, value_parser = clap::value_parser!(u32).range(1..))]
    ttl_seconds: u32,
    /// Whose object it is
    #[arg(long, default_value = "handfast")]
    owner: String,
    #[command(flatten)]
    out: Out,
}

impl Secret {
    fn run(&self) -> Result<(), Failure> {
        let token: BootstrapToken = self.token.text()?.expose().parse().map_err(failed)?;
        let expires_at = clock::now().plus_seconds(self.ttl_seconds);
        let secret = BootstrapSecret::new(token, expires_at, self.owner.parse().map_err(failed)?);
        let manifest = self.out.give(&secret.to_yaml())?;
        output::print(&json!({ "name": secret.name(), "expires_at": expires_at, "manifest": manifest }))
    }
}

/// A kubeconfig with a bootstrap token in it. Who published the cluster-info is proven by its signature under the token, or by a pin.
#[derive(Args, Debug)]
pub(crate) struct Kubeconfig {
    /// The cluster-info ConfigMap, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    cluster_info: PathBuf,
    /// The file that holds the bootstrap token; - for standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The pin of the cluster's authority, instead of a signature under the token; may be repeated
    #[arg(long)]
    pin: Vec<CaPin>,
    #[command(flatten)]
    out: Out,
}

impl Kubeconfig {
    fn run(&self) -> Result<(), Failure> {
        let token: BootstrapToken =
            input::secret(&self.token_file, "--token-file")?.expose().parse().map_err(failed)?;
        let document = input::secret(&self.cluster_info, "--cluster-info")?;
        let (cluster, backend) =
            (ClusterInfo::from_config_map(document.expose()).map_err(failed)?, default_backend());
        let cluster = if self.pin.is_empty() {
            cluster.verify(&*backend, &token)
        } else {
            cluster.verify_pinned(&*backend, &self.pin)
        };
        let kubeconfig = cluster.map_err(failed)?.kubeconfig(&token);
        output::print(&json!({ "kubeconfig": self.out.give(&kubeconfig)? }))
    }
}

fn failed(error: KubernetesError) -> Failure {
    Failure::coded(error.code(), error)
}
