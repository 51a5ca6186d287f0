//! The URL that a proof is made for.

use std::{fmt, str::FromStr};

use crate::{id::InvalidId, limits};

/// An absolute `https` or `http` URL without user info, query and fragment: the `htu` of RFC 9449. Two are equal when they are so
/// after the only normalisation that everybody agrees on (RFC 3986 sections 6.2.2.1 and 6.2.3): scheme and host in
/// lower case, no default port, and `/` for an empty path. The path is compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetUrl(String);

impl TargetUrl {
    /// The target of a request, whose own URL may have a query and a fragment: they are left out (RFC 9449 section 4.2).
    ///
    /// # Errors
    /// [`InvalidId`], as for a text without them.
    pub fn of_request(url: &str) -> Result<Self, InvalidId> {
        url.split(['?', '#']).next().unwrap_or_default().parse()
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for TargetUrl {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        normalise(text)
            .map(Self)
            .ok_or(InvalidId::new("URL", "https or http, a host, and no user info, query or fragment"))
    }
}

fn normalise(text: &str) -> Option<String> {
    if text.len() > limits::TARGET_URL_BYTES {
        return None;
    }
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match &*scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let (host, port) = host_and_port(authority)?;
    if !is_path(path) {
        return None;
    }
    let port = port.filter(|port| *port != default_port).map(|port| format!(":{port}")).unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{}{port}{path}", host.to_ascii_lowercase()))
}

fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    // The colons of an IPv6 address stand before its bracket.
    let split = authority.rfind(':').filter(|at| !authority.get(*at..).unwrap_or_default().contains(']'));
    let (host, port) = match split {
        Some(at) => (authority.get(..at)?, Some(authority.get(at.checked_add(1)?..)?)),
        None => (authority, None),
    };
    let known = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_host_byte),
    };
    // One spelling: no sign, no leading zero, and no zero.
    let port_known =
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|it| it != 0 && it.to_string() == port));
    (known && port_known).then_some((host, port))
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// `path-abempty` of RFC 3986 section 3.3.
fn is_path(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let known = match byte {
            b'%' => {
                let digits = (bytes.next(), bytes.next());
                [digits.0, digits.1].iter().all(|byte| byte.is_some_and(|byte| byte.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte),
        };
        if !known {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_has_one_form() {
        for (text, normal) in [
            ("https://a.example", "https://a.example/"),
            ("HTTPS://A.Example:443/", "https://a.example/"),
            ("http://a.example:80/x", "http://a.example/x"),
            ("https://a.example:80/x/../Y%2f", "https://a.example:80/x/../Y%2f"),
            ("https://[2001:DB8::1]:8443/api/redeem", "https://[2001:db8::1]:8443/api/redeem"),
            ("https://[::1]/", "https://[::1]/"),
            ("http://127.0.0.1:8080/api//redeem", "http://127.0.0.1:8080/api//redeem"),
        ] {
            assert_eq!(text.parse::<TargetUrl>().map(|url| url.to_string()), Ok(normal.to_owned()), "{text}");
            assert_eq!(normal.parse::<TargetUrl>().map(|url| url.to_string()), Ok(normal.to_owned()));
        }
    }

    #[test]
    fn what_is_no_target() {
        for text in [
            "",
            "a.example/x",
            "//a.example/x",
            "ftp://a.example/",
            "https:///x",
            "https://:443/",
            "https://ann@a.example/",
            "https://a.example@b.example/",
            "https://a.example/?q",
            "https://a.example/#f",
            "https://a.example?q",
            "https://a.example/a b",
            "https://a.example/a\n",
            "https://a.example/%2",
            "https://a.example/%zz",
            "https://a.example\\@b.example/",
            "https://a.example/a\\b",
            "https://a.example:/",
            "https://a.example:0443/",
            "https://a.example:+443/",
            "https://a.example:0/",
            "https://a.example:65536/",
            "https://[::1/",
            "https://::1/",
            "https://[a.example]/",
            "https://ä.example/",
        ] {
            assert!(text.parse::<TargetUrl>().is_err(), "{text}");
        }
        let long = format!("https://a.example/{}", "x".repeat(limits::TARGET_URL_BYTES));
        assert!(long.parse::<TargetUrl>().is_err());
        let request = TargetUrl::of_request("https://a.example/x?token=1#f").map(|url| url.to_string());
        assert_eq!(request, Ok("https://a.example/x".to_owned()));
    }
}
