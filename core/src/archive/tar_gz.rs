//! The tar, inside gzip.

use std::borrow::Cow;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use super::{ArchiveError, FileName, TIME};
use crate::secret::SecretBytes;

/// What gzip's header says of the system that wrote it: nothing (RFC 1952 section 2.3.1).
const UNKNOWN_SYSTEM: u8 = 255;

type Writer = Builder<GzEncoder<Vec<u8>>>;

pub(super) fn write(
    folders: &[String],
    files: &[(&FileName, u32, Cow<'_, [u8]>)],
    room: usize,
) -> Result<SecretBytes, ArchiveError> {
    let gzip = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
    let mut tar = Builder::new(gzip.write(Vec::with_capacity(room), Compression::default()));
    for folder in folders {
        append(&mut tar, EntryType::Directory, folder, 0o755, &[])?;
    }
    for (name, mode, content) in files {
        append(&mut tar, EntryType::Regular, name.as_str(), *mode, content)?;
    }
    Ok(SecretBytes::new(tar.into_inner()?.finish()?))
}

fn append(
    tar: &mut Writer,
    kind: EntryType,
    name: &str,
    mode: u32,
    content: &[u8],
) -> Result<(), ArchiveError> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(TIME.into());
    header.set_size(u64::try_from(content.len()).map_err(|_| ArchiveError::Unwritable)?);
    header.set_cksum();
    Ok(tar.append(&header, content)?)
}
