//! The text of `wg-quick`, read strictly.

use std::str::FromStr;

use ipnet::IpNet;

use super::{
    Config, Endpoint, Host, Interface, Peer, PresharedKey, PrivateKey, PublicKey, WireGuardError,
    host::{network, number},
};
use crate::limits;

/// What is wrong with a line.
enum Problem {
    /// It is not of the format.
    Malformed(&'static str),
    /// It is a command.
    Command,
}

impl From<WireGuardError> for Problem {
    fn from(error: WireGuardError) -> Self {
        match error {
            WireGuardError::MalformedKey { what }
            | WireGuardError::MalformedHost { what }
            | WireGuardError::MalformedLine { what, .. }
            | WireGuardError::Inconsistent { what } => Self::Malformed(what),
            WireGuardError::Command { .. } => Self::Command,
            WireGuardError::TooLarge { .. } => Self::Malformed("too long"),
        }
    }
}

type Step = Result<(), Problem>;

pub(super) fn read(text: &str) -> Result<Config, WireGuardError> {
    let limit = limits::WIREGUARD_CONFIG_BYTES;
    if text.len() > limit {
        return Err(WireGuardError::TooLarge { limit });
    }
    let mut draft = Draft::default();
    for (index, text) in text.lines().enumerate() {
        let line = index.saturating_add(1);
        draft.line(text).map_err(|problem| match problem {
            Problem::Malformed(what) => WireGuardError::MalformedLine { line, what },
            Problem::Command => WireGuardError::Command { line },
        })?;
    }
    draft.finish()
}

/// The section that the next line belongs to.
#[derive(Default)]
enum Section {
    #[default]
    None,
    Interface,
    Peer,
}

#[derive(Default)]
struct Draft {
    section: Section,
    interface: Option<InterfaceDraft>,
    peers: Vec<PeerDraft>,
}

#[derive(Default)]
struct InterfaceDraft {
    private_key: Option<PrivateKey>,
    addresses: Vec<IpNet>,
    dns: Vec<Host>,
    listen_port: Option<u16>,
    mtu: Option<u16>,
}

#[derive(Default)]
struct PeerDraft {
    public_key: Option<PublicKey>,
    preshared_key: Option<PresharedKey>,
    allowed_ips: Vec<IpNet>,
    endpoint: Option<Endpoint>,
    /// Given; and then, whether it is on.
    persistent_keepalive: Option<Option<u16>>,
}

impl Draft {
    fn line(&mut self, line: &str) -> Step {
        if line.chars().any(|character| character.is_control() && character != '\t') {
            return Err(Problem::Malformed("a control character"));
        }
        let (meant, _) = line.split_once('#').unwrap_or((line, ""));
        let meant = meant.trim_ascii();
        if meant.is_empty() {
            return Ok(());
        }
        if meant.starts_with('[') {
            return self.section(meant);
        }
        let (key, value) = meant.split_once('=').ok_or(Problem::Malformed("expected key = value"))?;
        let (key, value) = (key.trim_ascii().to_ascii_lowercase(), value.trim_ascii());
        match (&self.section, &mut self.interface, self.peers.last_mut()) {
            (Section::Interface, Some(interface), _) => interface.set(&key, value),
            (Section::Peer, _, Some(peer)) => peer.set(&key, value),
            (Section::None | Section::Interface | Section::Peer, _, _) => {
                Err(Problem::Malformed("expected a section first"))
            }
        }
    }

    fn section(&mut self, name: &str) -> Step {
        if name.eq_ignore_ascii_case("[interface]") {
            self.section = Section::Interface;
            set(&mut self.interface, InterfaceDraft::default())
        } else if name.eq_ignore_ascii_case("[peer]") {
            self.section = Section::Peer;
            self.peers.push(PeerDraft::default());
            Ok(())
        } else {
            Err(Problem::Malformed("expected the section [Interface] or [Peer]"))
        }
    }

    fn finish(self) -> Result<Config, WireGuardError> {
        let missing = |what| WireGuardError::Inconsistent { what };
        let interface = self.interface.ok_or(missing("no section [Interface]"))?;
        let interface = Interface {
            private_key: interface.private_key.ok_or(missing("no PrivateKey"))?,
            addresses: interface.addresses,
            dns: interface.dns,
            listen_port: interface.listen_port,
            mtu: interface.mtu,
        };
        let peers = self.peers.into_iter().map(|peer| {
            Ok(Peer {
                public_key: peer.public_key.ok_or(missing("a peer without PublicKey"))?,
                preshared_key: peer.preshared_key,
                allowed_ips: peer.allowed_ips,
                endpoint: peer.endpoint,
                persistent_keepalive: peer.persistent_keepalive.flatten(),
            })
        });
        Config::new(interface, peers.collect::<Result<_, _>>()?)
    }
}

impl InterfaceDraft {
    fn set(&mut self, key: &str, value: &str) -> Step {
        match key {
            "privatekey" => set(&mut self.private_key, value.parse()?),
            "address" => add(&mut self.addresses, value, |item| Ok(network(item)?)),
            "dns" => add(&mut self.dns, value, |item| Ok(Host::from_str(item)?)),
            "listenport" => set(&mut self.listen_port, whole(value)?),
            "mtu" => set(&mut self.mtu, whole(value)?),
            "preup" | "postup" | "predown" | "postdown" => Err(Problem::Command),
            _ => Err(Problem::Malformed("expected PrivateKey, Address, DNS, ListenPort or MTU")),
        }
    }
}

impl PeerDraft {
    fn set(&mut self, key: &str, value: &str) -> Step {
        match key {
            "publickey" => set(&mut self.public_key, value.parse()?),
            "presharedkey" => set(&mut self.preshared_key, value.parse()?),
            "allowedips" if value.is_empty() => Ok(()),
            "allowedips" => add(&mut self.allowed_ips, value, |item| Ok(network(item)?)),
            "endpoint" => set(&mut self.endpoint, value.parse()?),
            "persistentkeepalive" => set(&mut self.persistent_keepalive, keepalive(value)?),
            _ => Err(Problem::Malformed(
                "expected PublicKey, PresharedKey, AllowedIPs, Endpoint or PersistentKeepalive",
            )),
        }
    }
}

/// A value that may be there once.
fn set<T>(place: &mut Option<T>, value: T) -> Step {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::Malformed("given twice")),
    }
}

/// A list, which further lines of the same key make longer.
fn add<T>(list: &mut Vec<T>, value: &str, read: fn(&str) -> Result<T, Problem>) -> Step {
    for item in value.split(',') {
        list.push(read(item.trim_ascii())?);
    }
    Ok(())
}

fn whole(text: &str) -> Result<u16, Problem> {
    number(text).ok_or(Problem::Malformed("expected a number up to 65535"))
}

fn keepalive(text: &str) -> Result<Option<u16>, Problem> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    Ok(Some(whole(text)?).filter(|seconds| *seconds != 0))
}
