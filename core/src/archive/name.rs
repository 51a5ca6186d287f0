//! Names that mean the same file everywhere, and nothing but a file below the folder that is unpacked into.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use super::ArchiveError;
use crate::limits;

/// The name of a file in an archive: parts of ASCII letters, digits and `._-+@=,`, with `/` between them.
///
/// An archive is unpacked by whichever program a node has, as root, on whichever file system. So nothing that any of
/// them could take for another place is a name: no absolute path, `..`, `.` or empty part, backslash, drive letter or
/// control character; nor for another file: no trailing full stop (Windows drops it), no letter that has two encodings;
/// nor for a device (`NUL`, `com1.txt`); nor for an option of a command (`-rf`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Arc<str>);

impl FileName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders that the file lies in, outermost first, without a final slash.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').filter_map(|(end, _)| self.0.get(..end))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for FileName {
    type Err = ArchiveError;

    fn from_str(text: &str) -> Result<Self, ArchiveError> {
        if text.len() > limits::ARCHIVE_NAME_BYTES {
            return Err(ArchiveError::TooLarge {
                limit: limits::ARCHIVE_NAME_BYTES,
                what: "bytes in a name",
            });
        }
        if text.split('/').count() > limits::ARCHIVE_DEPTH {
            return Err(ArchiveError::TooLarge { limit: limits::ARCHIVE_DEPTH, what: "parts in a name" });
        }
        match text.split('/').find_map(fault) {
            None => Ok(Self(text.into())),
            Some(expected) => Err(ArchiveError::InvalidName { expected }),
        }
    }
}

/// What a part of a name should have been.
fn fault(part: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@=,".contains(&byte);
    if part.is_empty() {
        Some("a relative path without empty parts")
    } else if !part.bytes().all(is_allowed) {
        Some("ASCII letters, digits and ._-+@=, with / between folders")
    } else if part.starts_with('-') {
        Some("no part that begins with a hyphen")
    } else if part.ends_with('.') {
        Some("no part that ends with a full stop, . and .. among them")
    } else if is_device(part) {
        Some("no device of Windows, such as NUL or COM1, with or without an extension")
    } else {
        None
    }
}

/// The reserved names of "Naming Files, Paths, and Namespaces" (learn.microsoft.com) that the other rules leave over.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |prefix| {
        stem.strip_prefix(prefix)
            .is_some_and(|number: &str| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// What names stand for, by their text in lower case: on Windows and macOS `A` and `a` are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken(BTreeMap<String, Use>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Use {
    File,
    /// In its one spelling.
    Folder(String),
}

impl Taken {
    /// Takes a name, and its folders.
    pub(super) fn take(&mut self, name: &FileName) -> Result<(), ArchiveError> {
        for folder in name.folders() {
            let found = self.0.entry(folder.to_ascii_lowercase());
            if *found.or_insert_with(|| Use::Folder(folder.to_owned())) != Use::Folder(folder.to_owned()) {
                return Err(ArchiveError::DuplicateName);
            }
        }
        match self.0.insert(name.as_str().to_ascii_lowercase(), Use::File) {
            None => Ok(()),
            Some(Use::File | Use::Folder(_)) => Err(ArchiveError::DuplicateName),
        }
    }
}
