//! Why something cannot go into an archive.

use crate::code::Code;

/// What is wrong with a file or a variable. No message repeats the offending text: it may be a secret, or a stranger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// A name that is not of the grammar of [`super::FileName`].
    #[error("invalid file name: expected {expected}")]
    InvalidName {
        /// The rule that it breaks.
        expected: &'static str,
    },
    /// Two names that are one on some system, or a file that would also be a folder.
    #[error("file name is taken, perhaps in another case or by a folder")]
    DuplicateName,
    /// A variable that cannot be said so that every reader understands it alike.
    #[error("invalid variable: expected {expected}")]
    InvalidVariable {
        /// The rule that it breaks.
        expected: &'static str,
    },
    /// More than there may be.
    #[error("too much for one archive: at most {limit} {what}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// Its unit.
        what: &'static str,
    },
    /// The archive could not be written. It never happens: memory takes every byte, and the formats every name that a
    /// [`super::FileName`] can be.
    #[error("archive cannot be written")]
    Unwritable,
}

impl ArchiveError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::InvalidName { .. } => Code::ArchiveInvalidName,
            Self::DuplicateName => Code::ArchiveDuplicateName,
            Self::InvalidVariable { .. } => Code::ArchiveInvalidVariable,
            Self::TooLarge { .. } => Code::TooLarge,
            Self::Unwritable => Code::Misuse,
        }
    }
}

impl From<std::io::Error> for ArchiveError {
    fn from(_: std::io::Error) -> Self {
        Self::Unwritable
    }
}
