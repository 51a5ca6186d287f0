//! What a Kubernetes node needs to join: a bootstrap token, its Secret, and a kubeconfig that `kubeadm join` takes.
//!
//! ```text
//! BootstrapToken --BootstrapSecret--> manifest for the API server   (the token begins to work)
//! cluster-info ConfigMap --ClusterInfo--> kubeconfig with the token (what the node gets)
//! ```
//!
//! A bootstrap token is a bearer secret that works for as many nodes as present it until it expires or its Secret is
//! deleted ("Authenticating with Bootstrap Tokens", kubernetes.io). So: one token for one node, minutes of life, and
//! the Secret deleted as soon as the node has joined. Here are only formats; when what is issued is the registrar's.

mod cluster_info;
mod error;
mod jws;
mod labels;
mod pin;
mod secret;
mod token;
mod yaml;

pub use self::{
    cluster_info::ClusterInfo,
    error::KubernetesError,
    jws::{sign_detached, verify_detached},
    labels::{LabelKey, LabelValue},
    pin::CaPin,
    secret::{BootstrapGroup, BootstrapSecret},
    token::{BootstrapToken, TokenId},
};
