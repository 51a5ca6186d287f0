//! What an interface is, and whom it talks to.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{Endpoint, Host, PresharedKey, PrivateKey, PublicKey, WireGuardError, read, write};
use crate::{limits, secret::Secret};

/// The section `[Interface]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `PrivateKey`: who the node is.
    pub private_key: PrivateKey,
    /// `Address`: its addresses within the network, each with the length of its prefix.
    pub addresses: Vec<IpNet>,
    /// `DNS`: servers, and domains to search.
    pub dns: Vec<Host>,
    /// `ListenPort`: the UDP port; any when left out.
    pub listen_port: Option<u16>,
    /// `MTU` in bytes, at least [`limits::WIREGUARD_MTU_MIN`]; found out when left out.
    pub mtu: Option<u16>,
}

impl Interface {
    /// An interface of which nothing but the key is said.
    #[must_use]
    pub fn new(private_key: PrivateKey) -> Self {
        Self { private_key, addresses: Vec::new(), dns: Vec::new(), listen_port: None, mtu: None }
    }
}

/// A section `[Peer]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `PublicKey`: who the peer is.
    pub public_key: PublicKey,
    /// `PresharedKey`: a secret shared with this peer alone.
    pub preshared_key: Option<PresharedKey>,
    /// `AllowedIPs`: what is sent to the peer, and what it may send from. `0.0.0.0/0` gives it everything.
    pub allowed_ips: Vec<IpNet>,
    /// `Endpoint`: where it is reached; where it was last heard from when left out.
    pub endpoint: Option<Endpoint>,
    /// `PersistentKeepalive` in seconds, never 0; off when left out.
    pub persistent_keepalive: Option<u16>,
}

impl Peer {
    /// A peer to which nothing is sent yet.
    #[must_use]
    pub fn new(public_key: PublicKey) -> Self {
        Self {
            public_key,
            preshared_key: None,
            allowed_ips: Vec::new(),
            endpoint: None,
            persistent_keepalive: None,
        }
    }
}

/// The configuration of one interface. Its parts fit together: no peer is there twice or is the node itself, and no
/// network belongs to two peers, of which only the last would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    interface: Interface,
    peers: Vec<Peer>,
}

impl Config {
    /// Puts a configuration together. Networks in `allowed_ips` lose the bits beyond their prefix, as in WireGuard itself.
    ///
    /// # Errors
    /// `wireguard_malformed_config`; `too_large` if its text would be.
    pub fn new(interface: Interface, peers: Vec<Peer>) -> Result<Self, WireGuardError> {
        let peers = peers.into_iter().map(truncated).collect();
        let config = Self { interface, peers };
        config.check()?;
        let limit = limits::WIREGUARD_CONFIG_BYTES;
        let fits = config.to_secret().expose().len() <= limit;
        if fits { Ok(config) } else { Err(WireGuardError::TooLarge { limit }) }
    }

    /// Reads the format of `wg-quick(8)`: names of keys and sections in either case, comments after `#`, lists with
    /// commas. The text is the caller's to wipe.
    ///
    /// # Errors
    /// `wireguard_command` for `PreUp`, `PostUp`, `PreDown` and `PostDown`; `wireguard_malformed_key`,
    /// `wireguard_malformed_config`; `too_large` beyond [`limits::WIREGUARD_CONFIG_BYTES`].
    pub fn parse(text: &str) -> Result<Self, WireGuardError> {
        read::read(text)
    }

    /// The node itself.
    #[must_use]
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// Whom it talks to.
    #[must_use]
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// The text for `wg-quick`, in one spelling; the file belongs to root alone (mode 0600).
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        write::write(&self.interface, &self.peers)
    }

    fn check(&self) -> Result<(), WireGuardError> {
        let unusable = |what| Err(WireGuardError::Inconsistent { what });
        if self.interface.mtu.is_some_and(|mtu| mtu < limits::WIREGUARD_MTU_MIN) {
            return unusable("MTU below 576");
        }
        let mut keys = BTreeSet::from([self.interface.private_key.public_key()]);
        let mut networks = BTreeSet::new();
        for peer in &self.peers {
            if !keys.insert(peer.public_key) {
                return unusable("a peer is there twice, or is the node itself");
            }
            if peer.persistent_keepalive == Some(0) {
                return unusable("PersistentKeepalive of 0: leave it out");
            }
            if !peer.allowed_ips.iter().all(|network| networks.insert(*network)) {
                return unusable("a network is allowed twice: only the last peer would get it");
            }
        }
        Ok(())
    }
}

fn truncated(mut peer: Peer) -> Peer {
    peer.allowed_ips.iter_mut().for_each(|network| *network = network.trunc());
    peer
}
