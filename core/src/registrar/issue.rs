//! Issue: a package is made, its secrets drawn and sealed, its external resources chosen.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    draft::{Draft, Step, refuse},
    policy::check_ttl,
};
use crate::{
    aws::InstanceId,
    id::{Kind, PackageId, PackageName, RequestId, ScopeId, SecretId},
    kubernetes::BootstrapToken,
    limits,
    record::{DeliveredTo, Delivery, Key, Package, PackageContent, PackageStatus, ResourceSpec, TokenDigest},
    secret::Secret,
    token::EnrollmentToken,
    vocabulary::{
        ActivatesOn, Answer, Authority, Bindings, Content, Error, Fact, Issue, Issued, Labels, PackageIssued,
        Refusal,
    },
};

pub(super) fn decide(draft: &mut Draft<'_>, issue: &Issue) -> Step<Answer> {
    check(draft, issue)?;
    if let Some(existing) = live_by_name(draft, &issue.scope, &issue.name)? {
        return match (&issue.request, &existing.issued.request) {
            (Some(asked), Some(had)) if asked == had => repeat(draft, issue, &existing),
            (Some(_) | None, Some(_) | None) => refuse(Refusal::NameTaken, Key::Package(existing.id)),
        };
    }
    let new = NewPackage {
        scope: &issue.scope,
        name: &issue.name,
        kind: &issue.kind,
        labels: &issue.labels,
        ttl_seconds: issue.ttl_seconds,
        max_uses: issue.max_uses,
        bindings: &issue.bindings,
        activates_on: issue.activates_on,
        contents: &issue.contents,
        instance: None,
        request: issue.request.as_ref(),
    };
    let (package, token) = create(draft, &new)?;
    let mut answer = Issued {
        package: package.id,
        status: PackageStatus::Created,
        expires_at: package.issued.expires_at,
        token: None,
        again: false,
    };
    if issue.deliver {
        let Authority::Operator(name) = draft.authority else {
            return Err(Error::Misuse("only an operator issues").into());
        };
        let until = draft.now().plus_seconds(draft.registrar.policy.redelivery_seconds);
        let delivery = Delivery { to: DeliveredTo::Operator { name: name.clone() }, until };
        draft.emit(Key::Package(package.id), Fact::PackageDelivered { delivery })?;
        answer.status = PackageStatus::Delivered;
        answer.token = token;
    }
    Ok(Answer::Issued(answer))
}

/// A lost reply is asked for again: the same package, and its token to whom it was delivered.
fn repeat(draft: &mut Draft<'_>, issue: &Issue, package: &Package) -> Step<Answer> {
    let key = Key::Package(package.id);
    let mut token = None;
    if let (true, Some(delivery), Some(digest)) = (issue.deliver, &package.delivery, &package.issued.token) {
        let to_asker = matches!((&delivery.to, draft.authority), (DeliveredTo::Operator { name }, Authority::Operator(asker)) if name == asker);
        if to_asker && package.delivery_open && !draft.is_past(delivery.until, &key)? {
            token = Some(draft.open(digest.secret)?);
        }
    }
    Ok(Answer::Issued(Issued {
        package: package.id,
        status: package.status,
        expires_at: package.issued.expires_at,
        token,
        again: true,
    }))
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

/// What a new package shall be, whoever asked for it.
pub(super) struct NewPackage<'a> {
    pub(super) scope: &'a ScopeId,
    pub(super) name: &'a PackageName,
    pub(super) kind: &'a Kind,
    pub(super) labels: &'a Labels,
    pub(super) ttl_seconds: Option<u32>,
    pub(super) max_uses: u32,
    pub(super) bindings: &'a Bindings,
    pub(super) activates_on: ActivatesOn,
    pub(super) contents: &'a [Content],
    pub(super) instance: Option<&'a InstanceId>,
    pub(super) request: Option<&'a RequestId>,
}

/// Makes a package and takes its name. Gives its enrollment token, unless it activates on delivery.
pub(super) fn create(draft: &mut Draft<'_>, new: &NewPackage<'_>) -> Step<(Arc<Package>, Option<Secret>)> {
    let now = draft.now();
    let id = PackageId::new(now, &draft.random());
    let key = Key::Package(id);
    draft.expect_absent(key.clone());
    let mut secrets = (1..).map(|number| SecretId { package: id, number });
    let mut next = || secrets.next().ok_or(Error::Misuse("too many secrets"));
    let (token, token_secret) = match new.activates_on {
        ActivatesOn::Delivery => (None, None),
        ActivatesOn::Redeem | ActivatesOn::CheckIn => {
            let (digest, secret) = make_token(draft, id, next()?)?;
            (Some(digest), Some(secret))
        }
    };
    let (mut contents, mut resources) = (Vec::new(), Vec::new());
    for content in new.contents {
        let (content, resource) = make_content(draft, content, next()?)?;
        contents.push(content);
        resources.extend(resource);
    }
    let ttl = new.ttl_seconds.unwrap_or(draft.registrar.policy.package_ttl_seconds);
    let issued = PackageIssued {
        scope: new.scope.clone(),
        name: new.name.clone(),
        kind: new.kind.clone(),
        labels: new.labels.clone(),
        expires_at: now.plus_seconds(ttl),
        max_uses: new.max_uses,
        bindings: new.bindings.clone(),
        activates_on: new.activates_on,
        token,
        contents,
        resources,
        instance: new.instance.cloned(),
        request: new.request.cloned(),
    };
    draft.emit(key, Fact::PackageIssued(Arc::new(issued)))?;
    draft.emit(Key::Name(new.scope.clone(), new.name.clone()), Fact::NameTaken { package: id })?;
    let package = draft.package(id)?.ok_or(Error::Misuse("the package was just made"))?;
    Ok((package, token_secret))
}

