//! Where a node goes to be provisioned.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{ChoriaError, claims::check_name};

/// Where a node goes to be provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker<'a> {
    /// Where the SRV records of this domain point to.
    Srv(&'a str),
    /// One of these URLs.
    Urls(&'a [BrokerUrl]),
}

/// A broker's URL. NATS takes a user and password in it, so whoever shows it may show a password: shown or serialised, it has
/// none. New tokens have `chusr` and `chpwd` for them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct BrokerUrl(String);

impl BrokerUrl {
    /// Takes a URL as it stands in a token; whether it is one is found out when the token is issued or verified.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole URL, with a password where there is one.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown: the scheme, and what follows the last `@`. That is not always where a URL's user ends, but
    /// nothing of a password stands behind it; and what has no port where one would be is no port, but half a password.
    fn shown(&self) -> String {
        let (scheme, rest) = match self.0.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            Some(_) | None => (None, self.0.as_str()),
        };
        let rest = rest.rsplit('@').next().unwrap_or_default();
        let rest = if has_plain_port(rest) { rest } else { "[redacted]" };
        scheme.map_or_else(|| rest.to_owned(), |scheme| format!("{scheme}://{rest}"))
    }

    /// Whether a node could use it.
    pub(super) fn check(&self) -> Result<(), ChoriaError> {
        if self.0.contains(|character: char| character == ',' || character.is_whitespace()) {
            let expected = "URLs, with a comma between two";
            return Err(ChoriaError::InvalidClaim { claim: "chu", expected });
        }
        check_name("chu", &self.0)
    }

    /// Whether there is no user in it.
    pub(super) fn check_public(&self) -> Result<(), ChoriaError> {
        if self.0.contains('@') {
            let expected = "URLs without a user, for which there are chusr and chpwd";
            return Err(ChoriaError::InvalidClaim { claim: "chu", expected });
        }
        Ok(())
    }
}

impl From<&str> for BrokerUrl {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(formatter)
    }
}

impl Serialize for BrokerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

fn is_scheme(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn has_plain_port(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    let port = after_host.split_once(':').map_or("", |(_, port)| port);
    port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_shown_a_password() {
        for (url, shown) in [
            ("nats://broker.example.net:4222", "nats://broker.example.net:4222"),
            ("tls://[2001:db8::1]:4222/a", "tls://[2001:db8::1]:4222/a"),
            ("nats://ann:hunter2@broker.example.net:4222", "nats://broker.example.net:4222"),
            ("nats://hunter2@broker", "nats://broker"),
            ("nats://ann:hunter2@hunter2/hunter2@broker", "nats://broker"),
            ("ann:hunter2@broker:4222", "broker:4222"),
            ("ann:hunter2://x@broker", "broker"),
            ("nats://ann:hunter2", "nats://[redacted]"),
            ("", ""),
        ] {
            let url = BrokerUrl::from(url);
            assert_eq!(format!("{url:?}"), format!("{shown:?}"));
            assert_eq!(serde_json::to_value(&url).unwrap(), shown);
        }
    }
}
