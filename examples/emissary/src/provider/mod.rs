//! Where secrets come from.

#[cfg(feature = "aws")]
mod awssm;
mod env;
mod file;

use std::io;

use handfast::{
    Secret,
    template::{Reference, Supply},
};

use crate::cli::Cli;

/// What a provider says, and in words why there is nothing. The words name no value.
pub(crate) struct Answer {
    pub(crate) supply: Supply,
    pub(crate) reason: Option<String>,
}

impl Answer {
    /// An empty text counts as missing: a file that is just being made is empty for a moment.
    fn value(text: String) -> Self {
        match text.is_empty() {
            true => Self::missing("empty"),
            false => Self { supply: Supply::Value(Secret::new(text)), reason: None },
        }
    }

    fn missing(reason: impl Into<String>) -> Self {
        Self { supply: Supply::Missing, reason: Some(reason.into()) }
    }

    fn unavailable(reason: impl Into<String>) -> Self {
        Self { supply: Supply::Unavailable, reason: Some(reason.into()) }
    }

    fn refused(reason: impl Into<String>) -> Self {
        Self { supply: Supply::Refused, reason: Some(reason.into()) }
    }
}

/// All providers that this program was built with.
pub(crate) struct Providers {
    file: file::Folder,
    #[cfg(feature = "aws")]
    awssm: awssm::SecretsManager,
}

impl Providers {
    pub(crate) fn new(cli: &Cli) -> io::Result<Self> {
        Ok(Self {
            file: file::Folder::new(cli.file_dir.clone()),
            #[cfg(feature = "aws")]
            awssm: awssm::SecretsManager::new()?,
        })
    }

    pub(crate) fn ask(&self, secret: &Reference) -> Answer {
        match secret.provider() {
            "file" => self.file.ask(secret.id()),
            "env" => env::ask(secret.id()),
            #[cfg(feature = "aws")]
            "awssm" => self.awssm.ask(secret.id()),
            _ => Answer::refused("no such provider"),
        }
    }
}
