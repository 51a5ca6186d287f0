//! The host's choices, with defaults that are safe where nobody has chosen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    aws::{AccountId, Region},
    id::{Kind, ScopeId},
    kubernetes::LabelValue,
    limits, rules,
    vocabulary::{ActivatesOn, Content, Description, Error, Labels},
};

/// The rules of a registrar. Every field has a default; unknown fields are errors.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Marks what we made outside, so that two registrars never delete each other's things.
    pub owner: LabelValue,
    /// Seconds that an unused package lives when its issue does not say.
    pub package_ttl_seconds: u32,
    /// Seconds that an unused package lives at most, whoever asks. A longer life is refused, not shortened.
    pub package_ttl_max_seconds: u32,
    /// Seconds in which the same presenter may redeem again and gets the same grant.
    pub retry_seconds: u32,
    /// Seconds in which the same recipient may have a package again.
    pub redelivery_seconds: u32,
    /// Seconds from redemption in which the node must check in.
    pub confirm_seconds: u32,
    /// Whether an identifier that the host merely vouches for is accepted where no key proves it.
    pub vouched_fingerprints: bool,
    /// Where nodes reach the host, without a slash at the end: what a proof covers (`htu`) is this and `/redeem`,
    /// `/check-in`, `/leave` or `/deliver`. Without it no proof can be judged, and each is refused.
    pub base_url: Option<String>,
    /// Who issues the node credentials (`iss`).
    pub issuer: String,
    /// Seconds that a node credential lives; it is renewed at each check-in.
    pub credential_seconds: u32,
    /// Seconds that a download link lives when nobody says.
    pub link_seconds: u32,
    /// Seconds that an old token is good at most beside a reissued one that has not been used, when the reissue asks for
    /// that and does not say how long.
    pub reissue_grace_seconds: u32,
    /// How often a subject may be given its grant anew, and a package's only node be replaced, by reissued tokens.
    pub recoveries: u32,
    /// What becomes of a subject that is a node already and shows the token of another package.
    pub enrolled_elsewhere: Enrolled,
    /// What is done about a suspected clone, besides the alert.
    pub on_clone_suspected: CloneReaction,
    /// When an ended package gives back what its scope had reserved and its items of pools.
    pub release: Release,
    /// Rules about kinds of packages. A kind without a rule sits under no parent.
    pub kinds: BTreeMap<Kind, KindRule>,
    /// How SPIRE entries are made.
    pub spire: SpirePolicy,
    /// How far the operator's own rule is listened to, if the registrar has one.
    pub rule_mode: rules::Mode,
    /// Seconds after `running` in which the address that the cloud's API gave proves an instance. Addresses are
    /// given to other machines later.
    pub address_seconds: u32,
    /// Whether knowing an instance id is enough to be given its package. Instance ids are not secret: they stand
    /// in logs and consoles. For closed test networks only; every such delivery is marked in the audit.
    pub instance_id_alone: bool,
    /// Seconds into the past that an instance event may date from, unless it ends the instance.
    pub event_age_seconds: u32,
    /// Which instances get a package, and which; the first rule that matches.
    pub instances: Vec<InstanceRule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            owner: default_owner(),
            package_ttl_seconds: 15 * 60,
            package_ttl_max_seconds: limits::PACKAGE_TTL_MAX_SECONDS,
            retry_seconds: 10 * 60,
            redelivery_seconds: 10 * 60,
            confirm_seconds: 60 * 60,
            vouched_fingerprints: false,
            base_url: None,
            issuer: "handfast".to_owned(),
            credential_seconds: 60 * 60,
            link_seconds: 60 * 60,
            reissue_grace_seconds: 60 * 60,
            recoveries: limits::RECOVERIES,
            enrolled_elsewhere: Enrolled::default(),
            on_clone_suspected: CloneReaction::default(),
            release: Release::default(),
            kinds: BTreeMap::new(),
            spire: SpirePolicy::default(),
            rule_mode: rules::Mode::default(),
            address_seconds: 5 * 60,
            instance_id_alone: false,
            event_age_seconds: limits::SNS_MAX_AGE_SECONDS,
            instances: Vec::new(),
        }
    }
}

#[expect(clippy::expect_used, reason = "a literal that the tests parse")]
fn default_owner() -> LabelValue {
    "handfast".parse().expect("a valid label value")
}

/// What becomes of a subject that is a node already and shows the token of another package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Enrolled {
    /// It is refused: an operator sends the old node away first.
    #[default]
    Refuse,
    /// Its old node retires, and it is one of the other package.
    Move,
}

