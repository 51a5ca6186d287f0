//! The core's errors on their way to the class `HandfastError` of `lib/error.mjs`.

use handfast::{
    archive::ArchiveError,
    audit::Break,
    aws::{AwsError, identity::IdentityError},
    choria::ChoriaError,
    code::Code,
    crypto::CryptoError,
    id::InvalidId,
    kubernetes::KubernetesError,
    link::LinkError,
    serviceradar::ServiceRadarError,
    sns::SnsError,
    spire::SpireError,
    template::TemplateError,
    userdata::UserDataError,
    vocabulary::Error,
    wireguard::WireGuardError,
};
use serde::Serialize;

use crate::names;

/// What every function of this crate gives.
pub(crate) type Result<T> = std::result::Result<T, napi::Error<Carried>>;

/// What kind of error is thrown, for `lib/native.mjs`.
#[derive(Debug)]
pub enum Carried {
    /// Its text is a [`Failure`] in JSON, to make a `HandfastError` of.
    Failure,
    /// The machine is at fault, and not handfast's input.
    System,
}

impl AsRef<str> for Carried {
    fn as_ref(&self) -> &str {
        match self {
            Self::Failure => "handfast",
            Self::System => "system",
        }
    }
}

#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

impl Failure {
    fn new(code: Code, message: String) -> Self {
        let (path, temporary, position, key, version) = (None, None, None, None, None);
        Self { code: code.as_str(), message, path, temporary, position, key, version }
    }

    fn carry(&self) -> napi::Error<Carried> {
        napi::Error::new(Carried::Failure, serde_json::to_string(self).unwrap_or_default())
    }
}

/// An error of the core that can be thrown.
pub(crate) trait Throw {
    fn throw(self) -> napi::Error<Carried>;
}

impl Throw for Error {
    fn throw(self) -> napi::Error<Carried> {
        match self {
            Self::Input { path, message } => invalid(&names::path(&path), &names::message(&message)),
            Self::CorruptRecord(_)
            | Self::NewerSchema(_)
            | Self::MissingKey(_)
            | Self::MissingSecret(_)
            | Self::Crypto(_)
            | Self::Rule(_)
            | Self::Busy
            | Self::Misuse(_) => Failure::new(self.code(), self.to_string()).carry(),
        }
    }
}

impl Throw for SnsError {
    fn throw(self) -> napi::Error<Carried> {
        let temporary = Some(self.is_temporary());
        Failure { temporary, ..Failure::new(self.code(), self.to_string()) }.carry()
    }
}

impl Throw for Break {
    fn throw(self) -> napi::Error<Carried> {
        let failure = Failure::new(self.code(), self.to_string());
        Failure { position: self.position, key: self.key, version: self.version, ..failure }.carry()
    }
}

impl Throw for LinkError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for AwsError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for IdentityError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for ChoriaError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for KubernetesError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for TemplateError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for WireGuardError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for ArchiveError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for ServiceRadarError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for SpireError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for UserDataError {
    fn throw(self) -> napi::Error<Carried> {
        Failure::new(self.code(), self.to_string()).carry()
    }
}

impl Throw for CryptoError {
    fn throw(self) -> napi::Error<Carried> {
        Error::from(self).throw()
    }
}

impl Throw for InvalidId {
    fn throw(self) -> napi::Error<Carried> {
        Error::from(self).throw()
    }
}

/// What is wrong with an argument, and where it stands.
pub(crate) fn invalid(path: &str, message: &str) -> napi::Error<Carried> {
    let text = if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") };
    Failure { path: Some(path.to_owned()), ..Failure::new(Code::InvalidInput, text) }.carry()
}

/// The machine gives no entropy.
pub(crate) fn no_entropy(error: &dyn std::fmt::Display) -> napi::Error<Carried> {
    napi::Error::new(Carried::System, format!("the system gives no entropy: {error}"))
}
