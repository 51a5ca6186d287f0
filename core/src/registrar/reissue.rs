//! Reissue: a live package gets a new token; the old one dies at once, or when the new one is used first.

use super::{
    draft::{Draft, Step, refuse, refuse_unknown},
    issue,
    policy::check_ttl,
};
use crate::{
    id::SecretId,
    limits,
    record::{Key, Package, PackageContent, ResourceSpec},
    vocabulary::{Answer, Error, Fact, Refusal, Reissue, Reissued, ReissuedAnswer},
};

pub(super) fn decide(draft: &mut Draft<'_>, reissue: &Reissue) -> Step<Answer> {
    let policy = &draft.registrar.policy;
    let ttl = reissue.ttl_seconds.unwrap_or(policy.package_ttl_seconds);
    let grace = reissue.grace_seconds.unwrap_or(policy.reissue_grace_seconds);
    check_ttl("ttl_seconds", ttl, policy.package_ttl_max_seconds)?;
    if grace > limits::WINDOW_MAX_SECONDS {
        let max = limits::WINDOW_MAX_SECONDS;
        return Err(Error::input("grace_seconds", &format!("at most {max}")).into());
    }
    let Some(package) = draft.package(reissue.package)? else { return refuse_unknown(Refusal::Unknown) };
    let key = Key::Package(package.id);
    if !package.status.is_live() {
        return refuse(Refusal::Ended, key);
    }
    let Some(current) = &package.token else {
        return Err(Error::input("package", "activates on delivery and has no token").into());
    };
    if reissue.request.is_some() && reissue.request == package.reissued {
        return repeat(draft, reissue, &package);
    }
    if reissue.deliver && !package.is_ready() {
        return refuse(Refusal::NotReady, key);
    }
    let generation =
        current.generation.checked_add(1).ok_or(Error::Misuse("a package has no more than 65,535 tokens"))?;
    let (token, secret) = issue::make_token(draft, package.id, generation, free_secret(&package))?;
    let expires_at = draft.now().plus_seconds(ttl);
    // The old token lives no longer than it would have: what has expired does not come back.
    let old_until = draft.now().plus_seconds(grace).min(package.expires_at);
    let old_lives = reissue.make_before_break && package.token_open && !draft.is_past(old_until, &key)?;
    let old_until = old_lives.then_some(old_until);
    let request = reissue.request.clone();
    let fact = Reissued { token, old_until, expires_at, request };
    draft.emit(key, Fact::PackageReissued(Box::new(fact)))?;
    let mut answer = ReissuedAnswer {
        package: package.id,
        expires_at,
        token: None,
        old_until,
        contents_shredded: package.lacks_contents(),
        again: false,
    };
    if reissue.deliver {
        issue::deliver_to_operator(draft, package.id)?;
        answer.token = Some(secret);
    }
    Ok(Answer::Reissued(answer))
}

/// A lost reply is asked for again.
fn repeat(draft: &mut Draft<'_>, reissue: &Reissue, package: &Package) -> Step<Answer> {
    let token = if reissue.deliver { issue::token_for_asker(draft, package)? } else { None };
    Ok(Answer::Reissued(ReissuedAnswer {
        package: package.id,
        expires_at: package.expires_at,
        token,
        old_until: package.old_token.as_ref().map(|old| old.until),
        contents_shredded: package.lacks_contents(),
        again: true,
    }))
}

/// A number that no secret of the package has had: they are counted on from everything that it ever named.
fn free_secret(package: &Package) -> SecretId {
    let issued = &package.issued;
    let of_token = [&package.token, &issued.token].into_iter().flatten().map(|token| token.secret);
    let of_contents = issued.contents.iter().filter_map(PackageContent::secret);
    let of_resources = issued.resources.iter().filter_map(ResourceSpec::secret);
    let known = of_token.chain(of_contents).chain(of_resources).filter(|secret| secret.package == package.id);
    let last = known.map(|secret| secret.number).max().unwrap_or(0);
    SecretId { package: package.id, number: last.saturating_add(1) }
}
