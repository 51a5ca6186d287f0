//! Files below one folder.

use std::{
    io::{self, ErrorKind},
    path::{Component, Path, PathBuf},
};

use handfast::limits;

use super::Answer;

pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self(root)
    }

    /// The text of a file, without one line's end at its end.
    pub(super) fn ask(&self, id: &str) -> Answer {
        if !Path::new(id).components().all(|part| matches!(part, Component::Normal(_))) {
            return Answer::refused("not a path within the folder");
        }
        match self.read(id) {
            Ok(Some(text)) => Answer::value(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)),
            Ok(None) => Answer::refused("leads out of the folder"),
            Err(error) if error.kind() == ErrorKind::NotFound => Answer::missing(error.to_string()),
            Err(error) if is_lasting(error.kind()) => Answer::refused(error.to_string()),
            Err(error) => Answer::unavailable(error.to_string()),
        }
    }

    /// `None` where a symbolic link leads out.
    fn read(&self, id: &str) -> io::Result<Option<String>> {
        let (root, path) = (self.0.canonicalize()?, self.0.join(id).canonicalize()?);
        if !path.starts_with(&root) {
            return Ok(None);
        }
        crate::file::read_text(&path, limits::TEMPLATE_VALUE_BYTES + 2).map(Some)
    }
}

fn is_lasting(kind: ErrorKind) -> bool {
    [
        ErrorKind::PermissionDenied,
        ErrorKind::InvalidData,
        ErrorKind::FileTooLarge,
        ErrorKind::IsADirectory,
        ErrorKind::NotADirectory,
    ]
    .contains(&kind)
}
