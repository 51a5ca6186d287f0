//! What packages carry: how it is made, and how it is given.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    draft::{Draft, Step, refuse},
    spire::AskedEntry,
};
use crate::{
    id::{Kind, PackageId, PackageName, PoolName, ResourceKind, ResourceName, ScopeId, SecretId},
    kubernetes::BootstrapToken,
    limits,
    record::{HostResource, Key, Package, PackageContent, ResourceSpec},
    secret::Secret,
    vocabulary::{Content, Error, Fact, FileFormat, GivenContent, HostValue, Refusal},
};

/// Whose contents are made.
pub(super) struct Maker<'a> {
    pub(super) package: PackageId,
    pub(super) scope: &'a ScopeId,
    pub(super) kind: &'a Kind,
    pub(super) name: &'a PackageName,
    next_secret: u32,
}

/// What a package carries, and what must exist outside for it.
#[derive(Default)]
pub(super) struct Made {
    pub(super) contents: Vec<PackageContent>,
    pub(super) resources: Vec<ResourceSpec>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(package: PackageId, scope: &'a ScopeId, kind: &'a Kind, name: &'a PackageName) -> Self {
        Self { package, scope, kind, name, next_secret: 1 }
    }

    pub(super) fn next_secret(&mut self) -> SecretId {
        let number = self.next_secret;
        self.next_secret = number.saturating_add(1);
        SecretId { package: self.package, number }
    }

    pub(super) fn make(&mut self, draft: &mut Draft<'_>, contents: &[Content]) -> Step<Made> {
        let mut made = Made::default();
        for (place, content) in contents.iter().enumerate() {
            self.make_one(draft, content, place, &mut made)?;
        }
        Ok(made)
    }