/// What is done about a suspected clone: a node that checks in with an older number or as another attempt, or a machine
/// that shows a token whose uses others have spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CloneReaction {
    /// Nothing but the alert: an old token or a copied disk must not be able to stop a healthy node.
    #[default]
    Alert,
    /// The package's tokens so far are locked: they give nothing to anybody any more, also no grant again. Its nodes go on.
    /// A reissued token is not locked.
    Lock,
    /// They are locked, and where it is certain which node is meant, nothing is taken from that node any more: no check-in,
    /// no leave, no delivery for its children; its credential is not renewed. Until an operator sends it away, or reissues
    /// the token and the right machine redeems it: credentials from before are worth nothing then. Its deadlines go on
    /// meanwhile: silent for too long, or not confirmed in time, it retires. Whoever holds a token of one use while it can
    /// still be redeemed, or a copy of a node's disk, can bring this about.
    Quarantine,
}

/// When an ended package gives back what it held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// When nothing of it is left outside: there is never one more out there than there may be.
    #[default]
    WhenGone,
    /// At once. For scopes whose numbers are our own, not an upstream's.
    AtEnd,
}

/// Rules about one kind of packages.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct KindRule {
    /// The kinds of packages that it sits under, one of which it must have; none, when empty.
    pub parents: BTreeSet<Kind>,
    /// Whether it must be bound at least as narrowly as the package above it: to networks, accounts and regions within that
    /// one's. Then who may issue under a package cannot widen what that one allows.
    pub within_parent: bool,
    /// Seconds that an unused package lives when its issue does not say.
    pub ttl_seconds: Option<u32>,
    /// What turns it Activated when its issue does not say.
    pub activates_on: Option<ActivatesOn>,
    /// Seconds of silence after which a node retires when the issue does not say.
    pub inactivity_seconds: Option<u32>,
    /// Whether an identifier that the host merely vouches for is accepted; the policy's choice when left out.
    pub vouched_fingerprints: Option<bool>,
}

/// How SPIRE entries are made. In the templates, `{trust_domain}`, `{scope}`, `{kind}`, `{name}` and `{package}` stand for
/// what the package has.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SpirePolicy {
    /// The trust domain's name.
    pub trust_domain: String,
    /// The id that an entry grants, for example `spiffe://{trust_domain}/ns/edge/{name}`.
    pub spiffe_id: String,
    /// The id of who must vouch for it.
    pub parent_id: String,
    /// What a workload must show, at most [`limits::SPIRE_SELECTORS`].
    pub selectors: Vec<String>,
    /// The id that an agent attested by a join token gets besides SPIRE's own, so that entries can name it as their parent;
    /// none when empty.
    pub agent_id: String,
    /// Whether an issue may choose all of these itself. An operator who may do that can give any node any identity.
    pub may_override: bool,
}

/// Instances of certain accounts and regions with certain tags get a package.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InstanceRule {
    /// The accounts; at least one.
    pub accounts: BTreeSet<AccountId>,
    /// The regions; any, when empty.
    #[serde(default)]
    pub regions: BTreeSet<Region>,
    /// Tags that the instance must have; `null` stands for any value.
    #[serde(default)]
    pub tags: BTreeMap<String, Option<String>>,
    /// The scope of the package.
    pub scope: ScopeId,
    /// The kind of the package.
    pub kind: Kind,
    /// Labels of the package.
    #[serde(default)]
    pub labels: Labels,
    /// Seconds that the unused package lives; the policy's default when left out.
    #[serde(default)]
    pub ttl_seconds: Option<u32>,
    /// What the package carries; it is handed to the instance itself, and is in use from then on.
    pub contents: Vec<Content>,
}

impl InstanceRule {
    /// Whether the instance, as its cloud's API describes it, is meant.
    pub(super) fn matches(&self, description: &Description) -> bool {
        self.accounts.contains(&description.account)
            && (self.regions.is_empty() || self.regions.contains(&description.region))
            && self.tags.iter().all(|(key, wanted)| {
                description
                    .tags
                    .get(key)
                    .is_some_and(|value| wanted.as_ref().is_none_or(|wanted| wanted == value))
            })
    }
}

