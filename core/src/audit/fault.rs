//! Where a log is not whole, and what is wrong there.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{code::Code, id::Digest};

/// One place at which the log is not what handfast wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// How many bodies were fed before this one, so that it can be found in the log; absent where it is about something
    /// that never came.
    pub position: Option<u64>,
    /// The record, where the body says so.
    pub key: Option<Box<str>>,
    /// The record's version, where the body says so.
    pub version: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not an event at all.
    Malformed,
    /// It is not the text that handfast wrote, though it may say the same.
    NotCanonical,
    /// Versions before it were not seen.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// Its version was seen before, or a later one was.
    Repeated,
    /// It bears no digest of the version before it. Events of schema 1 and the one after them never did.
    Unlinked,
    /// The version before it is not the one that it was written after.
    WrongDigest {
        /// The digest of the version before it, as it was fed; none before version 1.
        actual: Option<Digest>,
        /// The digest that it bears.
        borne: Digest,
    },
    /// A head was expected here that never came.
    Unreached,
    /// Another head was expected here.
    OtherHead {
        /// The digest of what was fed.
        actual: Digest,
        /// The digest that was expected.
        expected: Digest,
    },
}

impl Break {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.fault {
            Fault::Malformed => Code::AuditMalformedFact,
            Fault::NotCanonical => Code::AuditNotCanonical,
            Fault::Missing { .. } => Code::AuditMissingFacts,
            Fault::Repeated => Code::AuditRepeatedFact,
            Fault::Unlinked => Code::AuditUnlinkedFact,
            Fault::WrongDigest { .. } => Code::AuditWrongDigest,
            Fault::Unreached => Code::AuditUnreachedHead,
            Fault::OtherHead { .. } => Code::AuditOtherHead,
        }
    }
}

/// As `{"code": .., "message": .., "position": .., "key": .., "version": ..}`, without what is absent.
impl Serialize for Break {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            code: Code,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            position: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            key: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            version: Option<u64>,
        }
        let (code, message) = (self.code(), self.fault.to_string());
        Told { code, message, position: self.position, key: self.key.as_deref(), version: self.version }
            .serialize(serializer)
    }
}

impl fmt::Display for Break {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(formatter, "entry {position}: ")?;
        }
        if let (Some(key), Some(version)) = (&self.key, self.version) {
            write!(formatter, "{key} version {version}: ")?;
        }
        self.fault.fmt(formatter)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => formatter.write_str("not an event"),
            Self::NotCanonical => formatter.write_str("not the text that handfast writes"),
            Self::Missing { first, last } if first == last => write!(formatter, "version {first} is missing"),
            Self::Missing { first, last } => write!(formatter, "versions {first} to {last} are missing"),
            Self::Repeated => formatter.write_str("comes again, or after a later version"),
            Self::Unlinked => formatter.write_str("bears no digest of the version before it"),
            Self::WrongDigest { actual: Some(actual), borne } => {
                write!(formatter, "written after {borne}, found after {actual}")
            }
            Self::WrongDigest { actual: None, borne } => {
                write!(formatter, "written after {borne}, found at the beginning")
            }
            Self::Unreached => formatter.write_str("was published, and is not in the log"),
            Self::OtherHead { actual, expected } => {
                write!(formatter, "{expected} was published, the log has {actual}")
            }
        }
    }
}

impl std::error::Error for Break {}
