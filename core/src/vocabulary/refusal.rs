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
    /// The check-in is older than one already seen, or is another attempt under the same number: two machines share an
    /// identity.
    CloneSuspected,
    /// Two machines showed the token, or shared the identity of a node of its package, and the policy locks it then.
    TokenLocked,
    /// Two machines shared the node's identity, and the policy keeps both away until an operator has decided.
    Quarantined,
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
    /// A rule of the operator's own policy denies it.
    Policy,
    /// The scope allows no more live packages, or no more reservations.
    QuotaExceeded,
    /// A package without a number of uses does not fit into a scope that counts its active ones.
    UnboundedPackage,
    /// The pool has no free item, or is not known.
    PoolEmpty,
    /// A package has the pool's item.
    PoolItemInUse,
    /// A package of this kind may not sit under such a parent, or without one.
    ParentNotAllowed,
    /// The package above it has ended.
    ParentEnded,
    /// The node is not active, so that nothing is handed to it for its children.
    NotActive,
    /// The subject is banned.
    Banned,
    /// Somebody connected whom no package names.
    UnknownSubject,
    /// Another live package names the same subject.
    SubjectTaken,
    /// The proof does not prove what it should; the code says why.
    Proof(Code),
    /// The proof has been presented before.
    ProofReplayed,
    /// The credential is not one of ours; the code says why.
    Credential(Code),
    /// The credential is another node's, or is not bound to the key that was proven.
    CredentialMismatch,
    /// The link is not one of ours or has ended; the code says why.
    Link(Code),
    /// A newer link has taken the place of this one.
    LinkReplaced,
    /// The grant was given anew as often as the policy allows.
    RecoveryExhausted,
    /// The policy does not let an issue choose this itself.
    OverrideNotAllowed,
    /// The record is still needed.
    NotEnded,
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
            Self::TokenLocked => Code::TokenLocked,
            Self::Quarantined => Code::Quarantined,
            Self::WrongAddress => Code::WrongAddress,
            Self::AddressWindowClosed => Code::AddressWindowClosed,
            Self::NotAuthorized => Code::NotAuthorized,
            Self::NotOutstanding => Code::NotOutstanding,
            Self::ClockSuspect => Code::ClockSuspect,
            Self::Policy => Code::Policy,
            Self::QuotaExceeded => Code::QuotaExceeded,
            Self::UnboundedPackage => Code::UnboundedPackage,
            Self::PoolEmpty => Code::PoolEmpty,
            Self::PoolItemInUse => Code::PoolItemInUse,
            Self::ParentNotAllowed => Code::ParentNotAllowed,
            Self::ParentEnded => Code::ParentEnded,
            Self::NotActive => Code::NotActive,
            Self::Banned => Code::Banned,
            Self::UnknownSubject => Code::UnknownSubject,
            Self::SubjectTaken => Code::SubjectTaken,
            Self::ProofReplayed => Code::ProofReplayed,
            Self::CredentialMismatch => Code::CredentialMismatch,
            Self::LinkReplaced => Code::LinkReplaced,
            Self::RecoveryExhausted => Code::RecoveryExhausted,
            Self::OverrideNotAllowed => Code::OverrideNotAllowed,
            Self::NotEnded => Code::NotEnded,
            Self::Proof(code) | Self::Credential(code) | Self::Link(code) => code,
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
            | Self::NodeRetired
            | Self::ParentEnded
            | Self::UnknownSubject
            | Self::Link(_)
            | Self::LinkReplaced => Class::NotFound,
            Self::UnknownToken
            | Self::Expired
            | Self::NotDelivered
            | Self::BindingMismatch
            | Self::ProofRequired
            | Self::AlreadyClaimed
            | Self::GrantClosed
            | Self::SubjectEnrolled
            | Self::CloneSuspected
            | Self::TokenLocked
            | Self::Quarantined
            | Self::NotAuthorized
            | Self::Policy
            | Self::UnboundedPackage
            | Self::ParentNotAllowed
            | Self::NotActive
            | Self::Banned
            | Self::Proof(_)
            | Self::ProofReplayed
            | Self::Credential(_)
            | Self::CredentialMismatch
            | Self::RecoveryExhausted
            | Self::OverrideNotAllowed => Class::Denied,
            Self::AlreadyDelivered
            | Self::NameTaken
            | Self::NotOutstanding
            | Self::QuotaExceeded
            | Self::PoolEmpty
            | Self::PoolItemInUse
            | Self::SubjectTaken
            | Self::NotEnded => Class::Conflict,
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
