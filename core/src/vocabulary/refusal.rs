//! What our rules do not allow.

use serde::Serialize;

use crate::code::Code;

/// A well-formed command that the rules do not allow. It is an answer and a notice, not an error.
///
/// The presenter is told the [`Class`] and little more; the audit is told everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such package, node or instance.
    Unknown,
    /// The string is not a handfast token, or its check digits are wrong: mistyped, not guessed.
    MalformedToken,
    /// The token's secret is not the one that was issued, or no such token was ever issued.
    UnknownToken,
    /// The deadline has come.
    Expired,
    /// The package was revoked, expired or retired.
    Ended,
    /// The package has not been handed out yet.
    NotDelivered,
    /// Something external that the package needs is not ready yet.
    NotReady,
    /// The package was handed to somebody else, or its window for repeating has closed.
    AlreadyDelivered,
    /// The presenter does not match a binding of the token.
    BindingMismatch,
    /// The policy does not accept an identifier that the host merely vouches for.
    ProofRequired,
    /// Somebody else has used the token up.
    AlreadyClaimed,
    /// The same presenter is too late to be given its grant again.
    GrantClosed,
    /// The subject is enrolled through another package that still lives.
    SubjectEnrolled,
    /// The name belongs to a live package.
    NameTaken,
    /// The node is retired.
    NodeRetired,
    /// The check-in is older than one already seen, or comes from another fingerprint: two machines share an identity.
    CloneSuspected,
    /// The request does not come from the instance's own address.
    WrongAddress,
    /// The time in which an address proves an instance is over.
    AddressWindowClosed,
    /// This authority may not give this command.
    NotAuthorized,
    /// The effect is not outstanding: already done, never asked for, or somebody else's lease.
    NotOutstanding,
    /// A deadline seems to have come, but the clock is not to be trusted.
    ClockSuspect,
}

/// What a presenter may be told; hosts map it to their protocol's statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nothing is here for you, and nobody says why: unknown, ended and wrong look the same.
    NotFound,
    /// What you presented does not entitle you.
    Denied,
    /// It collides with what already is.
    Conflict,
    /// Not yet; try again later.
    Later,
    /// It was not well-formed.
    Malformed,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Unknown => Code::Unknown,
            Self::MalformedToken => Code::MalformedToken,
            Self::UnknownToken => Code::UnknownToken,
            Self::Expired => Code::Expired,
            Self::Ended => Code::Ended,
            Self::NotDelivered => Code::NotDelivered,
            Self::NotReady => Code::NotReady,
            Self::AlreadyDelivered => Code::AlreadyDelivered,
            Self::BindingMismatch => Code::BindingMismatch,
            Self::ProofRequired => Code::ProofRequired,
            Self::AlreadyClaimed => Code::AlreadyClaimed,
            Self::GrantClosed => Code::GrantClosed,
            Self::SubjectEnrolled => Code::SubjectEnrolled,
            Self::NameTaken => Code::NameTaken,
            Self::NodeRetired => Code::NodeRetired,
            Self::CloneSuspected => Code::CloneSuspected,
            Self::WrongAddress => Code::WrongAddress,
            Self::AddressWindowClosed => Code::AddressWindowClosed,
            Self::NotAuthorized => Code::NotAuthorized,
            Self::NotOutstanding => Code::NotOutstanding,
            Self::ClockSuspect => Code::ClockSuspect,
        }
    }

    /// What the presenter may be told.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Unknown
            | Self::Ended
            | Self::WrongAddress
            | Self::AddressWindowClosed
            | Self::NodeRetired => Class::NotFound,
            Self::UnknownToken
            | Self::Expired
            | Self::NotDelivered
            | Self::BindingMismatch
            | Self::ProofRequired
            | Self::AlreadyClaimed
            | Self::GrantClosed
            | Self::SubjectEnrolled
            | Self::CloneSuspected
            | Self::NotAuthorized => Class::Denied,
            Self::AlreadyDelivered | Self::NameTaken | Self::NotOutstanding => Class::Conflict,
            Self::NotReady | Self::ClockSuspect => Class::Later,
            Self::MalformedToken => Class::Malformed,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.code().explanation().trim().trim_end_matches('.'))
    }
}
