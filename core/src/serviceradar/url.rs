//! The URL of ServiceRadar's core.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use super::ServiceRadarError;
use crate::{id::is_host_name, limits};

const EXPECTED: &str = "an https URL of a lower-case host, perhaps a port and a path, and nothing else";

/// Where tokens are redeemed: `https://host[:port][/path]`, without a final slash.
///
/// Parsed as ServiceRadar's agents do it: `https://` is added where no scheme is there, and slashes at the end go. Where
/// they drop a query and a fragment and keep a user's name and password, this refuses: the one would be lost without a
/// word, the other would end up in logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Only as it would be written.
    pub(super) fn from_canonical(text: &str) -> Result<Self, ServiceRadarError> {
        let url: Self = text.parse()?;
        if url.0 == text { Ok(url) } else { Err(ServiceRadarError::InvalidPayload { expected: EXPECTED }) }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = ServiceRadarError;

    fn from_str(text: &str) -> Result<Self, ServiceRadarError> {
        let rest =
            if text.contains("://") { text.strip_prefix("https://").unwrap_or_default() } else { text };
        let rest = rest.trim_end_matches('/');
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
        let valid = text.len() <= limits::URL_BYTES
            && is_authority(authority)
            && path.is_none_or(|path| path.split('/').all(is_segment));
        if valid {
            Ok(Self(format!("https://{rest}")))
        } else {
            Err(ServiceRadarError::InvalidPayload { expected: EXPECTED })
        }
    }
}

fn is_authority(text: &str) -> bool {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address)
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    is_host_name(host) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port != 0 && port.to_string() == text)
}

fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~'))
}
