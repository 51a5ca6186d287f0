//! `handfast archive`: packages as files.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use handfast::{
    archive::{self, ArchiveError, FileName},
    crypto::default_backend,
    secret::SecretBytes,
};
use serde_json::json;

use crate::{failure::Failure, input, output};

/// Packages as files.
#[derive(Debug, Subcommand)]
pub(crate) enum Archive {
    /// Write an archive: the same files in the same order are the same bytes
    Build(Build),
    /// Write the script that installs one, on any POSIX shell
    Installer {
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl Archive {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Build(build) => build.run(),
            Self::Installer { out } => {
                output::write(out, archive::INSTALLER.as_bytes())?;
                output::print(&json!({ "installer": { "file": out } }))
            }
        }
    }
}

/// Which kind of archive.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    #[value(name = "tar.gz")]
    TarGz,
    Zip,
}

/// Files of mode 0600, and scripts of 0700, in the order given.
#[derive(Args, Debug)]
pub(crate) struct Build {
    /// Which kind of archive
    #[arg(long, value_enum, default_value = "tar.gz")]
    form: Form,
    /// A file: its name in the archive, and where it is. May be repeated
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    file: Vec<(FileName, PathBuf)>,
    /// A file that is meant to be run. May be repeated
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    script: Vec<(FileName, PathBuf)>,
    /// Leave out the list of digests that the installer checks
    #[arg(long)]
    no_digests: bool,
    /// The new archive, of mode 0600
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Build {
    fn run(&self) -> Result<(), Failure> {
        let mut archive = archive::Archive::new();
        for (name, path) in &self.file {
            archive = archive.with_file(name.clone(), content(path, "--file")?).map_err(failed)?;
        }
        for (name, path) in &self.script {
            archive = archive.with_script(name.clone(), content(path, "--script")?).map_err(failed)?;
        }
        if !self.no_digests {
            archive = archive.with_digests().map_err(failed)?;
        }
        let bytes = match self.form {
            Form::TarGz => archive.to_tar_gz(),
            Form::Zip => archive.to_zip(),
        };
        let bytes = bytes.map_err(failed)?;
        output::write(&self.out, bytes.expose())?;
        let digest = default_backend().sha256(bytes.expose());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        output::print(
            &json!({ "archive": { "file": self.out }, "bytes": bytes.expose().len(), "sha256": digest }),
        )
    }
}

fn content(path: &Path, option: &str) -> Result<SecretBytes, Failure> {
    Ok(SecretBytes::new(input::bytes(path, option)?))
}

fn pair(text: &str) -> Result<(FileName, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=FILE")?;
    Ok((name.parse().map_err(|error: ArchiveError| error.to_string())?, path.into()))
}

fn failed(error: ArchiveError) -> Failure {
    Failure::coded(error.code(), error)
}
