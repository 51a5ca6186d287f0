//! Issue: a package is made, its secrets drawn and sealed, its external resources chosen; or, by its keepers, found to
//! be there already, or put in the place of the one before.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    contents::{self, Maker},
    draft::{Draft, Step, refuse},
    end,
    policy::check_ttl,
    scope,
};
use crate::{
    aws::InstanceId,
    id::{Kind, PackageId, PackageName, RequestId, ScopeId, SecretId, Subject},
    limits,
    record::{DeliveredTo, Delivery, EndReason, Key, Package, PackageStatus, Resource, TokenDigest},
    secret::Secret,
    token::EnrollmentToken,
    vocabulary::{
        ActivatesOn, Answer, Authority, Bindings, Content, Error, Fact, Issue, Issued, Labels, Notes,
        PackageIssued, Refusal,
    },
};

pub(super) fn decide(draft: &mut Draft<'_>, issue: &Issue) -> Step<Answer> {
    let new = NewPackage::of(draft, issue);
    check(issue, &new, draft.registrar.policy.package_ttl_max_seconds)?;
    draft.prefetch(&new.keys())?;
    let existing = live_by_name(draft, new.scope, new.name)?;
    let before = match &existing {
        None => Before::default(),
        Some(existing) if asks_again(issue, existing) => return repeat(draft, issue, existing),
        Some(existing) if !issue.keepers.is_empty() && !existing.issued.keepers.is_empty() => {
            if existing.issued.keepers == issue.keepers {
                return Ok(as_it_is(existing));
            }
            replace(draft, existing)?
        }
        Some(existing) => return refuse(Refusal::NameTaken, Key::Package(existing.id)),
    };
    let (package, token) = create(draft, &new, before)?;
    let mut answer = Issued {
        package: package.id,
        status: PackageStatus::Created,
        expires_at: package.expires_at,
        token: None,
        again: false,
    };
    if issue.deliver && package.is_ready() {
        deliver_to_operator(draft, package.id)?;
        answer.status = PackageStatus::Delivered;
        answer.token = token;
    }
    Ok(Answer::Issued(answer))
}

pub(super) fn deliver_to_operator(draft: &mut Draft<'_>, package: PackageId) -> Step<()> {
    let Authority::Operator(name) = draft.authority else {
        return Err(Error::Misuse("only an operator issues").into());
    };
    let until = draft.now().plus_seconds(draft.registrar.policy.redelivery_seconds);
    let delivery = Delivery { to: DeliveredTo::Operator { name: name.clone() }, until };
    draft.emit(Key::Package(package), Fact::PackageDelivered { delivery })
}

fn asks_again(issue: &Issue, existing: &Package) -> bool {
    issue.request.is_some() && issue.request == existing.issued.request
}

/// The same name and the same keepers: the package that is there. No token, and no second client.
fn as_it_is(package: &Package) -> Answer {
    let (id, status, expires_at) = (package.id, package.status, package.expires_at);
    Answer::Issued(Issued { package: id, status, expires_at, token: None, again: true })
}

/// A lost reply is asked for again: the same package, and its token to whom it was delivered.
fn repeat(draft: &mut Draft<'_>, issue: &Issue, package: &Package) -> Step<Answer> {
    let token = if issue.deliver { token_for_asker(draft, package)? } else { None };
    Ok(Answer::Issued(Issued {
        package: package.id,
        status: package.status,
        expires_at: package.expires_at,
        token,
        again: true,
    }))
}

/// The token, if it was delivered to the operator who asks, and that operator's window is open.
pub(super) fn token_for_asker(draft: &mut Draft<'_>, package: &Package) -> Step<Option<Secret>> {
    let (Some(delivery), Some(digest)) = (&package.delivery, &package.token) else { return Ok(None) };
    let to_asker = match (&delivery.to, draft.authority) {
        (DeliveredTo::Operator { name }, Authority::Operator(asker)) => name == asker,
        (
            DeliveredTo::Operator { .. }
            | DeliveredTo::Instance { .. }
            | DeliveredTo::Link { .. }
            | DeliveredTo::ParentNode { .. },
            _,
        ) => false,
    };
    if to_asker && package.delivery_open && !draft.is_past(delivery.until, &Key::Package(package.id))? {
        return draft.open(digest.secret).map(Some);
    }
    Ok(None)
}

