//! What the program gives: one JSON document on standard output, and files that nobody else can read.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use handfast::Secret;
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Prints a document.
pub(crate) fn print(document: &impl Serialize) -> Result<(), Failure> {
    let mut text =
        serde_json::to_string_pretty(document).map_err(|error| Failure::other(error.to_string()))?;
    text.push('\n');
    write_out(text.as_bytes())
}

/// Writes to standard output, which may be closed or full.
pub(crate) fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Unwritten(format!("standard output: {error}")))
}

/// Where a secret that was made goes.
#[derive(Args, Debug)]
pub(crate) struct Out {
    /// Write the secret into this new file of mode 0600 instead of into the JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Out {
    /// What the document says of a secret: itself, or the file that it is in now.
    pub(crate) fn give(&self, secret: &Secret) -> Result<Value, Failure> {
        self.place()?.give(secret)
    }

    /// Makes sure that a secret can be put there, before one is asked for that will be given only once.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        let Some(path) = &self.out else { return Ok(Place::Document) };
        if fs::symlink_metadata(path).is_ok() {
            return Err(Failure::other("--out: the file exists already"));
        }
        Ok(Place::File(NewFile::beside(path)?))
    }

    /// The same for what can be asked for again: where an earlier run has put the secret already, it stays.
    pub(crate) fn place_or_kept(&self) -> Result<Place, Failure> {
        match &self.out {
            Some(path) if fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) => {
                Ok(Place::Kept(path.clone()))
            }
            Some(_) | None => self.place(),
        }
    }
}

/// Where a secret can be put.
pub(crate) enum Place {
    /// Into the JSON.
    Document,
    /// Into a file that is not there.
    File(NewFile),
    /// Into a file that is there, and must hold it already.
    Kept(PathBuf),
}

impl Place {
    /// What the document says of a secret: itself, or the file that it is in now.
    pub(crate) fn give(self, secret: &Secret) -> Result<Value, Failure> {
        match self {
            Self::Document => Ok(secret.expose().into()),
            Self::File(file) => Ok(json!({ "file": file.keep(secret.expose().as_bytes())? })),
            Self::Kept(path) if holds(&path, secret).unwrap_or(false) => Ok(json!({ "file": path })),
            Self::Kept(_) => Err(Failure::Unwritten(
                "--out: the file exists already, and is not this secret in mode 0600".to_owned(),
            )),
        }
    }
}

/// Whether a file is what [`NewFile::keep`] makes of a secret.
fn holds(path: &Path, secret: &Secret) -> io::Result<bool> {
    let file = File::open(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 != 0 {
        return Ok(false);
    }
    let mut held = Vec::new();
    let length = u64::try_from(secret.expose().len()).unwrap_or(u64::MAX);
    file.take(length.saturating_add(1)).read_to_end(&mut held)?;
    Ok(held == secret.expose().as_bytes())
}

/// Writes a file of mode 0600 that was not there before; a crash leaves all of it or nothing.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    NewFile::beside(path)?.keep(bytes).map(drop)
}

/// A file that is to be there whole or not at all. Until then an empty one stands beside its place.
pub(crate) struct NewFile {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl NewFile {
    /// Makes the one beside, and sees whether its folder takes links, of which the last makes the file.
    fn beside(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::other(format!("--out: {error}"));
        let name = path.file_name().ok_or_else(|| Failure::other("--out: expected the name of a file"))?;
        let other = || {
            let mut other = OsString::from(name);
            other.push(format!(".{:016x}.new", rand::random::<u64>()));
            path.with_file_name(other)
        };
        let (beside, trial) = (other(), other());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&beside).map_err(failed)?;
        let made = Self { path: path.to_owned(), beside, file };
        fs::hard_link(&made.beside, &trial).and_then(|()| fs::remove_file(&trial)).map_err(failed)?;
        Ok(made)
    }

    /// Writes it, and gives it its name, which must be free.
    fn keep(mut self, bytes: &[u8]) -> Result<PathBuf, Failure> {
        self.file
            .write_all(bytes)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::hard_link(&self.beside, &self.path))
            .map_err(|error| Failure::Unwritten(format!("--out: {error}")))?;
        Ok(self.path.clone())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _nothing_is_lost = fs::remove_file(&self.beside);
    }
}
