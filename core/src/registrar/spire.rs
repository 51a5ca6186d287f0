//! SPIRE contents: which identities a package is given.

use std::{collections::BTreeSet, str::FromStr};

use super::{
    contents::{Made, Maker},
    draft::{Draft, Step, refuse},
    policy::SpirePolicy,
};
use crate::{
    record::{Key, PackageContent, ResourceSpec, SpireEntry},
    secret::Secret,
    spire::{EntryId, Selector, SpiffeId, SpireError, TrustDomain},
    vocabulary::{Error, Refusal},
};

/// What an issue says of an entry; the policy says the rest.
pub(super) struct AskedEntry<'a> {
    pub(super) spiffe_id: Option<&'a SpiffeId>,
    pub(super) parent_id: Option<&'a SpiffeId>,
    pub(super) selectors: &'a BTreeSet<Selector>,
    pub(super) x509_svid_ttl_seconds: Option<u32>,
    pub(super) jwt_svid_ttl_seconds: Option<u32>,
    pub(super) dns_names: &'a [String],
    pub(super) federates_with: &'a BTreeSet<TrustDomain>,
    pub(super) hint: Option<&'a String>,
    pub(super) downstream: bool,
}

impl AskedEntry<'_> {
    /// Whether it says anything that identifies.
    fn overrides(&self) -> bool {
        self.spiffe_id.is_some()
            || self.parent_id.is_some()
            || !self.selectors.is_empty()
            || !self.dns_names.is_empty()
            || !self.federates_with.is_empty()
            || self.downstream
    }
}

impl Maker<'_> {
    /// A token, and where an id for the agent is wanted the entry that gives it.
    pub(super) fn spire_join_token(
        &mut self,
        draft: &mut Draft<'_>,
        ttl_seconds: u32,
        spiffe_id: Option<&SpiffeId>,
        place: usize,
        made: &mut Made,
    ) -> Step<()> {
        let agent_id = self.agent_id(draft, spiffe_id, place)?;
        let token = Secret::new(uuid::Builder::from_random_bytes(draft.random()).into_uuid().to_string());
        let secret = self.keep(draft, &token)?;
        let expires_at = draft.now().plus_seconds(ttl_seconds);
        made.resources.push(ResourceSpec::SpireJoinToken { secret, expires_at });
        if let Some(spiffe_id) = agent_id {
            made.resources.push(ResourceSpec::SpireAlias { id: drawn_id(draft)?, spiffe_id, secret });
        }
        made.contents.push(PackageContent::SpireJoinToken { secret, expires_at });
        Ok(())
    }

    fn agent_id(&self, draft: &Draft<'_>, asked: Option<&SpiffeId>, place: usize) -> Step<Option<SpiffeId>> {
        let rules = &draft.registrar.policy.spire;
        let at = format!("contents[{place}].spiffe_id");
        let id = match asked {
            Some(_) if !rules.may_override => {
                return refuse(Refusal::OverrideNotAllowed, Key::Package(self.package));
            }
            Some(id) => id.clone(),
            None if rules.agent_id.is_empty() => return Ok(None),
            None => self.filled(rules, &rules.agent_id, &at)?,
        };
        if crate::spire::is_reserved(&id) {
            return Err(Error::input(&at, "a path outside /spire, which is the server's own").into());
        }
        check_domain(rules, &id, &at)?;
        Ok(Some(id))
    }

    pub(super) fn spire_entry(
        &self,
        draft: &mut Draft<'_>,
        asked: &AskedEntry<'_>,
        place: usize,
    ) -> Step<SpireEntry> {
        let rules = &draft.registrar.policy.spire;
        if asked.overrides() && !rules.may_override {
            return refuse(Refusal::OverrideNotAllowed, Key::Package(self.package));
        }
        let at = |field: &str| format!("contents[{place}].{field}");
        let spiffe_id = match asked.spiffe_id {
            Some(id) => id.clone(),
            None => self.filled(rules, &rules.spiffe_id, &at("spiffe_id"))?,
        };
        let parent_id = match asked.parent_id {
            Some(id) => id.clone(),
            None => self.filled(rules, &rules.parent_id, &at("parent_id"))?,
        };
        let selectors = if asked.selectors.is_empty() {
            let filled =
                rules.selectors.iter().map(|selector| self.filled(rules, selector, &at("selectors")));
            filled.collect::<Result<BTreeSet<Selector>, Error>>()?
        } else {
            asked.selectors.clone()
        };
        if selectors.is_empty() {
            return Err(Error::input(&at("selectors"), "neither given nor in the policy").into());
        }
        check_domain(rules, &spiffe_id, &at("spiffe_id"))?;
        let entry = SpireEntry {
            id: drawn_id(draft)?,
            spiffe_id,
            parent_id,
            selectors,
            x509_svid_ttl_seconds: asked.x509_svid_ttl_seconds,
            jwt_svid_ttl_seconds: asked.jwt_svid_ttl_seconds,
            dns_names: asked.dns_names.to_vec(),
            federates_with: asked.federates_with.clone(),
            hint: asked.hint.cloned(),
            downstream: asked.downstream,
        };
        match entry.to_entry().check() {
            Ok(()) => Ok(entry),
            Err(SpireError::InvalidRequest { field, expected }) => {
                Err(Error::input(&at(field), expected).into())
            }
            Err(error) => Err(Error::input(&format!("contents[{place}]"), &error.to_string()).into()),
        }
    }

    /// Fills a template of the policy. Names have no characters that could end a path segment.
    fn filled<T: FromStr>(&self, rules: &SpirePolicy, template: &str, at: &str) -> Result<T, Error> {
        if template.is_empty() {
            return Err(Error::input(at, "neither given nor in the policy"));
        }
        let filled = template
            .replace("{trust_domain}", &rules.trust_domain)
            .replace("{scope}", self.scope.as_str())
            .replace("{kind}", self.kind.as_str())
            .replace("{name}", self.name.as_str())
            .replace("{package}", &self.package.to_string());
        filled.parse().map_err(|_| Error::input(at, "the policy's template does not give a valid one"))
    }
}

/// The server would refuse another trust domain's, but only when the operator has gone.
fn check_domain(rules: &SpirePolicy, id: &SpiffeId, at: &str) -> Result<(), Error> {
    if rules.trust_domain.is_empty() || id.trust_domain() == rules.trust_domain {
        Ok(())
    } else {
        Err(Error::input(at, "an id of the policy's trust domain"))
    }
}

/// An id of ours: it bears our mark, and nobody has drawn it before.
fn drawn_id(draft: &mut Draft<'_>) -> Result<EntryId, Error> {
    let drawn = data_encoding::HEXLOWER.encode(&draft.random::<16>());
    let id = format!("{}-{drawn}", draft.registrar.policy.owner);
    id.parse().map_err(|_| Error::Misuse("a drawn id is an id"))
}
