//! `edgepkg-v2`: which package to download, with what, and where from.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    BaseUrl, ServiceRadarError,
    envelope::{self, Envelope, TokenKind, absent_or_given, check_text},
};
use crate::{
    crypto::{Ed25519Key, VerifyingKey},
    secret::Secret,
    verified::Verified,
};

/// What an `edgepkg-v2` token says. It has no end of its own: whoever finds it may try the download until that was
/// fetched or has expired where it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeToken {
    package: String,
    download: Secret,
    api: Option<BaseUrl>,
}

impl EdgeToken {
    /// Puts a token together: the package's id, its download token, and where both are good (left out where the agent is
    /// told otherwise).
    ///
    /// # Errors
    /// `serviceradar_invalid_payload` for a text with white space, quotes, `<`, `>`, `&` or a backslash in it, which
    /// ServiceRadar's own encoders would write differently, an empty one, or one of more than
    /// [`crate::limits::SERVICERADAR_TEXT_BYTES`].
    pub fn new(package: &str, download: Secret, api: Option<BaseUrl>) -> Result<Self, ServiceRadarError> {
        check_text(package, "pkg to be a short text without white space, quotes and <>&\\")?;
        check_text(download.expose(), "dl to be a short text without white space, quotes and <>&\\")?;
        Ok(Self { package: package.to_owned(), download, api })
    }

    /// Verifies a token under the onboarding key.
    ///
    /// # Errors
    /// `serviceradar_unsigned_token` for version 1, `serviceradar_wrong_kind`, `serviceradar_malformed_token`,
    /// `serviceradar_bad_signature`, `serviceradar_invalid_payload`, `too_large`.
    pub fn verify(text: &str, key: &dyn VerifyingKey) -> Result<Verified<Self>, ServiceRadarError> {
        Self::read(&Envelope::open(text, Some(TokenKind::Edge))?.verify(key)?).map(Verified::new)
    }

    pub(super) fn read(payload: &envelope::Payload) -> Result<Self, ServiceRadarError> {
        let members = "exactly the members pkg, dl and, where given, api, each a text and once";
        let payload: Payload = payload.read(members)?;
        let api = payload.api.as_deref().map(BaseUrl::from_canonical).transpose()?;
        Self::new(&payload.pkg, Secret::new(payload.dl), api)
    }

    /// The token, signed. The same values have the same text.
    #[must_use]
    pub fn sign(&self, key: &Ed25519Key) -> Secret {
        let api = self.api.as_ref().map_or(String::new(), |api| format!(r#","api":"{api}""#));
        let (package, download) = (&self.package, self.download.expose());
        let payload = Zeroizing::new(format!(r#"{{"pkg":"{package}","dl":"{download}"{api}}}"#));
        envelope::write(TokenKind::Edge, &payload, key)
    }

    /// The package's id.
    #[must_use]
    pub fn package(&self) -> &str {
        &self.package
    }

    /// What the package is downloaded with, once.
    #[must_use]
    pub fn download(&self) -> &Secret {
        &self.download
    }

    /// The core's URL, where the token names it.
    #[must_use]
    pub fn api(&self) -> Option<&BaseUrl> {
        self.api.as_ref()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    pkg: String,
    dl: String,
    #[serde(default, deserialize_with = "absent_or_given")]
    api: Option<String>,
}
