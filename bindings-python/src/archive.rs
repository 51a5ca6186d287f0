//! Packages as files: tar.gz and zip, and an environment file.

use handfast::{
    archive::{self, ArchiveError, EnvFile},
    secret::SecretBytes,
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::{
    error::Raise,
    secret::{Secret, exposed, owned},
};

/// What an archive is to hold, in order. It does not show itself.
#[pyclass(frozen, module = "handfast.archive")]
pub(crate) struct Archive(archive::Archive);

impl Archive {
    pub(crate) fn of(archive: archive::Archive) -> Self {
        Self(archive)
    }
}

#[pymethods]
impl Archive {
    /// An archive without files.
    #[new]
    fn new() -> Self {
        Self(archive::Archive::new())
    }

    /// The same, and a file of mode 0600.
    #[pyo3(signature = (name, content, /))]
    fn with_file(&self, name: &str, content: &Bound<'_, PyAny>) -> PyResult<Self> {
        let content = bytes_of(content)?;
        let add = || self.0.clone().with_file(name.parse()?, content);
        add().map(Self).map_err(Raise::raise)
    }

    /// The same, and a file of mode 0700, one that is meant to be run.
    #[pyo3(signature = (name, content, /))]
    fn with_script(&self, name: &str, content: &Bound<'_, PyAny>) -> PyResult<Self> {
        let content = bytes_of(content)?;
        let add = || self.0.clone().with_script(name.parse()?, content);
        add().map(Self).map_err(Raise::raise)
    }

    /// The same, and, as its last file, the list of digests that `INSTALLER` checks.
    fn with_digests(&self) -> PyResult<Self> {
        self.0.clone().with_digests().map(Self).map_err(Raise::raise)
    }

    /// The names of the files that were added, in their order.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.names().map(archive::FileName::as_str).collect()
    }

    /// A gzipped tar: the same files in the same order are the same bytes. As secret as the most secret of its files.
    fn to_tar_gz<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.to_tar_gz().map_err(Raise::raise)?;
        Ok(PyBytes::new(py, bytes.expose()))
    }

    /// A zip: the same files in the same order are the same bytes. As secret as the most secret of its files.
    fn to_zip<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.to_zip().map_err(Raise::raise)?;
        Ok(PyBytes::new(py, bytes.expose()))
    }

    fn __repr__(&self) -> String {
        format!("<handfast.archive.Archive of {} files>", self.0.names().count())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an Archive cannot be pickled"))
    }
}

/// Lines `KEY='value'` that a shell and systemd read alike, in the order given.
#[pyfunction]
#[pyo3(signature = (variables, /))]
pub(crate) fn env_file(variables: &Bound<'_, PyDict>) -> PyResult<Secret> {
    Ok(read_env(variables)?.to_secret().into())
}

pub(crate) fn read_env(variables: &Bound<'_, PyDict>) -> PyResult<EnvFile> {
    let mut file = EnvFile::new();
    for (key, value) in variables.items().extract::<Vec<(String, Bound<'_, PyAny>)>>()? {
        let value = owned(&value, &key)?;
        file = file.with(&key, value).map_err(|error: ArchiveError| error.raise())?;
    }
    Ok(file)
}

/// What a file holds: bytes, a text or a `Secret`.
fn bytes_of(content: &Bound<'_, PyAny>) -> PyResult<SecretBytes> {
    match content.cast::<PyBytes>() {
        Ok(bytes) => Ok(SecretBytes::new(bytes.as_bytes().to_vec())),
        Err(_) => Ok(exposed(content, "content")?.to_owned().into()),
    }
}
