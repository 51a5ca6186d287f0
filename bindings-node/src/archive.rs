//! Packages as files: tar.gz and zip, and an environment file.

use handfast::{
    archive::{self, ArchiveError, EnvFile},
    secret::SecretBytes,
};
use napi::bindgen_prelude::{ClassInstance, Either3, Uint8Array};
use napi_derive::napi;

use crate::{
    error::{Result, Throw},
    secret::{Secret, Text, owned},
};

/// What a file holds.
type Content<'a> = Either3<String, Uint8Array, ClassInstance<'a, Secret>>;

/// What an archive is to hold, in order.
#[napi]
pub struct Archive(archive::Archive);

impl Archive {
    pub(crate) fn of(archive: archive::Archive) -> Self {
        Self(archive)
    }
}

#[napi]
impl Archive {
    /// An archive without files.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self(archive::Archive::new())
    }

    /// The same, and a file of mode 0600.
    #[napi]
    pub fn with_file(&self, name: String, content: Content<'_>) -> Result<Self> {
        let add = || self.0.clone().with_file(name.parse()?, bytes_of(&content));
        add().map(Self).map_err(|error: ArchiveError| error.throw())
    }

    /// The same, and a file of mode 0700.
    #[napi]
    pub fn with_script(&self, name: String, content: Content<'_>) -> Result<Self> {
        let add = || self.0.clone().with_script(name.parse()?, bytes_of(&content));
        add().map(Self).map_err(|error: ArchiveError| error.throw())
    }

    /// The same, and the list of digests.
    #[napi]
    pub fn with_digests(&self) -> Result<Self> {
        self.0.clone().with_digests().map(Self).map_err(Throw::throw)
    }

    /// The names of the files that were added.
    #[napi(getter)]
    pub fn names(&self) -> Vec<String> {
        self.0.names().map(ToString::to_string).collect()
    }

    /// A gzipped tar.
    #[napi]
    pub fn to_tar_gz(&self) -> Result<Uint8Array> {
        Ok(self.0.to_tar_gz().map_err(Throw::throw)?.expose().to_vec().into())
    }

    /// A zip.
    #[napi]
    pub fn to_zip(&self) -> Result<Uint8Array> {
        Ok(self.0.to_zip().map_err(Throw::throw)?.expose().to_vec().into())
    }
}

/// Lines `KEY='value'`: keys and values in the same order.
#[napi]
pub fn env_file(keys: Vec<String>, values: Vec<Text<'_>>) -> Result<Secret> {
    Ok(read_env(&keys, &values)?.to_secret().into())
}

/// The script that installs a package.
#[napi]
pub fn installer() -> &'static str {
    archive::INSTALLER
}

pub(crate) fn read_env(keys: &[String], values: &[Text<'_>]) -> Result<EnvFile> {
    keys.iter()
        .zip(values)
        .try_fold(EnvFile::new(), |file, (key, value)| file.with(key, owned(value)).map_err(Throw::throw))
}

fn bytes_of(content: &Content<'_>) -> SecretBytes {
    match content {
        Either3::A(text) => text.clone().into(),
        Either3::B(bytes) => SecretBytes::new(bytes.to_vec()),
        Either3::C(secret) => secret.expose().to_owned().into(),
    }
}
