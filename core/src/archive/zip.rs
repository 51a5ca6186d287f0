//! The zip.

use std::{borrow::Cow, io::Write as _};

use flate2::{Compress, Compression, FlushCompress, Status};
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter, time::UtcDateTime};
use zeroize::Zeroizing;

use super::{ArchiveError, FileName, TIME};
use crate::secret::SecretBytes;

/// The types of files in a Unix mode (`S_IFREG` and `S_IFDIR`).
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

pub(super) fn write(
    folders: &[String],
    files: &[(&FileName, u32, Cow<'_, [u8]>)],
    room: usize,
) -> Result<SecretBytes, ArchiveError> {
    let time = UtcDateTime::from_unix(TIME.into());
    let mut zip = ZipArchiveWriter::new(Vec::with_capacity(room));
    for folder in folders {
        zip.new_dir(folder.as_str()).last_modified(time).unix_permissions(DIRECTORY | 0o755).create()?;
    }
    let mut deflate = Compress::new(Compression::default(), false);
    for (name, mode, content) in files {
        let member = zip.new_file(name.as_str()).last_modified(time).unix_permissions(REGULAR | mode);
        let (mut member, _) = member.compression_method(CompressionMethod::DEFLATE).start()?;
        member.write_all(&deflated(&mut deflate, content)?)?;
        let size = u64::try_from(content.len()).map_err(|_| ArchiveError::Unwritable)?;
        member.finish(DataDescriptorOutput::new(crc32fast::hash(content), size))?;
    }
    Ok(SecretBytes::new(zip.finish()?))
}

/// Compresses a whole file with a compressor that the files share: setting one up costs more than a small file.
fn deflated(deflate: &mut Compress, content: &[u8]) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    // What does not shrink is stored in blocks of at most 64 KiB, with a few bytes before each.
    let room = content.len().saturating_add(content.len() / 64).saturating_add(256);
    let mut output = Zeroizing::new(Vec::with_capacity(room));
    deflate.reset();
    match deflate.compress_vec(content, &mut output, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => Ok(output),
        Ok(Status::Ok | Status::BufError) | Err(_) => Err(ArchiveError::Unwritable),
    }
}

impl From<rawzip::Error> for ArchiveError {
    fn from(_: rawzip::Error) -> Self {
        Self::Unwritable
    }
}