fn make_token(draft: &mut Draft<'_>, package: PackageId, id: SecretId) -> Step<(TokenDigest, Secret)> {
    let token = EnrollmentToken::generate(package, 1, draft.rng);
    let (kid, pepper) = draft.registrar.peppers.current()?;
    let digest = token.digest(&*draft.registrar.backend, pepper);
    let digest = TokenDigest { generation: token.generation(), kid: kid.clone(), digest, secret: id };
    let secret = token.to_secret();
    draft.keep(id, &secret)?;
    Ok((digest, secret))
}

fn make_content(
    draft: &mut Draft<'_>,
    content: &Content,
    id: SecretId,
) -> Step<(PackageContent, Option<ResourceSpec>)> {
    match content {
        Content::File { name, content } => {
            draft.keep(id, content)?;
            Ok((PackageContent::File { name: name.clone(), secret: id }, None))
        }
        Content::KubernetesBootstrapToken { groups, ttl_seconds } => {
            let token = BootstrapToken::generate(draft.rng);
            draft.keep(id, &token.to_secret())?;
            let expires_at = draft.now().plus_seconds(*ttl_seconds);
            let spec = ResourceSpec::KubernetesBootstrapToken {
                name: token.id().secret_name(),
                secret: id,
                expires_at,
                groups: groups.clone(),
            };
            Ok((PackageContent::KubernetesBootstrapToken { secret: id, expires_at }, Some(spec)))
        }
    }
}

fn check(draft: &Draft<'_>, issue: &Issue) -> Result<(), Error> {
    if !(1..=limits::PACKAGE_NODES).contains(&issue.max_uses) {
        return Err(Error::input("max_uses", &format!("expected 1 to {}", limits::PACKAGE_NODES)));
    }
    if issue.activates_on == ActivatesOn::Delivery && issue.max_uses != 1 {
        return Err(Error::input("max_uses", "a package that activates on delivery has one use"));
    }
    check_ttl("ttl_seconds", issue.ttl_seconds.unwrap_or(draft.registrar.policy.package_ttl_seconds))?;
    if issue.bindings.cidrs.len() > limits::CIDRS {
        return Err(Error::input("bindings.cidrs", &format!("at most {}", limits::CIDRS)));
    }
    let external = |content: &Content| matches!(content, Content::KubernetesBootstrapToken { .. });
    if issue.deliver && issue.contents.iter().any(external) {
        return Err(Error::input("deliver", "its contents need something external first"));
    }
    if issue.deliver && issue.activates_on == ActivatesOn::Delivery {
        return Err(Error::input("deliver", "a package that activates on delivery is delivered by itself"));
    }
    check_contents("contents", &issue.contents)
}

/// Checks contents against their limits; also those of a policy's rules.
pub(super) fn check_contents(at: &str, contents: &[Content]) -> Result<(), Error> {
    if contents.len() > limits::CONTENTS {
        return Err(Error::input(at, &format!("at most {}", limits::CONTENTS)));
    }
    let mut names = BTreeSet::new();
    for (place, content) in contents.iter().enumerate() {
        let field = |name: &str| format!("{at}[{place}].{name}");
        match content {
            Content::File { name, content } => {
                if !names.insert(name) {
                    return Err(Error::input(&field("name"), "is given twice"));
                }
                if content.expose().len() > limits::FILE_BYTES {
                    return Err(Error::input(
                        &field("content"),
                        &format!("at most {} bytes", limits::FILE_BYTES),
                    ));
                }
            }
            Content::KubernetesBootstrapToken { groups, ttl_seconds } => {
                if !(1..=limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS).contains(ttl_seconds) {
                    let max = limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS;
                    return Err(Error::input(&field("ttl_seconds"), &format!("expected 1 to {max} seconds")));
                }
                if !(1..=limits::KUBERNETES_GROUPS).contains(&groups.len()) {
                    return Err(Error::input(
                        &field("groups"),
                        &format!("expected 1 to {}", limits::KUBERNETES_GROUPS),
                    ));
                }
            }
        }
    }
    Ok(())
}
