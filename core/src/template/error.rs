//! Why a template is not accepted, or ends.

use super::Reference;
use crate::code::Code;

/// What is wrong with a template or its secrets. No message repeats a value, or text of the template other than names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Longer than its limit.
    #[error("{what} is longer than {limit} {unit}")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What it counts.
        unit: &'static str,
    },
    /// The front matter is missing, or not of its form.
    #[error("front matter: {what}")]
    FrontMatter {
        /// What is wrong.
        what: String,
    },
    /// `mode` is missing, or means something else than it looks like.
    #[error("mode: {what}")]
    Mode {
        /// What is wrong.
        what: &'static str,
    },
    /// `onrender` cannot be run, or could be split in two ways.
    #[error("command: {what}")]
    Command {
        /// What is wrong.
        what: &'static str,
    },
    /// The body is not of its syntax.
    #[error("line {line}: {what}")]
    Syntax {
        /// The line of the file, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A provider or an id is not of its grammar.
    #[error("{part} of a secret: expected {expected}")]
    Reference {
        /// Which part.
        part: &'static str,
        /// Its grammar.
        expected: &'static str,
    },
    /// What is declared and what is used are not the same.
    #[error("secret {name}: {what}")]
    Declaration {
        /// The name under which it is declared or used.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The engine gave up: an undefined value, a wrong type, too much work.
    #[error("line {line}: {what}")]
    Render {
        /// The line of the file, from 1; 0 where it is not known.
        line: usize,
        /// The engine's reason, in its own words, without values.
        what: String,
    },
    /// A secret that must be there in time is not.
    #[error("secret {0} did not come in time")]
    Deadline(Reference),
    /// The provider refuses for good.
    #[error("secret {0} is refused")]
    Refused(Reference),
    /// The caller's mistake: a secret that nobody asked for, a report on nothing.
    #[error("misuse: {0}")]
    Misuse(&'static str),
}

impl TemplateError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::TooLarge,
            Self::FrontMatter { .. } => Code::TemplateFrontMatter,
            Self::Mode { .. } => Code::TemplateMode,
            Self::Command { .. } => Code::TemplateCommand,
            Self::Syntax { .. } => Code::TemplateSyntax,
            Self::Reference { .. } | Self::Declaration { .. } => Code::TemplateSecret,
            Self::Render { .. } => Code::TemplateRender,
            Self::Deadline(_) => Code::TemplateDeadline,
            Self::Refused(_) => Code::TemplateRefused,
            Self::Misuse(_) => Code::Misuse,
        }
    }

    pub(super) fn front(what: impl Into<String>) -> Self {
        Self::FrontMatter { what: what.into() }
    }
}

/// Refuses what is longer than its limit in bytes.
pub(super) fn at_most(text: &str, limit: usize, what: &'static str) -> Result<(), TemplateError> {
    if text.len() > limit { Err(TemplateError::TooLarge { what, limit, unit: "bytes" }) } else { Ok(()) }
}
