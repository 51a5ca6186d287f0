//! Scopes and pools: what may be promised, and what there is to assign.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    contents,
    draft::{Draft, Step, refuse},
    issue::NewPackage,
};
use crate::{
    id::{ItemName, PackageId, SecretId},
    limits,
    record::{Key, Pool},
    secret::Secret,
    vocabulary::{Answer, ChangePool, ConfigureScope, Configured, Error, Fact, FileFormat, Refusal},
};

/// An operator sets a scope's quota.
pub(super) fn configure(draft: &mut Draft<'_>, configure: &ConfigureScope) -> Step<Answer> {
    let (max_outstanding, max_active) = (configure.max_outstanding, configure.max_active);
    let scope = draft.scope(&configure.scope)?;
    let same = |scope: &crate::record::Scope| {
        scope.max_outstanding == max_outstanding && scope.max_active == max_active
    };
    if scope.is_some_and(|scope| same(&scope)) {
        return Ok(Answer::Configured(Configured { changed: false }));
    }
    let fact = Fact::ScopeConfigured { max_outstanding, max_active };
    draft.emit(Key::Scope(configure.scope.clone()), fact)?;
    Ok(Answer::Configured(Configured { changed: true }))
}

/// Reserves what a new package may use, of which it takes `taken_over` from the one before it. Gives what is reserved.
pub(super) fn reserve(
    draft: &mut Draft<'_>,
    new: &NewPackage<'_>,
    package: PackageId,
    taken_over: u32,
) -> Step<u32> {
    let key = Key::Scope(new.scope.clone());
    let Some(scope) = draft.scope(new.scope)? else { return Ok(0) };
    if new.max_uses.is_none() && scope.max_active.is_some() {
        return refuse(Refusal::UnboundedPackage, key);
    }
    let wanted = new.max_uses.unwrap_or(1);
    let more = wanted.saturating_sub(taken_over);
    let outstanding_full = scope.max_outstanding.is_some_and(|max| scope.outstanding >= max);
    if outstanding_full || scope.free().is_some_and(|free| more > free) {
        return refuse(Refusal::QuotaExceeded, key);
    }
    draft.emit(key.clone(), Fact::ScopeReserved { package, uses: more })?;
    let less = taken_over.saturating_sub(wanted);
    if less > 0 {
        draft.emit(key, Fact::ScopeReturned { package, uses: less })?;
    }
    Ok(wanted)
}

/// An operator fills a pool or empties it.
pub(super) fn change_pool(draft: &mut Draft<'_>, change: &ChangePool) -> Step<Answer> {
    check(change)?;
    let key = Key::Pool(change.scope.clone(), change.pool.clone());
    let pool = draft.pool(&change.scope, &change.pool)?;
    let known = |name: &ItemName| pool.as_ref().and_then(|pool| pool.items.get(name));
    if change.remove.iter().any(|name| known(name).is_some_and(|item| item.package.is_some())) {
        return refuse(Refusal::PoolItemInUse, key);
    }
    let removed: BTreeSet<ItemName> =
        change.remove.iter().filter(|name| known(name).is_some()).cloned().collect();
    let new: Vec<(&ItemName, &Option<Secret>)> =
        change.add.iter().filter(|(name, _)| known(name).is_none_or(|_| removed.contains(*name))).collect();
    if new.is_empty() && removed.is_empty() {
        return Ok(Answer::Configured(Configured { changed: false }));
    }
    let size = pool.as_ref().map_or(0, |pool| pool.items.len()).saturating_add(new.len());
    if size.saturating_sub(removed.len()) > limits::POOL_ITEMS {
        return Err(Error::input("add", &format!("a pool has at most {} items", limits::POOL_ITEMS)).into());
    }
    let is_emptied = size == new.len().saturating_add(removed.len());
    let format = match pool.as_ref().and_then(|pool| pool.format) {
        Some(kept) if !is_emptied && change.format.is_some_and(|said| said != kept) => {
            return Err(Error::input("format", "the pool holds another").into());
        }
        Some(kept) => Some(change.format.unwrap_or(kept)),
        None => change.format.filter(|_| is_emptied),
    };
    for (item, content) in new.iter().filter_map(|(item, content)| Some((item, content.as_ref()?))) {
        contents::check_format(&format!("add.{item}"), change.format.or(format), content)?;
    }
    let fact = filled(draft, pool.as_deref(), &new, (removed, format))?;
    draft.emit(key, fact)?;
    Ok(Answer::Configured(Configured { changed: true }))
}

fn filled(
    draft: &mut Draft<'_>,
    pool: Option<&Pool>,
    new: &[(&ItemName, &Option<Secret>)],
    (removed, format): (BTreeSet<ItemName>, Option<FileFormat>),
) -> Step<Fact> {
    let vault = pool.map_or_else(|| PackageId::new(draft.now(), &draft.random()), |pool| pool.vault);
    let mut next_secret = pool.map_or(1, |pool| pool.next_secret);
    let mut added = BTreeMap::new();
    for (name, content) in new {
        let mut secret = None;
        if let Some(content) = content {
            let id = SecretId { package: vault, number: next_secret };
            draft.keep(id, content)?;
            next_secret = next_secret.saturating_add(1);
            secret = Some(id);
        }
        added.insert((*name).clone(), secret);
    }
    Ok(Fact::PoolChanged { vault, next_secret, format, added, removed })
}

fn check(change: &ChangePool) -> Result<(), Error> {
    for (field, count) in [("add", change.add.len()), ("remove", change.remove.len())] {
        if count > limits::POOL_CHANGES {
            return Err(Error::input(field, &format!("at most {} at once", limits::POOL_CHANGES)));
        }
    }
    for (name, content) in &change.add {
        if content.as_ref().is_some_and(|content| content.expose().len() > limits::POOL_ITEM_BYTES) {
            let message = format!("at most {} bytes", limits::POOL_ITEM_BYTES);
            return Err(Error::input(&format!("add.{name}"), &message));
        }
    }
    Ok(())
}