    fn make_one(
        &mut self,
        draft: &mut Draft<'_>,
        content: &Content,
        place: usize,
        made: &mut Made,
    ) -> Step<()> {
        match content {
            Content::File { name, content, format } => {
                let secret = self.keep(draft, content)?;
                made.contents.push(PackageContent::File { name: name.clone(), secret, format: *format });
            }
            Content::KubernetesBootstrapToken { groups, ttl_seconds } => {
                let token = BootstrapToken::generate(draft.rng);
                let secret = self.keep(draft, &token.to_secret())?;
                let expires_at = draft.now().plus_seconds(*ttl_seconds);
                let (name, groups) = (token.id().secret_name(), groups.clone());
                made.resources.push(ResourceSpec::KubernetesBootstrapToken {
                    name,
                    secret,
                    expires_at,
                    groups,
                });
                made.contents.push(PackageContent::KubernetesBootstrapToken { secret, expires_at });
            }
            Content::KubernetesNode { name } => {
                made.resources.push(ResourceSpec::KubernetesNode { name: name.clone() });
            }
            Content::SpireJoinToken { ttl_seconds, spiffe_id } => {
                self.spire_join_token(draft, *ttl_seconds, spiffe_id.as_ref(), place, made)?;
            }
            Content::SpireEntry {
                spiffe_id,
                parent_id,
                selectors,
                x509_svid_ttl_seconds,
                jwt_svid_ttl_seconds,
                dns_names,
                federates_with,
                hint,
                downstream,
            } => {
                let asked = AskedEntry {
                    spiffe_id: spiffe_id.as_ref(),
                    parent_id: parent_id.as_ref(),
                    selectors,
                    x509_svid_ttl_seconds: *x509_svid_ttl_seconds,
                    jwt_svid_ttl_seconds: *jwt_svid_ttl_seconds,
                    dns_names,
                    federates_with,
                    hint: hint.as_ref(),
                    downstream: *downstream,
                };
                let entry = self.spire_entry(draft, &asked, place)?;
                made.resources.push(ResourceSpec::SpireEntry(Box::new(entry)));
            }
            Content::Host { kind, name, value, settings } => {
                self.host(draft, (kind, name.as_ref()), value, settings, made)?;
            }
            Content::PoolItem { pool } => self.pool_item(draft, pool, made)?,
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, draft: &mut Draft<'_>, secret: &Secret) -> Step<SecretId> {
        let id = self.next_secret();
        draft.keep(id, secret)?;
        Ok(id)
    }

    fn host(
        &mut self,
        draft: &mut Draft<'_>,
        (kind, name): (&ResourceKind, Option<&ResourceName>),
        value: &HostValue,
        settings: &BTreeMap<String, String>,
        made: &mut Made,
    ) -> Step<()> {
        let name = match name {
            Some(name) => name.clone(),
            None => self.drawn_name(draft)?,
        };
        let secret = match value {
            HostValue::None => None,
            HostValue::Drawn => {
                let drawn = data_encoding::BASE64URL_NOPAD.encode(&draft.random::<32>());
                Some(self.keep(draft, &Secret::new(drawn))?)
            }
            HostValue::Given { value } => Some(self.keep(draft, value)?),
        };
        if let Some(secret) = secret {
            made.contents.push(PackageContent::Host { kind: kind.clone(), name: name.clone(), secret });
        }
        let resource = HostResource { kind: kind.clone(), name, secret, settings: settings.clone() };
        made.resources.push(ResourceSpec::Host(Box::new(resource)));
        Ok(())
    }

    fn drawn_name(&self, draft: &mut Draft<'_>) -> Result<ResourceName, Error> {
        let drawn = data_encoding::HEXLOWER.encode(&draft.random::<16>());
        format!("hf-{drawn}").parse().map_err(|_| Error::Misuse("a drawn name is a name"))
    }

    fn pool_item(&mut self, draft: &mut Draft<'_>, pool: &PoolName, made: &mut Made) -> Step<()> {
        let key = Key::Pool(self.scope.clone(), pool.clone());
        let record = draft.pool(self.scope, pool)?;
        let free = record.as_ref().and_then(|record| record.free_item());
        let Some((item, secret)) = free.map(|(item, free)| (item.clone(), free.secret)) else {
            return refuse(Refusal::PoolEmpty, key);
        };
        draft.emit(key, Fact::PoolItemAssigned { item: item.clone(), package: self.package })?;
        made.contents.push(PackageContent::PoolItem { pool: pool.clone(), item, secret });
        Ok(())
    }
}

/// Opens everything that a package carries and that was not shredded; what a pool keeps is there for as long as the package.
pub(super) fn open_contents(draft: &mut Draft<'_>, package: &Package) -> Step<Vec<GivenContent>> {
    let held = package.held_secrets();
    let is_there = |secret: SecretId| secret.package != package.id || held.contains(&secret);
    let contents = package.issued.contents.iter().filter(|content| content.secret().is_none_or(is_there));
    let contents: Vec<_> = contents.collect();
    let secrets: Vec<_> = contents.iter().filter_map(|content| content.secret()).map(Key::Secret).collect();
    draft.prefetch(&secrets)?;
    contents.into_iter().map(|content| open_one(draft, content)).collect()
}

fn open_one(draft: &mut Draft<'_>, content: &PackageContent) -> Step<GivenContent> {
    Ok(match content {
        PackageContent::File { name, secret, format } => {
            GivenContent::File { name: name.clone(), content: draft.open(*secret)?, format: *format }
        }
        PackageContent::KubernetesBootstrapToken { secret, expires_at } => {
            GivenContent::KubernetesBootstrapToken { token: draft.open(*secret)?, expires_at: *expires_at }
        }
        PackageContent::SpireJoinToken { secret, expires_at } => {
            GivenContent::SpireJoinToken { token: draft.open(*secret)?, expires_at: *expires_at }
        }
        PackageContent::Host { kind, name, secret } => {
            GivenContent::Host { kind: kind.clone(), name: name.clone(), value: draft.open(*secret)? }
        }
        PackageContent::PoolItem { pool, item, secret } => {
            let content = secret.map(|secret| draft.open(secret)).transpose()?;
            GivenContent::PoolItem { pool: pool.clone(), item: item.clone(), content }
        }
    })
}

/// The pools that contents come from.
pub(super) fn pool_keys(scope: &ScopeId, contents: &[Content]) -> Vec<Key> {
    let pool = |content: &Content| {
        if let Content::PoolItem { pool } = content {
            Some(Key::Pool(scope.clone(), pool.clone()))
        } else {
            None
        }
    };
    contents.iter().filter_map(pool).collect()
}

/// Whether something must be made outside before the package can be handed over.
pub(super) fn is_external(content: &Content) -> bool {
    match content {
        Content::KubernetesBootstrapToken { .. }
        | Content::SpireJoinToken { .. }
        | Content::SpireEntry { .. }
        | Content::Host { .. } => true,
        Content::File { .. } | Content::KubernetesNode { .. } | Content::PoolItem { .. } => false,
    }
}

/// Checks contents against their limits; also those of a policy's rules.
pub(super) fn check(at: &str, contents: &[Content]) -> Result<(), Error> {
    if contents.len() > limits::CONTENTS {
        return Err(Error::input(at, &format!("at most {}", limits::CONTENTS)));
    }
    let mut names = BTreeSet::new();
    for (place, content) in contents.iter().enumerate() {
        let field = |name: &str| format!("{at}[{place}].{name}");
        if let Content::File { name, .. } = content
            && !names.insert(name)
        {
            return Err(Error::input(&field("name"), "is given twice"));
        }
        check_one(content, &field)?;
    }
    Ok(())
}

/// Whether a text is of the format that it is said to be of.
pub(super) fn check_format(at: &str, format: Option<FileFormat>, content: &Secret) -> Result<(), Error> {
    let Some(format) = format else { return Ok(()) };
    format.check(content).map_err(|code| Error::input(at, &format!("is not of its format: {code}")))
}

fn check_one(content: &Content, field: &dyn Fn(&str) -> String) -> Result<(), Error> {
    let within = |name: &str, number: usize, min: usize, max: usize| {
        let fits = (min..=max).contains(&number);
        if fits { Ok(()) } else { Err(Error::input(&field(name), &format!("expected {min} to {max}"))) }
    };
    let seconds = |name: &str, ttl: u32, max: u32| {
        let fits = (1..=max).contains(&ttl);
        let message = format!("expected 1 to {max} seconds");
        if fits { Ok(()) } else { Err(Error::input(&field(name), &message)) }
    };
    let bytes = |name: &str, text: &Secret, max: usize| {
        let fits = text.expose().len() <= max;
        if fits { Ok(()) } else { Err(Error::input(&field(name), &format!("at most {max} bytes"))) }
    };
    match content {
        Content::File { content, format, .. } => {
            bytes("content", content, limits::FILE_BYTES)?;
            check_format(&field("content"), *format, content)
        }
        Content::KubernetesBootstrapToken { groups, ttl_seconds } => {
            seconds("ttl_seconds", *ttl_seconds, limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS)?;
            within("groups", groups.len(), 1, limits::KUBERNETES_GROUPS)
        }
        Content::SpireJoinToken { ttl_seconds, .. } => {
            seconds("ttl_seconds", *ttl_seconds, limits::JOIN_TOKEN_TTL_MAX_SECONDS)
        }
        Content::SpireEntry {
            selectors,
            x509_svid_ttl_seconds: x509,
            jwt_svid_ttl_seconds: jwt,
            dns_names,
            federates_with,
            ..
        } => {
            for (name, ttl) in [("x509_svid_ttl_seconds", x509), ("jwt_svid_ttl_seconds", jwt)] {
                ttl.map_or(Ok(()), |ttl| seconds(name, ttl, limits::SPIRE_SVID_TTL_MAX_SECONDS))?;
            }
            within("selectors", selectors.len(), 0, limits::SPIRE_SELECTORS)?;
            within("dns_names", dns_names.len(), 0, limits::SPIRE_DNS_NAMES)?;
            within("federates_with", federates_with.len(), 0, limits::SPIRE_FEDERATES_WITH)
        }
        Content::Host { value, settings, .. } => {
            within("settings", settings.len(), 0, limits::RESOURCE_SETTINGS)?;
            for (key, value) in settings {
                let fits = key.len() <= limits::LABEL_KEY_BYTES && value.len() <= limits::LABEL_VALUE_BYTES;
                if !fits {
                    return Err(Error::input(&field("settings"), "keys up to 63 bytes, values up to 256"));
                }
            }
            match value {
                HostValue::Given { value } => bytes("value.value", value, limits::FILE_BYTES),
                HostValue::None | HostValue::Drawn => Ok(()),
            }
        }
        Content::KubernetesNode { .. } | Content::PoolItem { .. } => Ok(()),
    }
}
