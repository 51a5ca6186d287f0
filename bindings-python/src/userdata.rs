//! User data that carries a token to the first boot.

use handfast::userdata::{self, File, UserDataError};
use pyo3::{exceptions::PyTypeError, prelude::*};

use crate::{
    error::Raise,
    secret::{Secret, owned},
};

/// A token for a file, and the command that is started with it, once. It does not show itself.
#[pyclass(frozen, module = "handfast.userdata")]
pub(crate) struct FirstBoot(userdata::FirstBoot);

#[pymethods]
impl FirstBoot {
    /// The command is a list of words, of which nobody interprets any; it names the token's file, not the token.
    #[new]
    #[pyo3(signature = (token, /, *, token_path, command))]
    fn new(token: &Bound<'_, PyAny>, token_path: &str, command: Vec<String>) -> PyResult<Self> {
        let token = owned(token, "token")?;
        let make = || userdata::FirstBoot::new(token, token_path.parse()?, command);
        make().map(Self).map_err(Raise::raise)
    }

    /// The same, and one more file of root's; its mode is `0600`, `0700`, `0644` or `0755`.
    #[pyo3(signature = (path, content, /, *, mode="0600"))]
    fn with_file(&self, path: &str, content: &Bound<'_, PyAny>, mode: &str) -> PyResult<Self> {
        let content = owned(content, "content")?;
        let make = || self.0.clone().with_file(File { path: path.parse()?, content, mode: mode.parse()? });
        make().map(Self).map_err(Raise::raise)
    }

    /// An Ignition configuration of specification `3.3.0` or `3.4.0`.
    #[pyo3(signature = (*, version="3.3.0"))]
    fn ignition(&self, version: &str) -> PyResult<UserData> {
        let version = version.parse().map_err(|error: UserDataError| error.raise())?;
        Ok(UserData(self.0.ignition(version)))
    }

    /// A cloud-init configuration, `#cloud-config`.
    fn cloud_config(&self) -> UserData {
        UserData(self.0.cloud_config())
    }

    fn __repr__(&self) -> &'static str {
        "FirstBoot([redacted])"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a FirstBoot cannot be pickled"))
    }
}

/// A document of user data, with the token in it. It does not show itself.
#[pyclass(frozen, module = "handfast.userdata")]
pub(crate) struct UserData(userdata::UserData);

#[pymethods]
impl UserData {
    /// The text, for the cloud's API and for nothing else.
    fn to_secret(&self) -> Secret {
        self.0.clone().into_secret().into()
    }

    /// Raise `UserDataError` if the cloud, one of `CLOUDS`, does not take a document of this size.
    #[pyo3(signature = (cloud, /))]
    fn fits(&self, cloud: &str) -> PyResult<()> {
        cloud.parse().and_then(|cloud| self.0.fits(cloud)).map_err(Raise::raise)
    }

    /// Its bytes, as the clouds count them.
    fn __len__(&self) -> usize {
        self.0.expose().len()
    }

    fn __repr__(&self) -> &'static str {
        "UserData([redacted])"
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a UserData cannot be pickled"))
    }
}
