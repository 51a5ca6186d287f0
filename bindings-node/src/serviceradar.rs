//! ServiceRadar's tokens and packages.

use handfast::{
    crypto::default_backend,
    serviceradar::{self, ServiceRadarError},
    verified::Verified,
};
use napi_derive::napi;

use crate::{
    archive::{Archive, read_env},
    carry,
    error::{Result, Throw},
    secret::{Secret, Text, exposed, owned},
    system,
};

/// What an `edgepkg-v2` token says.
#[napi]
pub struct EdgeToken(Verified<serviceradar::EdgeToken>);

#[napi]
impl EdgeToken {
    /// The package's id.
    #[napi(getter)]
    pub fn package(&self) -> &str {
        self.0.package()
    }

    /// What the package is downloaded with.
    #[napi(getter)]
    pub fn download(&self) -> Secret {
        self.0.download().clone().into()
    }

    /// The core's URL.
    #[napi(getter)]
    pub fn api(&self) -> Option<&str> {
        self.0.api().map(serviceradar::BaseUrl::as_str)
    }
}

/// What a `collectorpkg-v2` token says.
#[napi]
pub struct CollectorToken(Verified<serviceradar::CollectorToken>);

#[napi]
impl CollectorToken {
    /// The package's id.
    #[napi(getter)]
    pub fn package(&self) -> &str {
        self.0.package()
    }

    /// What the bundle is downloaded with.
    #[napi(getter)]
    pub fn download(&self) -> Secret {
        self.0.secret().clone().into()
    }

    /// Where the bundle is.
    #[napi(getter)]
    pub fn url(&self) -> &str {
        self.0.url().as_str()
    }

    /// When the token ends.
    #[napi(getter)]
    pub fn expires_at(&self) -> String {
        self.0.expires_at().to_string()
    }

    /// The name that the collector's configuration is stored under.
    #[napi(getter)]
    pub fn config(&self) -> Option<&str> {
        self.0.config().map(handfast::archive::FileName::as_str)
    }
}

/// Signs an `edgepkg-v2` token.
#[napi]
pub fn edge_token(
    package: String,
    download: Text<'_>,
    private_key: Text<'_>,
    api: Option<String>,
) -> Result<Secret> {
    let make = || {
        let key = serviceradar::private_key(exposed(&private_key))?;
        let api = api.as_deref().map(str::parse).transpose()?;
        Ok(serviceradar::EdgeToken::new(&package, owned(&download), api)?.sign(&key))
    };
    make().map(Secret::from).map_err(|error: ServiceRadarError| error.throw())
}

/// Verifies an `edgepkg-v2` token.
#[napi]
pub fn verify_edge_token(token: Text<'_>, public_key: String) -> Result<EdgeToken> {
    let key = serviceradar::public_key(&*default_backend(), &public_key).map_err(Throw::throw)?;
    serviceradar::EdgeToken::verify(exposed(&token), &*key).map(EdgeToken).map_err(Throw::throw)
}

/// Signs a `collectorpkg-v2` token.
#[napi]
pub fn collector_token(
    url: String,
    package: String,
    download: Text<'_>,
    expires_at: i64,
    private_key: Text<'_>,
    config: Option<String>,
) -> Result<Secret> {
    let expires_at = system::instant(expires_at, "expiresAt")?;
    let make = || {
        let key = serviceradar::private_key(exposed(&private_key))?;
        let token = serviceradar::CollectorToken::new(url.parse()?, &package, owned(&download), expires_at)?;
        let token = match &config {
            Some(config) => token.with_config(config.parse()?)?,
            None => token,
        };
        Ok(token.sign(&key))
    };
    make().map(Secret::from).map_err(|error: ServiceRadarError| error.throw())
}

/// Verifies a `collectorpkg-v2` token.
#[napi]
pub fn verify_collector_token(token: Text<'_>, public_key: String, now: i64) -> Result<CollectorToken> {
    let now = system::instant(now, "now")?;
    let key = serviceradar::public_key(&*default_backend(), &public_key).map_err(Throw::throw)?;
    serviceradar::CollectorToken::verify(exposed(&token), &*key, now)
        .map(CollectorToken)
        .map_err(Throw::throw)
}

/// An edge package: its archive's own name, and the archive.
#[napi]
pub struct EdgePackage(serviceradar::EdgePackage);

#[napi]
impl EdgePackage {
    /// Puts a package together; the metadata is JSON.
    #[napi(constructor)]
    pub fn new(
        gateway: String,
        metadata: String,
        keys: Vec<String>,
        values: Vec<Text<'_>>,
        join_token: Text<'_>,
        bundle: String,
        readme: Option<String>,
    ) -> Result<Self> {
        let metadata = carry::read_data(&metadata)?;
        let (env, join_token) = (read_env(&keys, &values)?, owned(&join_token));
        Ok(Self(serviceradar::EdgePackage { gateway, readme, metadata, env, join_token, bundle }))
    }

    /// The archive's own name.
    #[napi(getter)]
    pub fn file_name(&self) -> Result<String> {
        self.0.file_name().map(|name| name.to_string()).map_err(Throw::throw)
    }

    /// The archive, in ServiceRadar's layout.
    #[napi]
    pub fn archive(&self) -> Result<Archive> {
        self.0.archive().map(Archive::of).map_err(Throw::throw)
    }
}
