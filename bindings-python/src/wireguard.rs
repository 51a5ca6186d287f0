//! WireGuard's keys, and the configuration of an interface.

use handfast::wireguard::{self, PresharedKey, PrivateKey, WireGuardError, network};
use pyo3::{exceptions::PyTypeError, prelude::*};

use crate::{
    error::Raise,
    secret::{Secret, exposed},
    system,
};

/// The private half of an X25519 key. It shows only its public half.
#[pyclass(frozen, module = "handfast.wireguard")]
pub(crate) struct WireguardKey(PrivateKey);

#[pymethods]
impl WireguardKey {
    /// Read a key as `wg` writes it, from a text or a `Secret`.
    #[new]
    #[pyo3(signature = (key, /))]
    fn new(key: &Bound<'_, PyAny>) -> PyResult<Self> {
        exposed(key, "key")?.parse().map(Self).map_err(|error: WireGuardError| error.raise())
    }

    /// A new key, from the system's entropy.
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        Ok(Self(PrivateKey::generate(&mut system::entropy()?)))
    }

    /// The public half, which the other peers are told.
    #[getter]
    fn public_key(&self) -> String {
        self.0.public_key().to_string()
    }

    /// The key as `wg` writes it.
    fn to_secret(&self) -> Secret {
        self.0.to_secret().into()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.wireguard.PrivateKey of {}>", self.0.public_key())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a PrivateKey cannot be pickled"))
    }
}

/// A key that two peers share besides their own, from the system's entropy.
#[pyfunction]
pub(crate) fn generate_preshared_key() -> PyResult<Secret> {
    Ok(PresharedKey::generate(&mut system::entropy()?).to_secret().into())
}

/// Whom an interface talks to: a section `[Peer]`.
#[pyclass(frozen, module = "handfast.wireguard")]
pub(crate) struct WireguardPeer(wireguard::Peer);

#[pymethods]
impl WireguardPeer {
    /// A peer, by its public key. Networks are texts like `10.0.0.0/24`, the endpoint is `host:port`.
    #[new]
    #[pyo3(signature = (public_key, /, *, allowed_ips=Vec::new(), endpoint=None, preshared_key=None, persistent_keepalive=None))]
    fn new(
        public_key: &str,
        allowed_ips: Vec<String>,
        endpoint: Option<&str>,
        preshared_key: Option<&Bound<'_, PyAny>>,
        persistent_keepalive: Option<u16>,
    ) -> PyResult<Self> {
        let preshared_key = preshared_key.map(|key| exposed(key, "preshared_key")).transpose()?;
        let read = || {
            Ok(wireguard::Peer {
                public_key: public_key.parse()?,
                preshared_key: preshared_key.map(str::parse).transpose()?,
                allowed_ips: allowed_ips.iter().map(|text| network(text)).collect::<Result<_, _>>()?,
                endpoint: endpoint.map(str::parse).transpose()?,
                persistent_keepalive,
            })
        };
        read().map(Self).map_err(|error: WireGuardError| error.raise())
    }

    /// Who the peer is.
    #[getter]
    fn public_key(&self) -> String {
        self.0.public_key.to_string()
    }

    /// What is sent to the peer, and what it may send from.
    #[getter]
    fn allowed_ips(&self) -> Vec<String> {
        texts(&self.0.allowed_ips)
    }

    /// Where it is reached.
    #[getter]
    fn endpoint(&self) -> Option<String> {
        self.0.endpoint.as_ref().map(ToString::to_string)
    }

    /// A secret shared with this peer alone.
    #[getter]
    fn preshared_key(&self) -> Option<Secret> {
        self.0.preshared_key.as_ref().map(|key| key.to_secret().into())
    }

    /// Seconds.
    #[getter]
    fn persistent_keepalive(&self) -> Option<u16> {
        self.0.persistent_keepalive
    }

    fn __repr__(&self) -> String {
        format!("<handfast.wireguard.Peer {}>", self.0.public_key)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Peer cannot be pickled"))
    }
}

/// The configuration of one interface, as `wg-quick` reads it.
#[pyclass(frozen, module = "handfast.wireguard")]
pub(crate) struct WireguardConfig(wireguard::Config);

#[pymethods]
impl WireguardConfig {
    /// Put a configuration together.
    #[new]
    #[pyo3(signature = (private_key, /, *, addresses=Vec::new(), dns=Vec::new(), listen_port=None, mtu=None, peers=Vec::new()))]
    fn new(
        private_key: &WireguardKey,
        addresses: Vec<String>,
        dns: Vec<String>,
        listen_port: Option<u16>,
        mtu: Option<u16>,
        peers: Vec<PyRef<'_, WireguardPeer>>,
    ) -> PyResult<Self> {
        let read = || {
            let interface = wireguard::Interface {
                private_key: private_key.0.clone(),
                addresses: addresses.iter().map(|text| network(text)).collect::<Result<_, _>>()?,
                dns: dns.iter().map(|host| host.parse()).collect::<Result<_, _>>()?,
                listen_port,
                mtu,
            };
            wireguard::Config::new(interface, peers.iter().map(|peer| peer.0.clone()).collect())
        };
        read().map(Self).map_err(Raise::raise)
    }

    /// Read the format of `wg-quick` strictly: one with a command in it is refused.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn parse(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        wireguard::Config::parse(exposed(text, "text")?).map(Self).map_err(Raise::raise)
    }

    /// Who the node is.
    #[getter]
    fn private_key(&self) -> WireguardKey {
        WireguardKey(self.0.interface().private_key.clone())
    }

    /// Its addresses within the network.
    #[getter]
    fn addresses(&self) -> Vec<String> {
        texts(&self.0.interface().addresses)
    }

    /// Servers, and domains to search.
    #[getter]
    fn dns(&self) -> Vec<String> {
        texts(&self.0.interface().dns)
    }

    /// The UDP port.
    #[getter]
    fn listen_port(&self) -> Option<u16> {
        self.0.interface().listen_port
    }

    /// Bytes.
    #[getter]
    fn mtu(&self) -> Option<u16> {
        self.0.interface().mtu
    }

    /// Whom it talks to.
    #[getter]
    fn peers(&self) -> Vec<WireguardPeer> {
        self.0.peers().iter().cloned().map(WireguardPeer).collect()
    }

    /// The text for `wg-quick`.
    fn to_secret(&self) -> Secret {
        self.0.to_secret().into()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.wireguard.Config of {}>", self.0.interface().private_key.public_key())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Config cannot be pickled"))
    }
}

fn texts(list: &[impl ToString]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
