//! The one table of what the rules said no to and the HTTP status that says so. The README and the OpenAPI document repeat
//! it, and the tests compare them.
//!
//! An operator is told the code. A node, which may be anybody, is told the status and the class only: whether a token is
//! unknown or was revoked is not for it to know. So what has ended is 404 for a node; for an operator, who can look at it,
//! it is there and stands in the way: 409.

use axum::http::StatusCode;
use handfast::vocabulary::{Class, Refusal};

use super::reply::Audience;

/// Writes the match and the list of what it matches from one table, so that neither can lack a row.
macro_rules! statuses {
    ($($status:ident: $($refusal:ident),+;)+) => {
        fn row(refusal: Refusal) -> StatusCode {
            match refusal {
                $($(Refusal::$refusal)|+ => StatusCode::$status,)+
                // What is wrong with a proof or a credential has many codes; none of them tells a stranger anything.
                Refusal::Proof(_) | Refusal::Credential(_) => StatusCode::UNAUTHORIZED,
                Refusal::Link(_) => StatusCode::NOT_FOUND,
            }
        }

        /// Every refusal that is one code.
        const REFUSALS: &[Refusal] = &[$($(Refusal::$refusal,)+)+];
    };
}

statuses! {
    BAD_REQUEST: MalformedToken;
    UNAUTHORIZED: ProofRequired, ProofReplayed, CredentialMismatch;
    FORBIDDEN: UnknownToken, Expired, NotDelivered, BindingMismatch, AlreadyClaimed, GrantClosed, SubjectEnrolled,
        CloneSuspected, TokenLocked, Quarantined, NotAuthorized, Policy, UnboundedPackage, ParentNotAllowed, NotActive, Banned, RecoveryExhausted,
        OverrideNotAllowed;
    NOT_FOUND: Unknown, Ended, WrongAddress, AddressWindowClosed, NodeRetired, ParentEnded, UnknownSubject, LinkReplaced;
    CONFLICT: AlreadyDelivered, NameTaken, NotOutstanding, QuotaExceeded, PoolEmpty, PoolItemInUse, SubjectTaken, NotEnded;
    SERVICE_UNAVAILABLE: NotReady, ClockSuspect;
}

/// The status of a refusal.
pub(super) fn of(refusal: Refusal, audience: Audience) -> StatusCode {
    let has_ended = matches!(refusal, Refusal::Ended | Refusal::NodeRetired | Refusal::ParentEnded);
    if audience == Audience::Operator && has_ended { StatusCode::CONFLICT } else { row(refusal) }
}

/// The table, for people: the codes of each status.
pub(super) fn table() -> Vec<(u16, Vec<String>)> {
    let mut rows: Vec<(u16, Vec<String>)> = Vec::new();
    for refusal in REFUSALS {
        let status = row(*refusal).as_u16();
        match rows.iter_mut().find(|(known, _)| *known == status) {
            Some((_, codes)) => codes.push(refusal.code().to_string()),
            None => rows.push((status, vec![refusal.code().to_string()])),
        }
    }
    for (status, codes) in &mut rows {
        match *status {
            401 => codes.extend(["proof_*".to_owned(), "jwt_*".to_owned()]),
            404 => codes.push("link_*".to_owned()),
            _ => {}
        }
    }
    rows
}

/// The class, as it is written.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::NotFound => "not_found",
        Class::Denied => "denied",
        Class::Conflict => "conflict",
        Class::Later => "later",
        Class::Malformed => "malformed",
    }
}

#[cfg(test)]
mod tests {
    use handfast::code::Code;

    use super::*;

    #[test]
    fn a_status_says_no_more_than_the_class() {
        let links = [Code::LinkExpired, Code::LinkForged].map(Refusal::Link);
        let proofs = [Refusal::Proof(Code::ProofWrongUrl), Refusal::Credential(Code::BadSignature)];
        for refusal in REFUSALS.iter().copied().chain(links).chain(proofs) {
            let allowed: &[u16] = match refusal.class() {
                Class::NotFound => &[404],
                Class::Denied => &[401, 403],
                Class::Conflict => &[409],
                Class::Later => &[503],
                Class::Malformed => &[400],
            };
            assert!(allowed.contains(&of(refusal, Audience::Node).as_u16()), "{refusal:?}");
        }
    }

    #[test]
    fn the_readme_has_the_table() {
        let readme = include_str!("../../README.md");
        for (status, codes) in table() {
            let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
            let row = format!("| {status} | {} |", codes.join(", "));
            assert!(readme.contains(&row), "the README lacks the row\n{row}");
        }
    }
}
