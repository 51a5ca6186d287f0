//! What is given to the program: files, standard input, and never a secret in an argument.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;
use handfast::Secret;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// More than any input may have.
const INPUT_BYTES: u64 = 4 * 1024 * 1024;

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
        match self.file.as_deref() {
            None => trimmed(read(io::stdin(), "standard input")?),
            Some(path) => secret(path),
        }
    }
}

/// The text of a file, without white space at its end; `-` is standard input.
pub(crate) fn secret(path: &Path) -> Result<Secret, Failure> {
    trimmed(bytes(path)?)
}

/// A document of a file; `-` is standard input. An error names the place and nothing that stands there.
pub(crate) fn json<T: DeserializeOwned>(path: &Path, option: &str) -> Result<T, Failure> {
    let value = serde_json::from_slice(&bytes(path)?)
        .map_err(|_| Failure::other(format!("{option}: expected JSON")))?;
    handfast::vocabulary::from_value(value, "")
        .map_err(|error| Failure::coded(error.code(), format!("{option}: {error}")))
}

/// The bytes of a file; `-` is standard input.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return read(io::stdin(), "standard input");
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::other(format!("{name}: {error}")))?;
    read(file, &name)
}

fn read(source: impl io::Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source
        .take(INPUT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::other(format!("{name}: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > INPUT_BYTES) {
        return Err(Failure::other(format!("{name}: longer than {INPUT_BYTES} bytes")));
    }
    Ok(bytes)
}

fn trimmed(bytes: Vec<u8>) -> Result<Secret, Failure> {
    let text = String::from_utf8(bytes).map_err(|_| Failure::other("expected text in UTF-8"))?;
    Ok(Secret::new(text.trim_end().to_owned()))
}
