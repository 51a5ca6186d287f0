//! What the program gives: one JSON document on standard output, and files that nobody else can read.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use handfast::Secret;
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Prints a document.
#[expect(clippy::print_stdout, reason = "what a command-line program is asked for")]
pub(crate) fn print(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::other(error.to_string()))?;
    println!("{text}");
    Ok(())
}

/// Where a secret that was made goes.
#[derive(Args, Debug)]
pub(crate) struct Out {
    /// Write the secret into this new file of mode 0600 instead of into the JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Out {
    /// What the document says of a secret: itself, or the file that it is in now.
    pub(crate) fn give(&self, secret: &Secret) -> Result<Value, Failure> {
        match &self.out {
            Some(path) => {
                write(path, secret.expose().as_bytes())?;
                Ok(json!({ "file": path }))
            }
            None => Ok(secret.expose().into()),
        }
    }

    /// Refuses before anything is made what could not be written afterwards.
    pub(crate) fn is_free(&self) -> Result<(), Failure> {
        match &self.out {
            Some(path) if path.exists() => Err(Failure::other(format!("{}: exists already", path.display()))),
            Some(_) | None => Ok(()),
        }
    }
}

/// Writes a file of mode 0600 that was not there before; a crash leaves all of it or nothing.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::other(format!("{}: {error}", path.display()));
    let beside = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::hard_link(&beside, path)
    });
    let removed = fs::remove_file(&beside);
    written.and(removed).map_err(failed)
}