/// The live package of a name.
pub(super) fn live_by_name(
    draft: &mut Draft<'_>,
    scope: &ScopeId,
    name: &PackageName,
) -> Step<Option<Arc<Package>>> {
    let Some(id) = draft.name(scope, name)?.and_then(|entry| entry.package) else { return Ok(None) };
    Ok(draft.package(id)?.filter(|package| package.status.is_live()))
}

/// What a new package takes over from the one before it.
#[derive(Default)]
pub(super) struct Before {
    id: Option<PackageId>,
    /// The uses that stay reserved.
    reserved: u32,
    /// The package whose external resources must be gone first.
    waits_for: Option<PackageId>,
}

/// Ends the package of the name. What its scope keeps reserved for it goes over to the new one: two of the same name
/// never count twice, and outside there is never one more than there may be.
fn replace(draft: &mut Draft<'_>, old: &Arc<Package>) -> Step<Before> {
    let new = PackageId::new(draft.now(), &draft.random());
    draft.expect_absent(Key::Package(new));
    end::package(draft, old, PackageStatus::Revoked, EndReason::Replaced { by: new })?;
    let Some(ended) = draft.package(old.id)? else {
        return Ok(Before { id: Some(new), ..Before::default() });
    };
    let mut before = Before { id: Some(new), reserved: ended.reserved, waits_for: None };
    if ended.is_settled() {
        return Ok(before);
    }
    draft.emit(Key::Package(old.id), Fact::PackageSuccessor { package: new })?;
    before.waits_for = Some(old.id);
    if let Some(first) = ended.waits_for.filter(|_| ended.resources.iter().all(Resource::is_settled)) {
        // Nothing of the old one was ever made: the new one waits in its place.
        draft.package(first)?;
        draft.emit(Key::Package(first), Fact::PackageSuccessor { package: new })?;
        draft.emit(Key::Package(old.id), Fact::PackageUnblocked)?;
        before.waits_for = Some(first);
        end::release(draft, old.id)?;
    }
    Ok(before)
}

/// What a new package shall be, whoever asked for it.
pub(super) struct NewPackage<'a> {
    pub(super) scope: &'a ScopeId,
    pub(super) name: &'a PackageName,
    pub(super) kind: &'a Kind,
    pub(super) labels: &'a Labels,
    pub(super) notes: Option<&'a Notes>,
    pub(super) parent: Option<PackageId>,
    pub(super) keepers: &'a BTreeMap<String, String>,
    pub(super) ttl_seconds: u32,
    pub(super) max_uses: Option<u32>,
    pub(super) inactivity_seconds: Option<u32>,
    pub(super) bindings: &'a Bindings,
    pub(super) activates_on: ActivatesOn,
    pub(super) contents: &'a [Content],
    pub(super) instance: Option<&'a InstanceId>,
    pub(super) request: Option<&'a RequestId>,
}

impl<'a> NewPackage<'a> {
    fn of(draft: &Draft<'_>, issue: &'a Issue) -> Self {
        let policy = &draft.registrar.policy;
        let rule = policy.kinds.get(&issue.kind);
        let ttl = issue.ttl_seconds.or(rule.and_then(|rule| rule.ttl_seconds));
        Self {
            scope: &issue.scope,
            name: &issue.name,
            kind: &issue.kind,
            labels: &issue.labels,
            notes: issue.notes.as_ref(),
            parent: issue.parent,
            keepers: &issue.keepers,
            ttl_seconds: ttl.unwrap_or(policy.package_ttl_seconds),
            max_uses: issue.max_uses,
            inactivity_seconds: issue.inactivity_seconds.or(rule.and_then(|rule| rule.inactivity_seconds)),
            bindings: &issue.bindings,
            activates_on: issue.activates_on.or(rule.and_then(|rule| rule.activates_on)).unwrap_or_default(),
            contents: &issue.contents,
            instance: None,
            request: issue.request.as_ref(),
        }
    }

