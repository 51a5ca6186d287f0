//! Files, read within limits and written whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use handfast::template::WriteFile;

/// Reads text of at most so many bytes.
pub(crate) fn read_text(path: &Path, limit: usize) -> io::Result<String> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let length = File::open(path)?.take(most).read_to_string(&mut text)?;
    if length > limit { Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large")) } else { Ok(text) }
}

/// Writes beside the place, with its permission bits before anything is in it, and moves it there when it is on the disk.
/// Folders that are not there are made.
pub(crate) fn write(order: &WriteFile<'_>) -> io::Result<()> {
    let place = Path::new(order.path);
    let (Some(name), Some(folder)) = (place.file_name(), place.parent()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, "not the path of a file"));
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let beside = folder.join(format!(".{}.emissary", name.to_string_lossy()));
    let written = write_new(&beside, order).and_then(|()| fs::rename(&beside, place));
    if written.is_err() {
        let _left_behind = fs::remove_file(&beside);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(beside: &Path, order: &WriteFile<'_>) -> io::Result<()> {
    let _left_by_an_earlier_life = fs::remove_file(beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
    file.set_permissions(Permissions::from_mode(order.mode.bits()))?;
    file.write_all(order.content.expose().as_bytes())?;
    file.sync_all()
}
