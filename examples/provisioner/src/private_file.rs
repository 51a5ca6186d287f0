//! Files that hold secrets: mode 0600 from their first byte, whole or not there at all.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Makes a file that must not exist yet; whoever loses the race gets [`io::ErrorKind::AlreadyExists`].
pub(crate) fn create(path: &Path, contents: &[u8]) -> io::Result<()> {
    make_folder_of(path)?;
    let temporary = write_beside(path, contents)?;
    let linked = std::fs::hard_link(&temporary, path);
    clear_beside(path)?;
    match linked {
        // Whoever won has cleared ours away with what others had left.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => {
            Err(io::ErrorKind::AlreadyExists.into())
        }
        other => other.and_then(|()| sync_folder(path)),
    }
}

/// Makes or replaces a file.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, contents)?;
    std::fs::rename(&temporary, path)?;
    clear_beside(path)?;
    sync_folder(path)
}

/// Removes a file, and what killed processes left beside it; that it is not there is as good.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    remove_if_there(path)?;
    clear_beside(path)?;
    sync_folder(path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes what was half-written for this file by whoever did not come to its end. One that is still at it, on whose behalf
/// somebody else has done it by now, finds its file gone and tries again.
fn clear_beside(path: &Path) -> io::Result<()> {
    let own = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    for entry in std::fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let drawn = name.strip_prefix(&own).and_then(|rest| rest.strip_suffix(TEMPORARY));
        if drawn.is_some_and(|drawn| drawn.len() == 16 && drawn.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a folder that only its owner can look into, and clears it of what an earlier process left half-written. Unless
/// this process is `alone` with it, what is young may be another one's that is still at it.
pub(crate) fn prepare_folder(path: &Path, alone: bool) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let left = entry.file_name().to_string_lossy().ends_with(TEMPORARY);
        if left && (alone || is_old(&entry)) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether nobody but the owner may read it.
pub(crate) fn is_private(path: &Path) -> io::Result<bool> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 == 0)
}

/// Makes an empty file and its folder if there is none, so that a database is private from its first byte.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    make_folder_of(path)?;
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Whether it was written long before now. What is gone meanwhile is nobody's trouble.
fn is_old(entry: &std::fs::DirEntry) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD))
}

/// Makes the folder that a file shall be in.
fn make_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

const OLD: Duration = Duration::from_secs(60);
const TEMPORARY: &str = ".provisioner-tmp";

fn write_beside(path: &Path, contents: &[u8]) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{:016x}{TEMPORARY}", rand::random::<u64>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(contents)?;
    file.sync_all()?;
    Ok(temporary)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_whole_and_never_overwritten_by_create() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one").unwrap();
        assert!(is_private(&path).unwrap());
        assert_eq!(create(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// A process that is killed between writing and putting in place leaves a secret behind: whoever comes next to this file,
    /// to make it, to make it anew or to delete it, takes that away.
    #[test]
    fn whoever_comes_to_a_file_next_clears_what_was_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("a.b"));
        let left = || std::fs::read_dir(folder.path()).unwrap().count();
        write_beside(&other, b"somebody else's").unwrap();
        for act in [
            |path: &Path| create(path, b"one"),
            |path: &Path| create(path, b"one").or(Ok(())),
            |path: &Path| replace(path, b"two"),
            |path: &Path| remove(path),
        ] {
            write_beside(&path, b"half").unwrap();
            act(&path).unwrap();
            assert_eq!(left(), 1 + usize::from(path.exists()));
        }
    }

    #[test]
    fn what_a_killed_process_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        write_beside(&folder.path().join("a"), b"half").unwrap();
        create(&folder.path().join("b"), b"whole").unwrap();
        let left = || std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
        prepare_folder(folder.path(), false).unwrap();
        assert_eq!(left().count(), 2);
        prepare_folder(folder.path(), true).unwrap();
        assert_eq!(left().collect::<Vec<_>>(), ["b"]);
    }
}
