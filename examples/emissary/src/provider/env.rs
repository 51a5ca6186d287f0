//! Environment variables.

use std::env::{self, VarError};

use super::Answer;

pub(super) fn ask(name: &str) -> Answer {
    if name.contains('=') {
        return Answer::refused("not the name of an environment variable");
    }
    match env::var(name) {
        Ok(text) => Answer::value(text),
        Err(VarError::NotPresent) => Answer::missing("not set"),
        Err(VarError::NotUnicode(_)) => Answer::refused("not UTF-8"),
    }
}
