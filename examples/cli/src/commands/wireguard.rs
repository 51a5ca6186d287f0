//! `handfast wireguard`: keys and configurations.

use clap::{Args, Subcommand};
use handfast::wireguard::{Config, Peer, PresharedKey, PrivateKey, WireGuardError};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    input::Input,
    output::{self, Out},
};

/// WireGuard's keys and configurations.
#[derive(Debug, Subcommand)]
pub(crate) enum WireGuard {
    /// Make a private key
    Key(Made),
    /// Make a secret for two peers alone
    PresharedKey(Made),
    /// Say which public key a private key has
    PublicKey(Input),
    /// Read a configuration strictly, and show it without its secrets
    Inspect(Input),
}

impl WireGuard {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Key(made) => {
                let key = PrivateKey::generate(&mut rand::rng());
                let secret = made.out.give(&key.to_secret())?;
                output::print(&json!({ "private_key": secret, "public_key": key.public_key().to_string() }))
            }
            Self::PresharedKey(made) => {
                let key = PresharedKey::generate(&mut rand::rng());
                output::print(&json!({ "preshared_key": made.out.give(&key.to_secret())? }))
            }
            Self::PublicKey(input) => {
                let key: PrivateKey = input.text()?.expose().parse().map_err(failed)?;
                output::print(&json!({ "public_key": key.public_key().to_string() }))
            }
            Self::Inspect(input) => {
                let config = Config::parse(input.text()?.expose()).map_err(failed)?;
                output::print(&shown(&config))
            }
        }
    }
}

/// A key that is made.
#[derive(Args, Debug)]
pub(crate) struct Made {
    #[command(flatten)]
    out: Out,
}

fn shown(config: &Config) -> Value {
    let interface = config.interface();
    let dns: Vec<_> = interface.dns.iter().map(ToString::to_string).collect();
    json!({
        "public_key": interface.private_key.public_key().to_string(),
        "addresses": interface.addresses,
        "dns": dns,
        "listen_port": interface.listen_port,
        "mtu": interface.mtu,
        "peers": config.peers().iter().map(peer).collect::<Vec<_>>(),
    })
}

fn peer(peer: &Peer) -> Value {
    json!({
        "public_key": peer.public_key.to_string(),
        "has_preshared_key": peer.preshared_key.is_some(),
        "allowed_ips": peer.allowed_ips,
        "endpoint": peer.endpoint.as_ref().map(ToString::to_string),
        "persistent_keepalive": peer.persistent_keepalive,
    })
}

fn failed(error: WireGuardError) -> Failure {
    Failure::coded(error.code(), error)
}