impl Policy {
    /// Checks every value against its limit.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_ttl("package_ttl_max_seconds", self.package_ttl_max_seconds, limits::PACKAGE_TTL_MAX_SECONDS)?;
        check_ttl("package_ttl_seconds", self.package_ttl_seconds, self.package_ttl_max_seconds)?;
        for (field, seconds) in [
            ("retry_seconds", self.retry_seconds),
            ("redelivery_seconds", self.redelivery_seconds),
            ("address_seconds", self.address_seconds),
            ("event_age_seconds", self.event_age_seconds),
            ("reissue_grace_seconds", self.reissue_grace_seconds),
        ] {
            if seconds > limits::WINDOW_MAX_SECONDS {
                return Err(Error::input(field, &format!("at most {}", limits::WINDOW_MAX_SECONDS)));
            }
        }
        if self.confirm_seconds > limits::PACKAGE_TTL_MAX_SECONDS {
            return Err(Error::input(
                "confirm_seconds",
                &format!("at most {}", limits::PACKAGE_TTL_MAX_SECONDS),
            ));
        }
        self.check_credentials()?;
        self.spire.check()?;
        if self.kinds.len() > limits::KIND_RULES {
            return Err(Error::input("kinds", &format!("at most {}", limits::KIND_RULES)));
        }
        self.kinds.iter().try_for_each(|(kind, rule)| {
            rule.check(&format!("kinds.{kind}"), self.package_ttl_max_seconds)
        })?;
        if self.instances.len() > limits::INSTANCE_RULES {
            return Err(Error::input("instances", &format!("at most {}", limits::INSTANCE_RULES)));
        }
        self.instances.iter().enumerate().try_for_each(|(place, rule)| {
            rule.check(&format!("instances[{place}]"), self.package_ttl_max_seconds)
        })
    }

    fn check_credentials(&self) -> Result<(), Error> {
        if !(1..=limits::CREDENTIAL_TTL_MAX_SECONDS).contains(&self.credential_seconds) {
            let max = limits::CREDENTIAL_TTL_MAX_SECONDS;
            return Err(Error::input("credential_seconds", &format!("expected 1 to {max} seconds")));
        }
        if !(1..=limits::LINK_TTL_MAX_SECONDS).contains(&self.link_seconds) {
            let max = limits::LINK_TTL_MAX_SECONDS;
            return Err(Error::input("link_seconds", &format!("expected 1 to {max} seconds")));
        }
        let plain = |url: &str| {
            url.len() <= limits::URL_BYTES
                && (url.starts_with("https://") || url.starts_with("http://"))
                && !url.ends_with('/')
                && url
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'\\'))
        };
        if self.base_url.as_deref().is_some_and(|url| !plain(url)) {
            return Err(Error::input(
                "base_url",
                "expected http(s)://, without query, fragment and last slash",
            ));
        }
        if self.issuer.is_empty() || self.issuer.len() > limits::URL_BYTES {
            return Err(Error::input("issuer", &format!("expected 1 to {} bytes", limits::URL_BYTES)));
        }
        Ok(())
    }

    /// Whether an identifier that the host merely vouches for is accepted for packages of that kind.
    pub(super) fn vouches_for(&self, kind: &Kind) -> bool {
        let rule = self.kinds.get(kind).and_then(|rule| rule.vouched_fingerprints);
        rule.unwrap_or(self.vouched_fingerprints)
    }
}

impl KindRule {
    fn check(&self, at: &str, max: u32) -> Result<(), Error> {
        if let Some(ttl) = self.ttl_seconds {
            check_ttl(&format!("{at}.ttl_seconds"), ttl, max)?;
        }
        if let Some(seconds) = self.inactivity_seconds {
            check_inactivity(&format!("{at}.inactivity_seconds"), seconds)?;
        }
        if self.parents.len() > limits::KIND_RULES {
            return Err(Error::input(&format!("{at}.parents"), &format!("at most {}", limits::KIND_RULES)));
        }
        Ok(())
    }
}

impl SpirePolicy {
    fn check(&self) -> Result<(), Error> {
        if !self.trust_domain.is_empty() && !crate::spire::is_trust_domain(&self.trust_domain) {
            return Err(Error::input("spire.trust_domain", "not a trust domain's name"));
        }
        if self.selectors.len() > limits::SPIRE_SELECTORS {
            return Err(Error::input("spire.selectors", &format!("at most {}", limits::SPIRE_SELECTORS)));
        }
        let texts = self.selectors.iter().chain([&self.spiffe_id, &self.parent_id, &self.agent_id]);
        if texts.map(String::len).any(|length| length > limits::SPIFFE_ID_BYTES) {
            return Err(Error::input("spire", &format!("templates up to {} bytes", limits::SPIFFE_ID_BYTES)));
        }
        Ok(())
    }
}

impl InstanceRule {
    fn check(&self, at: &str, max: u32) -> Result<(), Error> {
        if self.accounts.is_empty() {
            return Err(Error::input(&format!("{at}.accounts"), "at least one"));
        }
        if let Some(ttl) = self.ttl_seconds {
            check_ttl(&format!("{at}.ttl_seconds"), ttl, max)?;
        }
        super::contents::check(&format!("{at}.contents"), &self.contents)
    }
}

/// The one place where a package's lifetime is checked, against the policy's longest.
pub(super) fn check_ttl(at: &str, seconds: u32, max: u32) -> Result<(), Error> {
    let min = limits::PACKAGE_TTL_MIN_SECONDS;
    if (min..=max).contains(&seconds) {
        Ok(())
    } else {
        Err(Error::input(at, &format!("expected {min} to {max} seconds")))
    }
}

/// The one place where an ephemeral node's silence is checked.
pub(super) fn check_inactivity(at: &str, seconds: u32) -> Result<(), Error> {
    if (limits::INACTIVITY_MIN_SECONDS..=limits::INACTIVITY_MAX_SECONDS).contains(&seconds) {
        Ok(())
    } else {
        let (min, max) = (limits::INACTIVITY_MIN_SECONDS, limits::INACTIVITY_MAX_SECONDS);
        Err(Error::input(at, &format!("expected {min} to {max} seconds")))
    }
}
