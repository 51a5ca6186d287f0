//! Files that user data writes.

use std::str::FromStr;

use super::UserDataError;
use crate::{limits, secret::Secret};

/// Where a file goes: absolute, each part of letters, digits and `._@+-`, nothing that leads elsewhere (`.`, `..`, an empty part),
/// and in no folder whose content does not outlast the boot or is the kernel's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Box<str>);

impl FilePath {
    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FilePath {
    type Err = UserDataError;

    fn from_str(text: &str) -> Result<Self, UserDataError> {
        let expected =
            "an absolute path of letters, digits and ._@+- below none of /dev, /proc, /run, /sys, /tmp";
        let invalid = UserDataError::Invalid { field: "path", expected };
        if !is_path(text) {
            return Err(invalid);
        }
        let fleeting = ["/dev/", "/proc/", "/run/", "/sys/", "/tmp/"];
        if fleeting.iter().any(|folder| text.starts_with(folder)) {
            Err(invalid)
        } else {
            Ok(Self(text.into()))
        }
    }
}

/// Whether it is an absolute path that every reader takes for the same, without quoting.
pub(super) fn is_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
    text.len() <= limits::USER_DATA_PATH_BYTES
        && text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part))
}

/// The permissions of a file of root's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// 0600: root alone reads it.
    #[default]
    Private,
    /// 0700: root alone runs it.
    PrivateProgram,
    /// 0644: everybody reads it.
    Public,
    /// 0755: everybody runs it.
    PublicProgram,
}

impl Mode {
    /// The bits. Ignition wants them in decimal, 384 for 0600; cloud-init as an octal text.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self {
            Self::Private => 0o600,
            Self::PrivateProgram => 0o700,
            Self::Public => 0o644,
            Self::PublicProgram => 0o755,
        }
    }
}

impl FromStr for Mode {
    type Err = UserDataError;

    /// Reads four octal digits.
    fn from_str(text: &str) -> Result<Self, UserDataError> {
        match text {
            "0600" => Ok(Self::Private),
            "0700" => Ok(Self::PrivateProgram),
            "0644" => Ok(Self::Public),
            "0755" => Ok(Self::PublicProgram),
            _ => Err(UserDataError::Invalid { field: "mode", expected: "0600, 0700, 0644 or 0755" }),
        }
    }
}

/// A file of root's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it goes; what is there is replaced.
    pub path: FilePath,
    /// What is in it.
    pub content: Secret,
    /// Who may do what with it.
    pub mode: Mode,
}

impl File {
    /// A file that root alone reads.
    #[must_use]
    pub fn private(path: FilePath, content: Secret) -> Self {
        Self { path, content, mode: Mode::Private }
    }
}
