//! What a file in a package is, so that what no program could read is refused when it is issued, not when a node fails.

use serde::{Deserialize, Serialize};

use crate::{
    choria,
    code::Code,
    secret::Secret,
    serviceradar,
    spire::{Bundle, SpireError, TrustDomain},
    template, wireguard,
};

/// What a file is. The registrar sees to it that it is in form; whether it is genuine is for whoever uses it to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// A token of Choria's ([`crate::choria`]): a fleet's `provisioning.jwt`, or a node's own `server.jwt`, with claims that a
    /// node can use. Neither its signature nor its times are judged.
    ChoriaToken,
    /// The trust bundle of a SPIFFE trust domain ([`crate::spire`]), in PEM or in the standard's JSON.
    SpiffeBundle,
    /// A token of ServiceRadar's ([`crate::serviceradar`]): `edgepkg-v2` or `collectorpkg-v2`. Its signature is not judged,
    /// as nothing can be said of it without the onboarding key, nor is its end.
    #[serde(rename = "serviceradar_token")]
    ServiceRadarToken,
    /// A template for the emissary ([`crate::template`]), without the secrets that it needs.
    Template,
    /// A configuration of WireGuard's ([`crate::wireguard`]), without commands in it.
    #[serde(rename = "wireguard")]
    WireGuard,
}

impl FileFormat {
    /// Whether a text is one.
    ///
    /// # Errors
    /// The code that the format's own reader gives.
    pub fn check(self, content: &Secret) -> Result<(), Code> {
        let text = content.expose();
        match self {
            Self::ChoriaToken => {
                choria::inspect(text).and_then(|token| token.claims().check()).map_err(|error| error.code())
            }
            Self::SpiffeBundle => bundle(text).map_err(|error| error.code()),
            Self::ServiceRadarToken => serviceradar::inspect(text).map(drop).map_err(|error| error.code()),
            Self::Template => template::Template::parse(text).map(drop).map_err(|error| error.code()),
            Self::WireGuard => wireguard::Config::parse(text).map(drop).map_err(|error| error.code()),
        }
    }
}

/// Neither form names its trust domain, so any will do.
fn bundle(text: &str) -> Result<(), SpireError> {
    let Ok(domain) = "example.org".parse::<TrustDomain>() else { return Ok(()) };
    if text.trim_start().starts_with('{') {
        Bundle::from_json(domain, text).map(drop)
    } else {
        Bundle::from_pem(domain, text).map(drop)
    }
}
