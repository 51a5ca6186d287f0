//! WireGuard's keys, and the configuration of an interface.

use handfast::wireguard::{self, PresharedKey, PrivateKey, WireGuardError, network};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::{
    error::{Result, Throw, invalid},
    secret::{Secret, Text, exposed},
    system,
};

/// The private half of an X25519 key.
#[napi]
pub struct WireguardKey(PrivateKey);

#[napi]
impl WireguardKey {
    /// Reads a key as `wg` writes it.
    #[napi(factory)]
    pub fn parse(key: Text<'_>) -> Result<Self> {
        exposed(&key).parse().map(Self).map_err(|error: WireGuardError| error.throw())
    }

    /// Draws a new one.
    #[napi(factory)]
    pub fn generate() -> Result<Self> {
        Ok(Self(PrivateKey::generate(&mut system::entropy()?)))
    }

    /// The public half.
    #[napi(getter)]
    pub fn public_key(&self) -> String {
        self.0.public_key().to_string()
    }

    /// The key as `wg` writes it.
    #[napi]
    pub fn to_secret(&self) -> Secret {
        self.0.to_secret().into()
    }
}

/// A key that two peers share besides their own.
#[napi]
pub fn generate_preshared_key() -> Result<Secret> {
    Ok(PresharedKey::generate(&mut system::entropy()?).to_secret().into())
}

/// Whom an interface talks to.
#[napi]
pub struct WireguardPeer(wireguard::Peer);

/// What a peer is, besides its keys.
#[napi(object, object_to_js = false)]
pub struct PeerOptions {
    /// Networks.
    pub allowed_ips: Vec<String>,
    /// `host:port`.
    pub endpoint: Option<String>,
    /// Seconds.
    pub persistent_keepalive: Option<f64>,
}

#[napi]
impl WireguardPeer {
    /// Puts a peer together.
    #[napi(constructor)]
    pub fn new(public_key: String, preshared_key: Option<Text<'_>>, options: PeerOptions) -> Result<Self> {
        let persistent_keepalive = number(options.persistent_keepalive, "persistentKeepalive")?;
        let read = || {
            Ok(wireguard::Peer {
                public_key: public_key.parse()?,
                preshared_key: preshared_key.as_ref().map(|key| exposed(key).parse()).transpose()?,
                allowed_ips: options
                    .allowed_ips
                    .iter()
                    .map(|text| network(text))
                    .collect::<std::result::Result<_, _>>()?,
                endpoint: options.endpoint.as_deref().map(str::parse).transpose()?,
                persistent_keepalive,
            })
        };
        read().map(Self).map_err(|error: WireGuardError| error.throw())
    }

    /// Who the peer is.
    #[napi(getter)]
    pub fn public_key(&self) -> String {
        self.0.public_key.to_string()
    }

    /// What is sent to it, and what it may send from.
    #[napi(getter)]
    pub fn allowed_ips(&self) -> Vec<String> {
        texts(&self.0.allowed_ips)
    }

    /// Where it is reached.
    #[napi(getter)]
    pub fn endpoint(&self) -> Option<String> {
        self.0.endpoint.as_ref().map(ToString::to_string)
    }

    /// A secret shared with it alone.
    #[napi(getter)]
    pub fn preshared_key(&self) -> Option<Secret> {
        self.0.preshared_key.as_ref().map(|key| key.to_secret().into())
    }

    /// Seconds.
    #[napi(getter)]
    pub fn persistent_keepalive(&self) -> Option<u16> {
        self.0.persistent_keepalive
    }
}

/// The configuration of one interface.
#[napi]
pub struct WireguardConfig(wireguard::Config);

/// What an interface is, besides its key.
#[napi(object, object_to_js = false)]
pub struct InterfaceOptions {
    /// Networks.
    pub addresses: Vec<String>,
    /// Servers and domains.
    pub dns: Vec<String>,
    /// The UDP port.
    pub listen_port: Option<f64>,
    /// Bytes.
    pub mtu: Option<f64>,
}

#[napi]
impl WireguardConfig {
    /// Puts a configuration together.
    #[napi(constructor)]
    pub fn new(
        private_key: &WireguardKey,
        options: InterfaceOptions,
        peers: Vec<ClassInstance<'_, WireguardPeer>>,
    ) -> Result<Self> {
        let (listen_port, mtu) = (number(options.listen_port, "listenPort")?, number(options.mtu, "mtu")?);
        let read = || {
            let interface = wireguard::Interface {
                private_key: private_key.0.clone(),
                addresses: options
                    .addresses
                    .iter()
                    .map(|text| network(text))
                    .collect::<std::result::Result<_, _>>()?,
                dns: options.dns.iter().map(|host| host.parse()).collect::<std::result::Result<_, _>>()?,
                listen_port,
                mtu,
            };
            wireguard::Config::new(interface, peers.iter().map(|peer| peer.0.clone()).collect())
        };
        read().map(Self).map_err(Throw::throw)
    }

    /// Reads the format of `wg-quick`.
    #[napi(factory)]
    pub fn parse(text: Text<'_>) -> Result<Self> {
        wireguard::Config::parse(exposed(&text)).map(Self).map_err(Throw::throw)
    }

    /// Who the node is.
    #[napi(getter)]
    pub fn private_key(&self) -> WireguardKey {
        WireguardKey(self.0.interface().private_key.clone())
    }

    /// Its addresses within the network.
    #[napi(getter)]
    pub fn addresses(&self) -> Vec<String> {
        texts(&self.0.interface().addresses)
    }

    /// Servers, and domains to search.
    #[napi(getter)]
    pub fn dns(&self) -> Vec<String> {
        texts(&self.0.interface().dns)
    }

    /// The UDP port.
    #[napi(getter)]
    pub fn listen_port(&self) -> Option<u16> {
        self.0.interface().listen_port
    }

    /// Bytes.
    #[napi(getter)]
    pub fn mtu(&self) -> Option<u16> {
        self.0.interface().mtu
    }

    /// Whom it talks to.
    #[napi(getter)]
    pub fn peers(&self) -> Vec<WireguardPeer> {
        self.0.peers().iter().cloned().map(WireguardPeer).collect()
    }

    /// The text for `wg-quick`.
    #[napi]
    pub fn to_secret(&self) -> Secret {
        self.0.to_secret().into()
    }
}

fn texts(list: &[impl ToString]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// A number that JavaScript gave, in the 16 bits that the core counts in.
fn number(number: Option<f64>, argument: &str) -> Result<Option<u16>> {
    let narrowed = number.map(|number| number.to_string().parse()).transpose();
    narrowed.map_err(|_| invalid(argument, "expected a whole number up to 65535"))
}
