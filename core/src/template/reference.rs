//! Which secret, and what to do without it.

use std::{fmt, sync::Arc};

use super::{TemplateError, error};
use crate::{limits, secret::Secret};

/// Where a secret is: the name of a provider, which the host knows, and an id that means something to the provider. Neither
/// is secret; both are shown in errors and logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    provider: Arc<str>,
    id: Arc<str>,
}

impl Reference {
    /// Checks both parts. The id is the provider's own: one that makes a path of it must still refuse `..`.
    ///
    /// # Errors
    /// `template_secret` for a provider that is not of lower-case letters, digits, `-` and `_` (at most
    /// [`limits::KIND_BYTES`]), and for an id that is empty or has a control character; `too_large` for one beyond
    /// [`limits::TEMPLATE_ID_BYTES`].
    pub fn new(provider: &str, id: &str) -> Result<Self, TemplateError> {
        let is_part =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if provider.is_empty() || provider.len() > limits::KIND_BYTES || !provider.bytes().all(is_part) {
            let expected = "1 to 32 lower-case letters, digits, hyphens and underscores";
            return Err(TemplateError::Reference { part: "provider", expected });
        }
        error::at_most(id, limits::TEMPLATE_ID_BYTES, "the id of a secret")?;
        if id.is_empty() || id.chars().any(char::is_control) {
            let expected = "a text without control characters";
            return Err(TemplateError::Reference { part: "id", expected });
        }
        Ok(Self { provider: provider.into(), id: id.into() })
    }

    /// Who is to be asked.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// For what.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// `provider id`.
impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.provider, self.id)
    }
}

/// What happens while a secret is missing. A value that has come once stays until another comes, whatever this says. A
/// deadline counts from the start, and only once a provider has answered about the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing is written until it is there, however long that takes.
    Wait,
    /// Another value is used: as soon as the provider says that there is none or that it will not give it, or from the
    /// deadline on, whatever the reason.
    Default {
        /// The value.
        value: Secret,
        /// Seconds since the start.
        deadline_seconds: Option<u32>,
    },
    /// The same with the empty text.
    Optional {
        /// Seconds since the start.
        deadline_seconds: Option<u32>,
    },
    /// The template ends with `template_deadline`.
    Fail {
        /// Seconds since the start.
        deadline_seconds: u32,
    },
}

impl Missing {
    /// `wait`, `default`, `optional` or `fail`, as the front matter has it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Default { .. } => "default",
            Self::Optional { .. } => "optional",
            Self::Fail { .. } => "fail",
        }
    }

    /// Seconds since the start after which it is given up.
    #[must_use]
    pub fn deadline_seconds(&self) -> Option<u32> {
        match self {
            Self::Wait => None,
            Self::Default { deadline_seconds, .. } | Self::Optional { deadline_seconds } => *deadline_seconds,
            Self::Fail { deadline_seconds } => Some(*deadline_seconds),
        }
    }

    /// What is used instead, where something is.
    pub(super) fn substitute(&self) -> Option<Secret> {
        match self {
            Self::Wait | Self::Fail { .. } => None,
            Self::Default { value, .. } => Some(value.clone()),
            Self::Optional { .. } => Some(Secret::new(String::new())),
        }
    }
}

/// A secret that a template needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Which.
    pub reference: Reference,
    /// What to do without it.
    pub missing: Missing,
    /// The variable of the engine that holds it.
    pub(super) variable: String,
}
