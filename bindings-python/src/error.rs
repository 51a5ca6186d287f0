//! The core's errors as the exceptions that `handfast/errors.py` defines.

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
    sns,
    spire::SpireError,
    template::TemplateError,
    userdata::UserDataError,
    vocabulary::Error,
    wireguard::WireGuardError,
};
use pyo3::prelude::*;

/// The exceptions, which are defined in Python so that they are ordinary classes there.
mod python {
    pyo3::import_exception!(handfast.errors, ArchiveError);
    pyo3::import_exception!(handfast.errors, AuditError);
    pyo3::import_exception!(handfast.errors, AwsError);
    pyo3::import_exception!(handfast.errors, Busy);
    pyo3::import_exception!(handfast.errors, ChoriaError);
    pyo3::import_exception!(handfast.errors, CryptoError);
    pyo3::import_exception!(handfast.errors, InvalidInput);
    pyo3::import_exception!(handfast.errors, KubernetesError);
    pyo3::import_exception!(handfast.errors, LinkError);
    pyo3::import_exception!(handfast.errors, MissingKey);
    pyo3::import_exception!(handfast.errors, Misuse);
    pyo3::import_exception!(handfast.errors, RuleError);
    pyo3::import_exception!(handfast.errors, ServiceRadarError);
    pyo3::import_exception!(handfast.errors, SnsError);
    pyo3::import_exception!(handfast.errors, SpireError);
    pyo3::import_exception!(handfast.errors, StoreError);
    pyo3::import_exception!(handfast.errors, TemplateError);
    pyo3::import_exception!(handfast.errors, UserDataError);
    pyo3::import_exception!(handfast.errors, WireGuardError);
}

/// Turns an error of the core into its exception, with its code.
pub(crate) trait Raise {
    fn raise(self) -> PyErr;
}

impl Raise for Error {
    fn raise(self) -> PyErr {
        let arguments = (self.to_string(), self.code().as_str());
        match self {
            Self::Input { path, .. } => python::InvalidInput::new_err((arguments.0, arguments.1, path)),
            Self::CorruptRecord(_) | Self::NewerSchema(_) | Self::MissingSecret(_) => {
                python::StoreError::new_err(arguments)
            }
            Self::MissingKey(_) => python::MissingKey::new_err(arguments),
            Self::Crypto(_) => python::CryptoError::new_err(arguments),
            Self::Rule(_) => python::RuleError::new_err(arguments),
            Self::Busy => python::Busy::new_err(arguments),
            Self::Misuse(_) => python::Misuse::new_err(arguments),
        }
    }
}

impl Raise for sns::SnsError {
    fn raise(self) -> PyErr {
        python::SnsError::new_err((self.to_string(), self.code().as_str(), self.is_temporary()))
    }
}

impl Raise for Break {
    fn raise(self) -> PyErr {
        let key = self.key.as_deref().map(str::to_owned);
        python::AuditError::new_err((
            self.to_string(),
            self.code().as_str(),
            self.position,
            key,
            self.version,
        ))
    }
}

impl Raise for LinkError {
    fn raise(self) -> PyErr {
        python::LinkError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for AwsError {
    fn raise(self) -> PyErr {
        python::AwsError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for IdentityError {
    fn raise(self) -> PyErr {
        python::AwsError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for ChoriaError {
    fn raise(self) -> PyErr {
        python::ChoriaError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for KubernetesError {
    fn raise(self) -> PyErr {
        python::KubernetesError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for TemplateError {
    fn raise(self) -> PyErr {
        let arguments = (self.to_string(), self.code().as_str());
        match self {
            Self::Misuse(_) => python::Misuse::new_err(arguments),
            Self::TooLarge { .. }
            | Self::FrontMatter { .. }
            | Self::Mode { .. }
            | Self::Command { .. }
            | Self::Syntax { .. }
            | Self::Reference { .. }
            | Self::Declaration { .. }
            | Self::Render { .. }
            | Self::Deadline(_)
            | Self::Refused(_) => python::TemplateError::new_err(arguments),
        }
    }
}

impl Raise for WireGuardError {
    fn raise(self) -> PyErr {
        python::WireGuardError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for ArchiveError {
    fn raise(self) -> PyErr {
        python::ArchiveError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for ServiceRadarError {
    fn raise(self) -> PyErr {
        let arguments = (self.to_string(), self.code().as_str());
        if let Self::UnusableKey = self {
            return python::CryptoError::new_err(arguments);
        }
        python::ServiceRadarError::new_err(arguments)
    }
}

impl Raise for SpireError {
    fn raise(self) -> PyErr {
        python::SpireError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for UserDataError {
    fn raise(self) -> PyErr {
        python::UserDataError::new_err((self.to_string(), self.code().as_str()))
    }
}

impl Raise for CryptoError {
    fn raise(self) -> PyErr {
        Error::from(self).raise()
    }
}

impl Raise for InvalidId {
    fn raise(self) -> PyErr {
        Error::from(self).raise()
    }
}

/// What is wrong with an argument, where it stands.
pub(crate) fn invalid(path: &str, message: &str) -> PyErr {
    let text = if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") };
    python::InvalidInput::new_err((text, Code::InvalidInput.as_str(), path.to_owned()))
}
