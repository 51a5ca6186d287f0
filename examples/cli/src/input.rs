//! What is given to the program: files, standard input, and never a secret in an argument.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::Args;
use handfast::{Secret, json};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// More than any input may have.
const INPUT_BYTES: usize = 4 * 1024 * 1024;

/// Whether standard input has been read: it gives one document, and nothing to who reads it after that.
static STANDARD_INPUT_IS_READ: AtomicBool = AtomicBool::new(false);

/// A file, or standard input.
#[derive(Args, Debug)]
pub(crate) struct Input {
    /// The file to read; standard input, when left out or -
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Input {
    /// All of it, without white space at its end: editors and `echo` add a line feed.
    pub(crate) fn text(&self) -> Result<Secret, Failure> {
        secret(self.file.as_deref().unwrap_or(Path::new("-")), "FILE")
    }
}

/// The text of a file, without white space at its end; `-` is standard input. Errors name the option, never the path: what
/// was given there may be the secret itself.
pub(crate) fn secret(path: &Path, option: &str) -> Result<Secret, Failure> {
    let text = String::from_utf8(bytes(path, option)?);
    let text = text.map_err(|_| Failure::other(format!("{option}: expected text in UTF-8")))?;
    Ok(Secret::new(text.trim_end().to_owned()))
}

/// A document of a file; `-` is standard input. An error names the place and nothing that stands there.
pub(crate) fn json<T: DeserializeOwned>(path: &Path, option: &str) -> Result<T, Failure> {
    let value = json::parse(&bytes(path, option)?, INPUT_BYTES)
        .map_err(|error| Failure::coded(error.code(), format!("{option}: {error}")))?;
    handfast::vocabulary::from_value(value, "")
        .map_err(|error| Failure::coded(error.code(), format!("{option}: {error}")))
}

/// The bytes of a file; `-` is standard input.
pub(crate) fn bytes(path: &Path, option: &str) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        if STANDARD_INPUT_IS_READ.swap(true, Ordering::Relaxed) {
            return Err(Failure::Usage("two things cannot both be read from standard input"));
        }
        return read(io::stdin(), option);
    }
    let file = File::open(path).map_err(|error| Failure::other(format!("{option}: {error}")))?;
    read(file, option)
}

fn read(source: impl io::Read, option: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(INPUT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    source
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::other(format!("{option}: {error}")))?;
    if bytes.len() > INPUT_BYTES {
        return Err(Failure::other(format!("{option}: longer than {INPUT_BYTES} bytes")));
    }
    Ok(bytes)
}
