//! Packages as files: tar.gz and zip, an environment file, and the script that installs one.
//!
//! ```
//! use handfast::archive::{Archive, EnvFile};
//! use handfast::Secret;
//!
//! let env = EnvFile::new().with("CORE_ADDRESS", Secret::new("core.example:50051".into()))?;
//! let archive = Archive::new()
//!     .with_file("README.txt".parse()?, "Unpack me once.\n".to_owned())?
//!     .with_file("edge.env".parse()?, env.to_secret())?
//!     .with_digests()?;
//! assert_eq!(archive.to_tar_gz()?, archive.to_tar_gz()?);
//! # Ok::<(), handfast::archive::ArchiveError>(())
//! ```
//!
//! The same files in the same order are the same bytes: times are fixed, owners are 0, and nothing of the host that
//! writes them is in them. (The compressed form may change with a release of the compressor, what unpacks from it does
//! not.) Files have mode 0600, scripts 0700, the folders that lead to them 0755 and come before all files.
//!
//! An archive is as secret as the most secret of its files. It is wiped with its buffers, except for the working memory of
//! the compressor, which cannot be.

mod env;
mod error;
mod name;
mod tar_gz;
mod zip;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use self::name::Taken;
pub use self::{env::EnvFile, error::ArchiveError, name::FileName};
use crate::{limits, secret::SecretBytes};

/// The installer, a script for any POSIX shell: `sh install.sh --help` tells what it does. It refuses by itself what
/// [`FileName`] refuses, because it is handed archives that others made.
pub const INSTALLER: &str = include_str!("install.sh");

/// The name of the list that [`Archive::with_digests`] adds: lines as `sha256sum` writes and checks them.
pub const DIGESTS: &str = "SHA256SUMS";

/// When everything was last changed, in seconds since 1970: the first moment that zip can say, 1980-01-01T00:00:00Z.
const TIME: u32 = 315_532_800;

/// What an archive is to hold, in order.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    files: Vec<File>,
    taken: Taken,
    bytes: usize,
    digests: Option<FileName>,
}

#[derive(Clone, Debug)]
struct File {
    name: FileName,
    mode: u32,
    content: SecretBytes,
}

impl Archive {
    /// An archive without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file of mode 0600.
    ///
    /// # Errors
    /// `archive_duplicate_name`; `too_large` beyond [`limits::ARCHIVE_FILES`] or [`limits::ARCHIVE_BYTES`].
    pub fn with_file(self, name: FileName, content: impl Into<SecretBytes>) -> Result<Self, ArchiveError> {
        self.with(File { name, mode: 0o600, content: content.into() })
    }

    /// Adds a file of mode 0700, one that is meant to be run.
    ///
    /// # Errors
    /// As [`Archive::with_file`].
    pub fn with_script(self, name: FileName, content: impl Into<SecretBytes>) -> Result<Self, ArchiveError> {
        self.with(File { name, mode: 0o700, content: content.into() })
    }

    /// Adds, as the last file, the list of all files' SHA-256 digests, which [`INSTALLER`] checks. It finds what was
    /// damaged on the way; against somebody who alters the archive, give the installer the archive's own digest.
    ///
    /// # Errors
    /// `archive_duplicate_name` where a file has its name, [`DIGESTS`].
    pub fn with_digests(mut self) -> Result<Self, ArchiveError> {
        let name: FileName = DIGESTS.parse()?;
        self.taken.take(&name)?;
        Ok(Self { digests: Some(name), ..self })
    }

    /// The names of the files that were added, in their order.
    pub fn names(&self) -> impl Iterator<Item = &FileName> {
        self.files.iter().map(|file| &file.name)
    }

    /// Writes a gzipped tar (POSIX.1-1988 "ustar" members only, which every tar reads).
    ///
    /// # Errors
    /// Never, see [`ArchiveError::Unwritable`].
    pub fn to_tar_gz(&self) -> Result<SecretBytes, ArchiveError> {
        tar_gz::write(&self.folders(), &self.all(), self.room())
    }

    /// Writes a zip (deflate, no encryption, Unix modes).
    ///
    /// # Errors
    /// Never, see [`ArchiveError::Unwritable`].
    pub fn to_zip(&self) -> Result<SecretBytes, ArchiveError> {
        zip::write(&self.folders(), &self.all(), self.room())
    }

    fn with(mut self, file: File) -> Result<Self, ArchiveError> {
        if self.files.len() >= limits::ARCHIVE_FILES {
            return Err(ArchiveError::TooLarge { limit: limits::ARCHIVE_FILES, what: "files" });
        }
        self.bytes = self.bytes.saturating_add(file.content.expose().len());
        if self.bytes > limits::ARCHIVE_BYTES {
            return Err(ArchiveError::TooLarge { limit: limits::ARCHIVE_BYTES, what: "bytes" });
        }
        self.taken.take(&file.name)?;
        self.files.push(file);
        Ok(self)
    }

    /// Each folder once, with a final slash, outer ones first.
    fn folders(&self) -> Vec<String> {
        let mut folders = Vec::new();
        for folder in self.files.iter().flat_map(|file| file.name.folders()) {
            let folder = format!("{folder}/");
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// The files as they are written, the list of digests among them.
    fn all(&self) -> Vec<(&FileName, u32, std::borrow::Cow<'_, [u8]>)> {
        let files = self.files.iter().map(|file| (&file.name, file.mode, file.content.expose().into()));
        let digests = self.digests.as_ref().map(|name| (name, 0o600, self.sums().into_bytes().into()));
        files.chain(digests).collect()
    }

    fn sums(&self) -> String {
        let line = |file: &File| {
            let digest = HEXLOWER.encode(&Sha256::digest(file.content.expose()));
            format!("{digest}  {}\n", file.name)
        };
        self.files.iter().map(line).collect()
    }

    /// More bytes than any of the formats needs, so that no outgrown copy of a secret stays in memory.
    fn room(&self) -> usize {
        let members = self.files.len().saturating_add(self.folders().len()).saturating_add(2);
        self.bytes.saturating_add(self.bytes / 64).saturating_add(members.saturating_mul(2048))
    }
}
