//! Revoke: an operator ends a package, in any live state, for good.

use super::{
    draft::{Draft, Step, refuse_unknown},
    end,
};
use crate::{
    record::{EndReason, PackageStatus},
    vocabulary::{Answer, Refusal, Revoke, Revoked},
};

pub(super) fn decide(draft: &mut Draft<'_>, revoke: &Revoke) -> Step<Answer> {
    let Some(package) = draft.package(revoke.package)? else { return refuse_unknown(Refusal::Unknown) };
    if !package.status.is_live() {
        return Ok(Answer::Revoked(Revoked { package: package.id, status: package.status, again: true }));
    }
    end::package(
        draft,
        &package,
        PackageStatus::Revoked,
        EndReason::Operator { note: revoke.reason.clone() },
    )?;
    Ok(Answer::Revoked(Revoked { package: package.id, status: PackageStatus::Revoked, again: false }))
}
