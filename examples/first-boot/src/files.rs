//! Files that nobody else can read, written whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use handfast::Secret;

/// Bytes of a token file: a token has 93.
const TOKEN_BYTES: u64 = 4096;

/// The folder of the node's state, mode 0700.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// A folder within, mode 0700.
    pub(crate) fn within(&self, name: &str) -> io::Result<Self> {
        Self::open(&self.0.join(name))
    }

    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Secret>> {
        match fs::read_to_string(self.0.join(name)) {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file with mode 0600: beside its place first, and moved there when it is on the disk.
    pub(crate) fn write(&self, name: &str, content: &Secret) -> io::Result<()> {
        let place = self.0.join(name);
        let beside = self.0.join(format!(".{name}.new"));
        let _left_by_an_earlier_life = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(content.expose().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &place)?;
        File::open(&self.0)?.sync_all()
    }
}

/// Reads a secret from a file, without the white space around it.
pub(crate) fn read_secret(path: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    File::open(path)?.take(TOKEN_BYTES).read_to_string(&mut text)?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// Overwrites a file that holds a secret and deletes it, if it is the one that is meant. On flash and on copying file systems
/// overwriting is no guarantee, which is why the token is dead by now.
pub(crate) fn destroy(path: &Path, is_meant: impl Fn(&Secret) -> bool) -> io::Result<()> {
    let held = match read_secret(path) {
        Ok(held) => held,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !is_meant(&held) {
        return Ok(());
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len().min(TOKEN_BYTES);
    file.write_all(&vec![0; usize::try_from(length).unwrap_or(0)])?;
    file.sync_all()?;
    fs::remove_file(path)
}
