//! What happens at the first boot.

use std::collections::BTreeSet;

use super::{File, FilePath, IgnitionVersion, UserData, UserDataError, cloud_config, file, ignition, unit};
use crate::{limits, secret::Secret};

/// A token for a file, and the command that is started with it, once.
#[derive(Clone, Debug)]
pub struct FirstBoot {
    /// The token's file first.
    files: Vec<File>,
    command: Vec<String>,
}

impl FirstBoot {
    /// The token is written as it is, without a line end. The first word of the command is the absolute path of a program, and
    /// no word is interpreted by anybody. Every user of the machine sees a command: it names the token's file, not the token.
    ///
    /// # Errors
    /// `userdata_invalid` for a token that is empty or is no plain text in one line, for a command without an absolute
    /// path, with a control character, or beyond [`limits::USER_DATA_ARGUMENTS`] and [`limits::USER_DATA_ARGUMENT_BYTES`].
    pub fn new<W: Into<String>>(
        token: Secret,
        token_path: FilePath,
        command: impl IntoIterator<Item = W>,
    ) -> Result<Self, UserDataError> {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let text = token.expose();
        if !matches!(text.len(), 1..=limits::JWT_BYTES) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UserDataError::Invalid { field: "token", expected: "a token, without white space" });
        }
        if !command.first().is_some_and(|program| file::is_path(program)) {
            return Err(UserDataError::Invalid {
                field: "command",
                expected: "the absolute path of a program",
            });
        }
        if command.len() > limits::USER_DATA_ARGUMENTS || !command.iter().all(|word| is_word(word)) {
            let expected = "at most 64 words of up to 4096 bytes without control characters";
            return Err(UserDataError::Invalid { field: "command", expected });
        }
        if command.iter().any(|word| word.contains(text)) {
            return Err(UserDataError::Invalid {
                field: "command",
                expected: "the token's path, not the token",
            });
        }
        let boot = Self { files: Vec::new(), command };
        boot.with_file(File::private(token_path, token))
    }

    /// Writes one more file, before the command is started.
    ///
    /// # Errors
    /// `userdata_invalid` for a path that is taken, for more than [`limits::FILE_BYTES`], and for more than
    /// [`limits::USER_DATA_FILES`] files.
    pub fn with_file(mut self, file: File) -> Result<Self, UserDataError> {
        if file.content.expose().len() > limits::FILE_BYTES || self.files.len() > limits::USER_DATA_FILES {
            let expected = "at most 16 files of up to 64 KiB each";
            return Err(UserDataError::Invalid { field: "files", expected });
        }
        let taken: BTreeSet<_> =
            self.files.iter().map(|file| file.path.as_str()).chain([unit::PATH]).collect();
        let path = file.path.as_str();
        let clashes = |other: &&str| is_within(path, other) || is_within(other, path);
        if taken.iter().any(clashes) {
            return Err(UserDataError::Invalid {
                field: "files",
                expected: "each path once, and none within another",
            });
        }
        self.files.push(file);
        Ok(self)
    }

    /// An Ignition configuration. Its bytes follow from what was given alone.
    #[must_use]
    pub fn ignition(&self, version: IgnitionVersion) -> UserData {
        ignition::write(version, &self.files, &self.unit())
    }

    /// A cloud-init configuration, `#cloud-config` and JSON, which is YAML that no reader takes for something else.
    #[must_use]
    pub fn cloud_config(&self) -> UserData {
        cloud_config::write(&self.files, &self.unit())
    }

    fn unit(&self) -> String {
        let token = self.files.first().map_or("", |file| file.path.as_str());
        unit::write(token, &self.command)
    }
}

fn is_word(word: &str) -> bool {
    word.len() <= limits::USER_DATA_ARGUMENT_BYTES && !word.chars().any(char::is_control)
}

/// Whether they are the same, or one is a folder of the other.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
