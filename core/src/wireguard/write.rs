//! The text of `wg-quick`, in one spelling.

use std::fmt::{self, Display, Write as _};

use super::{Interface, Peer};
use crate::{limits, secret::Secret};

pub(super) fn write(interface: &Interface, peers: &[Peer]) -> Secret {
    // Room for any configuration that is allowed, so that no copy of a key is left behind by growing.
    let mut text = String::with_capacity(limits::WIREGUARD_CONFIG_BYTES);
    write_interface(&mut text, interface);
    for peer in peers {
        write_peer(&mut text, peer);
    }
    Secret::new(text)
}

fn write_interface(text: &mut String, interface: &Interface) {
    text.push_str("[Interface]\nPrivateKey = ");
    interface.private_key.write_to(text);
    text.push('\n');
    list(text, "Address", &interface.addresses);
    list(text, "DNS", &interface.dns);
    value(text, "ListenPort", interface.listen_port);
    value(text, "MTU", interface.mtu);
}

fn write_peer(text: &mut String, peer: &Peer) {
    text.push_str("\n[Peer]\n");
    value(text, "PublicKey", Some(peer.public_key));
    if let Some(key) = &peer.preshared_key {
        text.push_str("PresharedKey = ");
        key.write_to(text);
        text.push('\n');
    }
    list(text, "AllowedIPs", &peer.allowed_ips);
    value(text, "Endpoint", peer.endpoint.as_ref());
    value(text, "PersistentKeepalive", peer.persistent_keepalive);
}

fn value(text: &mut String, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        line(text, format_args!("{key} = {value}"));
    }
}

fn list(text: &mut String, key: &str, items: &[impl Display]) {
    for (place, item) in items.iter().enumerate() {
        let before = if place == 0 { format_args!("{key} = ") } else { format_args!(", ") };
        let _ = write!(text, "{before}{item}");
    }
    if !items.is_empty() {
        text.push('\n');
    }
}

/// A String takes any text.
fn line(text: &mut String, content: fmt::Arguments<'_>) {
    let _ = writeln!(text, "{content}");
}