    /// The names under which it is to be found when its node connects.
    fn subjects(&self) -> impl Iterator<Item = Subject> + use<> {
        let node_name = self.bindings.node_name.clone().map(Subject::NodeName);
        node_name.into_iter().chain(self.bindings.spiffe_id.clone().map(Subject::Spiffe))
    }

    /// Everything that its issue looks at, as far as it is known beforehand.
    pub(super) fn keys(&self) -> Vec<Key> {
        let scope = self.scope;
        let mut keys = vec![Key::Name(scope.clone(), self.name.clone()), Key::Scope(scope.clone())];
        keys.extend(self.parent.map(Key::Package));
        keys.extend(self.subjects().map(|subject| Key::Subject(scope.clone(), subject)));
        keys.extend(contents::pool_keys(scope, self.contents));
        keys
    }
}

/// Makes a package and takes its name. Gives its enrollment token, unless it activates on delivery.
pub(super) fn create(
    draft: &mut Draft<'_>,
    new: &NewPackage<'_>,
    before: Before,
) -> Step<(Arc<Package>, Option<Secret>)> {
    let now = draft.now();
    let id = before.id.unwrap_or(PackageId::new(now, &draft.random()));
    let key = Key::Package(id);
    let parents = parents(draft, new)?;
    take_subjects(draft, new, id)?;
    let reserved = scope::reserve(draft, new, id, before.reserved)?;
    draft.expect_absent(key.clone());
    let mut maker = Maker::new(id, new.scope, new.kind, new.name);
    let (token, token_secret) = match new.activates_on {
        ActivatesOn::Delivery => (None, None),
        ActivatesOn::Redeem | ActivatesOn::CheckIn | ActivatesOn::Report => {
            let (digest, secret) = make_token(draft, id, 1, maker.next_secret())?;
            (Some(digest), Some(secret))
        }
    };
    let made = maker.make(draft, new.contents)?;
    let wide = new.max_uses.is_none_or(|max| max > limits::PACKAGE_NODES);
    let issued = PackageIssued {
        scope: new.scope.clone(),
        name: new.name.clone(),
        kind: new.kind.clone(),
        labels: new.labels.clone(),
        notes: new.notes.cloned(),
        keepers: new.keepers.clone(),
        parents,
        expires_at: now.plus_seconds(new.ttl_seconds),
        max_uses: new.max_uses,
        retry_seconds: if wide { draft.registrar.policy.retry_seconds } else { 0 },
        inactivity_seconds: new.inactivity_seconds,
        bindings: new.bindings.clone(),
        activates_on: new.activates_on,
        token,
        contents: made.contents,
        resources: made.resources,
        instance: new.instance.cloned(),
        request: new.request.cloned(),
        waits_for: before.waits_for,
        reserved,
    };
    draft.emit(key, Fact::PackageIssued(Arc::new(issued)))?;
    draft.name(new.scope, new.name)?;
    draft.emit(Key::Name(new.scope.clone(), new.name.clone()), Fact::NameTaken { package: id })?;
    if let Some(parent) = new.parent {
        draft.emit(Key::Package(parent), Fact::ChildAdded { child: id })?;
    }
    let package = draft.package(id)?.ok_or(Error::Misuse("the package was just made"))?;
    Ok((package, token_secret))
}

/// The packages above, if the policy lets one of this kind sit there.
fn parents(draft: &mut Draft<'_>, new: &NewPackage<'_>) -> Step<Vec<PackageId>> {
    let rule = draft.registrar.policy.kinds.get(new.kind);
    let (allowed, within) = (rule.map(|rule| &rule.parents), rule.is_some_and(|rule| rule.within_parent));
    let Some(id) = new.parent else {
        let key = Key::Name(new.scope.clone(), new.name.clone());
        let needs_one = allowed.is_some_and(|kinds| !kinds.is_empty());
        return if needs_one { refuse(Refusal::ParentNotAllowed, key) } else { Ok(Vec::new()) };
    };
    let key = Key::Package(id);
    let Some(parent) = draft.package(id)? else { return refuse(Refusal::Unknown, key) };
    let fits = parent.issued.scope == *new.scope
        && allowed.is_some_and(|kinds| kinds.contains(&parent.issued.kind))
        && parent.issued.parents.len() < limits::PACKAGE_DEPTH
        && (!within || new.bindings.are_within(&parent.issued.bindings));
    if !fits {
        return refuse(Refusal::ParentNotAllowed, key);
    }
    if !parent.status.is_live() || super::expire::ancestor_has_ended(draft, &parent)? {
        return refuse(Refusal::ParentEnded, key);
    }
    Ok(std::iter::once(id).chain(parent.issued.parents.iter().copied()).collect())
}

