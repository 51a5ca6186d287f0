//! ServiceRadar's tokens and packages.

use handfast::{
    crypto::default_backend,
    serviceradar::{self, ServiceRadarError},
    verified::Verified,
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyDict};

use crate::{
    archive::{Archive, read_env},
    convert,
    error::Raise,
    secret::{Secret, exposed, owned},
    system,
};

/// What an `edgepkg-v2` token says. Evidence: only `verify_edge_token` makes one.
#[pyclass(frozen, module = "handfast.serviceradar")]
pub(crate) struct EdgeToken(Verified<serviceradar::EdgeToken>);

#[pymethods]
impl EdgeToken {
    /// The package's id.
    #[getter]
    fn package(&self) -> &str {
        self.0.package()
    }

    /// What the package is downloaded with, once.
    #[getter]
    fn download(&self) -> Secret {
        self.0.download().clone().into()
    }

    /// The core's URL, where the token names it.
    #[getter]
    fn api(&self) -> Option<String> {
        self.0.api().map(ToString::to_string)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.serviceradar.EdgeToken of {}>", self.0.package())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an EdgeToken cannot be pickled"))
    }
}

/// What a `collectorpkg-v2` token says. Evidence: only `verify_collector_token` makes one.
#[pyclass(frozen, module = "handfast.serviceradar")]
pub(crate) struct CollectorToken(Verified<serviceradar::CollectorToken>);

#[pymethods]
impl CollectorToken {
    /// The package's id.
    #[getter]
    fn package(&self) -> &str {
        self.0.package()
    }

    /// What the bundle is downloaded with.
    #[getter]
    fn download(&self) -> Secret {
        self.0.secret().clone().into()
    }

    /// Where the bundle is.
    #[getter]
    fn url(&self) -> &str {
        self.0.url().as_str()
    }

    /// When the token ends.
    #[getter]
    fn expires_at(&self) -> String {
        self.0.expires_at().to_string()
    }

    /// The name that the collector's configuration is stored under, where the token gives one.
    #[getter]
    fn config(&self) -> Option<&str> {
        self.0.config().map(handfast::archive::FileName::as_str)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.serviceradar.CollectorToken of {}>", self.0.package())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a CollectorToken cannot be pickled"))
    }
}

/// Sign an `edgepkg-v2` token. The key is base64 of the seed, or of the seed and its public key.
#[pyfunction]
#[pyo3(signature = (*, package, download, private_key, api=None))]
pub(crate) fn edge_token(
    package: &str,
    download: &Bound<'_, PyAny>,
    private_key: &Bound<'_, PyAny>,
    api: Option<&str>,
) -> PyResult<Secret> {
    let (download, key) = (owned(download, "download")?, exposed(private_key, "private_key")?);
    let make = || {
        let key = serviceradar::private_key(key)?;
        let api = api.map(str::parse).transpose()?;
        Ok(serviceradar::EdgeToken::new(package, download, api)?.sign(&key))
    };
    make().map(Secret::from).map_err(|error: ServiceRadarError| error.raise())
}

/// Verify an `edgepkg-v2` token. The key is base64 of 32 bytes. Raises `ServiceRadarError`, and
/// `CryptoError` for a key that is none.
#[pyfunction]
#[pyo3(signature = (token, /, *, public_key))]
pub(crate) fn verify_edge_token(token: &Bound<'_, PyAny>, public_key: &str) -> PyResult<EdgeToken> {
    let token = exposed(token, "token")?;
    let key = serviceradar::public_key(&*default_backend(), public_key).map_err(Raise::raise)?;
    serviceradar::EdgeToken::verify(token, &*key).map(EdgeToken).map_err(Raise::raise)
}

/// Sign a `collectorpkg-v2` token.
#[pyfunction]
#[pyo3(signature = (*, url, package, download, expires_at, private_key, config=None))]
pub(crate) fn collector_token(
    url: &str,
    package: &str,
    download: &Bound<'_, PyAny>,
    expires_at: &Bound<'_, PyAny>,
    private_key: &Bound<'_, PyAny>,
    config: Option<&str>,
) -> PyResult<Secret> {
    let (download, key) = (owned(download, "download")?, exposed(private_key, "private_key")?);
    let expires_at = system::instant("expires_at", Some(expires_at))?;
    let make = || {
        let key = serviceradar::private_key(key)?;
        let token = serviceradar::CollectorToken::new(url.parse()?, package, download, expires_at)?;
        let token = match config {
            Some(config) => token.with_config(config.parse()?)?,
            None => token,
        };
        Ok(token.sign(&key))
    };
    make().map(Secret::from).map_err(|error: ServiceRadarError| error.raise())
}

/// Verify a `collectorpkg-v2` token. Raises `ServiceRadarError`, and `CryptoError` for a key that is none.
#[pyfunction]
#[pyo3(signature = (token, /, *, public_key, now=None))]
pub(crate) fn verify_collector_token(
    token: &Bound<'_, PyAny>,
    public_key: &str,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<CollectorToken> {
    let token = exposed(token, "token")?;
    let now = system::instant("now", now)?;
    let key = serviceradar::public_key(&*default_backend(), public_key).map_err(Raise::raise)?;
    serviceradar::CollectorToken::verify(token, &*key, now).map(CollectorToken).map_err(Raise::raise)
}

/// The archive of an edge package, in ServiceRadar's layout, and its own name.
#[pyfunction]
#[pyo3(signature = (*, gateway, metadata, env, join_token, bundle, readme=None))]
pub(crate) fn edge_package(
    gateway: &str,
    metadata: &Bound<'_, PyAny>,
    env: &Bound<'_, PyDict>,
    join_token: &Bound<'_, PyAny>,
    bundle: String,
    readme: Option<String>,
) -> PyResult<(String, Archive)> {
    let package = serviceradar::EdgePackage {
        gateway: gateway.to_owned(),
        readme,
        metadata: convert::to_value(metadata)?,
        env: read_env(env)?,
        join_token: owned(join_token, "join_token")?,
        bundle,
    };
    let make = || Ok((package.file_name()?.to_string(), package.archive()?));
    let (name, archive) = make().map_err(|error: ServiceRadarError| error.raise())?;
    Ok((name, Archive::of(archive)))
}
