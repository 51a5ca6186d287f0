//! Names and addresses of hosts.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;

use super::WireGuardError;

/// A host name or a domain: labels of letters, digits and hyphens (RFC 1123 section 2.1), 253 bytes at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Box<str>);

impl HostName {
    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = WireGuardError;

    /// A name of digits only is refused: resolvers take `10.1` for an address.
    fn from_str(text: &str) -> Result<Self, WireGuardError> {
        let fits = matches!(text.len(), 1..=253)
            && text.split('.').all(is_label)
            && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(WireGuardError::MalformedHost { what: "expected an address or the name of a host" })
        }
    }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    matches!(text.len(), 1..=63) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// A host, by address or by name. In `DNS`, an address is a server and a name is a domain to search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// By its address.
    Address(IpAddr),
    /// By its name.
    Name(HostName),
}

impl FromStr for Host {
    type Err = WireGuardError;

    fn from_str(text: &str) -> Result<Self, WireGuardError> {
        match text.parse() {
            Ok(address) => Ok(Self::Address(address)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Name(name) => formatter.write_str(&name.0),
        }
    }
}

/// Where a peer is reached: a host and a UDP port, `host:port` or `[address]:port`. A name is looked up by the node, once, when the
/// interface comes up: whoever answers for it learns that the node is there, and cannot do more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

impl Endpoint {
    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = WireGuardError;

    fn from_str(text: &str) -> Result<Self, WireGuardError> {
        let malformed = WireGuardError::MalformedHost { what: "expected host:port or [address]:port" };
        let (host, port) = text.rsplit_once(':').ok_or(malformed)?;
        let port = number(port).filter(|port| *port != 0).ok_or(malformed)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => Host::Address(inner.parse::<Ipv6Addr>().map_err(|_| malformed)?.into()),
            None if host.contains(':') => return Err(malformed),
            None => host.parse()?,
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]:{}", self.port),
            host @ (Host::Address(IpAddr::V4(_)) | Host::Name(_)) => {
                write!(formatter, "{host}:{}", self.port)
            }
        }
    }
}

/// An address with the length of its prefix, `10.0.0.2/24`; without one it is a network of its own.
///
/// # Errors
/// `wireguard_malformed_config`.
pub fn network(text: &str) -> Result<IpNet, WireGuardError> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let what = "expected addresses, each with the length of its prefix";
    network.ok_or(WireGuardError::MalformedHost { what })
}

/// A decimal number in its one spelling: digits, no sign, no leading zero.
pub(super) fn number(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
