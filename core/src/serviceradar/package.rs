//! The edge package: what an agent's or gateway's operator downloads and unpacks.

use serde_json::Value;
use x509_cert::Certificate;

use super::ServiceRadarError;
use crate::{
    archive::{Archive, EnvFile, FileName},
    json, limits,
    secret::Secret,
};

/// The contents of `edge-package-<gateway>.tar.gz`: `README.txt`, `metadata.json`, `edge-gateway.env`,
/// `spire/upstream-join-token` and `spire/upstream-bundle.pem`.
///
/// The layout is ServiceRadar's; the environment file differs in that its values are quoted (see [`EnvFile`]), and
/// `metadata.json` in that it stands on one line. The join token is a bearer secret until SPIRE has seen it once.
#[derive(Clone, Debug)]
pub struct EdgePackage {
    /// The gateway's id: letters, digits, `._-`, as it stands in the archive's name.
    pub gateway: String,
    /// `README.txt`; where there is none, one that says what is in the package and what to do with it.
    pub readme: Option<String>,
    /// `metadata.json`: an object, with integers for numbers. Nothing secret belongs in it, and a binding's
    /// `Secret` is refused.
    pub metadata: Value,
    /// `edge-gateway.env`.
    pub env: EnvFile,
    /// The SPIRE join token.
    pub join_token: Secret,
    /// The upstream SPIRE server's certificate authorities, in PEM.
    pub bundle: String,
}

const README: &str = "\
Edge package

It holds credentials that work once: keep it as you would keep a password, and delete it when it is installed.

  edge-gateway.env           the gateway's settings
  metadata.json              what the package was issued for
  spire/upstream-join-token  what SPIRE's agent joins with, once
  spire/upstream-bundle.pem  by what it recognises the upstream server
";

impl EdgePackage {
    /// The archive, in ServiceRadar's order. A list of digests is not part of the layout: add it with
    /// [`Archive::with_digests`] where the package is for [`crate::archive::INSTALLER`].
    ///
    /// # Errors
    /// `serviceradar_invalid_package`, `too_large`.
    pub fn archive(&self) -> Result<Archive, ServiceRadarError> {
        let file = |name: &str| name.parse::<FileName>();
        let readme = self.readme.clone().unwrap_or_else(|| README.to_owned());
        Ok(Archive::new()
            .with_file(file("README.txt")?, readme)?
            .with_file(file("metadata.json")?, self.metadata()?)?
            .with_file(file("edge-gateway.env")?, self.env.to_secret())?
            .with_file(file("spire/upstream-join-token")?, self.join_token()?)?
            .with_file(file("spire/upstream-bundle.pem")?, self.bundle()?)?)
    }

    /// The archive's own name.
    ///
    /// # Errors
    /// `serviceradar_invalid_package`.
    pub fn file_name(&self) -> Result<FileName, ServiceRadarError> {
        let invalid = ServiceRadarError::InvalidPackage {
            field: "gateway",
            expected: "up to 63 letters, digits and ._-",
        };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if !(1..=limits::HOST_LABEL_BYTES).contains(&self.gateway.len())
            || !self.gateway.bytes().all(is_allowed)
        {
            return Err(invalid);
        }
        format!("edge-package-{}.tar.gz", self.gateway).parse().map_err(|_| invalid)
    }

    fn metadata(&self) -> Result<String, ServiceRadarError> {
        let invalid = |expected| ServiceRadarError::InvalidPackage { field: "metadata", expected };
        if !self.metadata.is_object() || !json::is_whole(&self.metadata) {
            return Err(invalid("an object with integers for numbers"));
        }
        if json::holds_secret(&self.metadata) {
            return Err(invalid("no secrets: it is read by more than the gateway"));
        }
        let mut text = json::canonical(&self.metadata);
        text.push('\n');
        Ok(text)
    }

    fn join_token(&self) -> Result<Secret, ServiceRadarError> {
        let token = self.join_token.expose();
        if !(1..=limits::SERVICERADAR_TEXT_BYTES).contains(&token.len())
            || !token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let expected = "a short text without white space";
            return Err(ServiceRadarError::InvalidPackage { field: "join token", expected });
        }
        let mut line = String::with_capacity(token.len().saturating_add(1));
        line.push_str(token);
        line.push('\n');
        Ok(Secret::new(line))
    }

    fn bundle(&self) -> Result<String, ServiceRadarError> {
        let expected = "certificates in PEM and nothing else";
        let invalid = ServiceRadarError::InvalidPackage { field: "bundle", expected };
        let is_small = self.bundle.len() <= limits::BUNDLE_BYTES;
        let has_keys = self.bundle.contains("PRIVATE KEY");
        let end = if self.bundle.ends_with('\n') { "" } else { "\n" };
        let bundle = format!("{}{end}", self.bundle);
        match Certificate::load_pem_chain(bundle.as_bytes()) {
            Ok(chain) if is_small && !has_keys && !chain.is_empty() => Ok(bundle),
            Ok(_) | Err(_) => Err(invalid),
        }
    }
}
