//! Who sent a request: the address that proves an instance.
//!
//! `X-Forwarded-For` is written by whoever sends it, so it counts only as far as trusted proxies wrote it: from the
//! right, the first address that is not a trusted proxy's is the sender.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The address of the sender, or `None` where a trusted proxy did not name one that can be read.
pub(crate) fn sender(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_proxy = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !is_proxy(&peer) {
        return Some(peer);
    }
    let mut hops = Vec::new();
    for header in headers.get_all("x-forwarded-for") {
        hops.extend(header.to_str().ok()?.split(',').map(str::trim));
    }
    for hop in hops.iter().rev() {
        let address = hop.parse::<IpAddr>().ok()?.to_canonical();
        if !is_proxy(&address) {
            return Some(address);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        sender(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn a_stranger_cannot_name_another_address() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"]).unwrap(), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, 192.0.2.1"]).unwrap(), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7", "192.0.2.1, 10.9.9.9"]).unwrap(), "192.0.2.1");
    }

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(from("::ffff:192.0.2.1", &[]).unwrap(), "192.0.2.1");
        assert_eq!(from("::ffff:10.0.0.1", &["::ffff:192.0.2.1"]).unwrap(), "192.0.2.1");
    }

    #[test]
    fn what_a_proxy_did_not_say_is_nobody() {
        for forwarded in [&[][..], &["unknown"], &["192.0.2.1, "], &["192.0.2.1:80"], &["10.0.0.2"]] {
            assert_eq!(from("10.0.0.1", forwarded), None, "{forwarded:?}");
        }
    }
}
