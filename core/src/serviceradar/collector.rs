//! `collectorpkg-v2`: which collector's bundle to download, with what, where from, and until when.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    BaseUrl, ServiceRadarError,
    envelope::{self, Envelope, TokenKind, absent_or_given, check_text},
};
use crate::{
    archive::FileName,
    crypto::{Ed25519Key, VerifyingKey},
    secret::Secret,
    time::Timestamp,
    verified::Verified,
};

/// What a `collectorpkg-v2` token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorToken {
    url: BaseUrl,
    package: String,
    secret: Secret,
    expires_at: Timestamp,
    config: Option<FileName>,
}

impl CollectorToken {
    /// Puts a token together: where the bundle is, its package's id, its secret, and when that ends, in whole seconds and
    /// never later than said.
    ///
    /// # Errors
    /// `serviceradar_invalid_payload`, as [`super::EdgeToken::new`], and for a time before 1970.
    pub fn new(
        url: BaseUrl,
        package: &str,
        secret: Secret,
        expires_at: Timestamp,
    ) -> Result<Self, ServiceRadarError> {
        check_text(package, "p to be a short text without white space, quotes and <>&\\")?;
        check_text(secret.expose(), "t to be a short text without white space, quotes and <>&\\")?;
        let expires_at = Timestamp::from_unix_millis(expires_at.unix_millis().div_euclid(1000) * 1000)
            .filter(|at| at.unix_millis() >= 0)
            .ok_or(ServiceRadarError::InvalidPayload { expected: "e to be a time after 1970" })?;
        Ok(Self { url, package: package.to_owned(), secret, expires_at, config: None })
    }

    /// Adds the name that the collector's configuration is stored under: a file in the folder for that, nowhere else.
    ///
    /// # Errors
    /// `serviceradar_invalid_payload` where the name has a folder in it.
    pub fn with_config(self, config: FileName) -> Result<Self, ServiceRadarError> {
        if config.as_str().contains('/') {
            return Err(ServiceRadarError::InvalidPayload { expected: CONFIG });
        }
        Ok(Self { config: Some(config), ..self })
    }

    /// Verifies a token under the onboarding key. It has expired if and only if `now >= expires_at`.
    ///
    /// # Errors
    /// As [`super::EdgeToken::verify`], and `serviceradar_expired`.
    pub fn verify(
        text: &str,
        key: &dyn VerifyingKey,
        now: Timestamp,
    ) -> Result<Verified<Self>, ServiceRadarError> {
        let token = Self::read(&Envelope::open(text, Some(TokenKind::Collector))?.verify(key)?)?;
        if now >= token.expires_at { Err(ServiceRadarError::Expired) } else { Ok(Verified::new(token)) }
    }

    pub(super) fn read(payload: &envelope::Payload) -> Result<Self, ServiceRadarError> {
        let members = "exactly the members u, p, t, e (whole seconds) and, where given, f, each once";
        let payload: Payload = payload.read(members)?;
        let invalid = |expected| ServiceRadarError::InvalidPayload { expected };
        let expires_at = i64::try_from(payload.e).ok().and_then(|seconds| seconds.checked_mul(1000));
        let expires_at = expires_at.and_then(Timestamp::from_unix_millis).ok_or(invalid("e to be a time"))?;
        let url = BaseUrl::from_canonical(&payload.u)?;
        let mut token = Self::new(url, &payload.p, Secret::new(payload.t), expires_at)?;
        if let Some(config) = payload.f {
            token = token.with_config(config.parse().map_err(|_| invalid(CONFIG))?)?;
        }
        Ok(token)
    }

    /// The token, signed: members in the order of their names, as ServiceRadar's server writes them.
    #[must_use]
    pub fn sign(&self, key: &Ed25519Key) -> Secret {
        let seconds = self.expires_at.unix_millis() / 1000;
        let config = self.config.as_ref().map_or(String::new(), |config| format!(r#","f":"{config}""#));
        let (package, secret, url) = (&self.package, self.secret.expose(), &self.url);
        let payload = Zeroizing::new(format!(
            r#"{{"e":{seconds}{config},"p":"{package}","t":"{secret}","u":"{url}"}}"#
        ));
        envelope::write(TokenKind::Collector, &payload, key)
    }

    /// The server's URL.
    #[must_use]
    pub fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// The package's id.
    #[must_use]
    pub fn package(&self) -> &str {
        &self.package
    }

    /// What the bundle is downloaded with, once.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// When the token ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The name that the collector's configuration is stored under.
    #[must_use]
    pub fn config(&self) -> Option<&FileName> {
        self.config.as_ref()
    }
}

const CONFIG: &str = "f to be the plain name of a file, without folders";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    u: String,
    p: String,
    t: String,
    e: u64,
    #[serde(default, deserialize_with = "absent_or_given")]
    f: Option<String>,
}