/// A package that names its node is found by that name; no two live ones name the same.
fn take_subjects(draft: &mut Draft<'_>, new: &NewPackage<'_>, id: PackageId) -> Step<()> {
    for subject in new.subjects() {
        let key = Key::Subject(new.scope.clone(), subject.clone());
        let entry = draft.subject(new.scope, &subject)?;
        if entry.as_ref().is_some_and(|entry| entry.ban.is_some()) {
            return refuse(Refusal::Banned, key);
        }
        if let Some(other) = entry.and_then(|entry| entry.package)
            && draft.package(other)?.is_some_and(|package| package.status.is_live())
        {
            return refuse(Refusal::SubjectTaken, key);
        }
        draft.emit(key, Fact::SubjectExpected { package: id })?;
    }
    Ok(())
}

/// Draws a token of a package and keeps it sealed.
pub(super) fn make_token(
    draft: &mut Draft<'_>,
    package: PackageId,
    generation: u16,
    id: SecretId,
) -> Step<(TokenDigest, Secret)> {
    let token = EnrollmentToken::generate(package, generation, draft.rng);
    let (kid, pepper) = draft.registrar.peppers.current()?;
    let digest = token.digest(&*draft.registrar.backend, pepper);
    let digest = TokenDigest { generation, kid: kid.clone(), digest, secret: id };
    let secret = token.to_secret();
    draft.keep(id, &secret)?;
    Ok((digest, secret))
}

fn check(issue: &Issue, new: &NewPackage<'_>, ttl_max: u32) -> Result<(), Error> {
    if new.max_uses.is_some_and(|max| !(1..=limits::PACKAGE_USES).contains(&max)) {
        return Err(Error::input("max_uses", &format!("expected 1 to {}", limits::PACKAGE_USES)));
    }
    if new.activates_on == ActivatesOn::Delivery && new.max_uses != Some(1) {
        return Err(Error::input("max_uses", "a package that activates on delivery has one use"));
    }
    check_ttl("ttl_seconds", new.ttl_seconds, ttl_max)?;
    if let Some(seconds) = new.inactivity_seconds {
        super::policy::check_inactivity("inactivity_seconds", seconds)?;
    }
    if issue.bindings.cidrs.len() > limits::CIDRS {
        return Err(Error::input("bindings.cidrs", &format!("at most {}", limits::CIDRS)));
    }
    if issue.keepers.len() > limits::KEEPERS {
        return Err(Error::input("keepers", &format!("at most {}", limits::KEEPERS)));
    }
    let fits = |(key, value): (&String, &String)| {
        key.len() <= limits::LABEL_KEY_BYTES && value.len() <= limits::LABEL_VALUE_BYTES
    };
    if !issue.keepers.iter().all(fits) {
        return Err(Error::input("keepers", "keys up to 63 bytes, values up to 256"));
    }
    if issue.bindings.accounts.len().saturating_add(issue.bindings.regions.len()) > limits::CIDRS {
        return Err(Error::input("bindings", &format!("at most {} accounts and regions", limits::CIDRS)));
    }
    if issue.deliver && issue.contents.iter().any(contents::is_external) {
        return Err(Error::input("deliver", "its contents need something external first"));
    }
    if issue.deliver && new.activates_on == ActivatesOn::Delivery {
        return Err(Error::input("deliver", "a package that activates on delivery is delivered by itself"));
    }
    contents::check("contents", &issue.contents)
}
