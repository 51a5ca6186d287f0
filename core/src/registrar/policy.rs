//! The host's choices, with defaults that are safe where nobody has chosen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    aws::{AccountId, Region},
    id::{Kind, ScopeId},
    kubernetes::LabelValue,
    limits,
    vocabulary::{Content, Description, Error, Labels},
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
    /// Seconds in which the same presenter may redeem again and gets the same grant.
    pub retry_seconds: u32,
    /// Seconds in which the same recipient may have a package again.
    pub redelivery_seconds: u32,
    /// Seconds from redemption in which the node must check in.
    pub confirm_seconds: u32,
    /// Whether an identifier that the host merely vouches for is accepted where no key proves it.
    pub vouched_fingerprints: bool,
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
            retry_seconds: 10 * 60,
            redelivery_seconds: 10 * 60,
            confirm_seconds: 60 * 60,
            vouched_fingerprints: false,
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
        check_ttl("package_ttl_seconds", self.package_ttl_seconds)?;
        for (field, seconds) in [
            ("retry_seconds", self.retry_seconds),
            ("redelivery_seconds", self.redelivery_seconds),
            ("address_seconds", self.address_seconds),
            ("event_age_seconds", self.event_age_seconds),
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
        if self.instances.len() > limits::INSTANCE_RULES {
            return Err(Error::input("instances", &format!("at most {}", limits::INSTANCE_RULES)));
        }
        self.instances
            .iter()
            .enumerate()
            .try_for_each(|(place, rule)| rule.check(&format!("instances[{place}]")))
    }
}

impl InstanceRule {
    fn check(&self, at: &str) -> Result<(), Error> {
        if self.accounts.is_empty() {
            return Err(Error::input(&format!("{at}.accounts"), "at least one"));
        }
        if let Some(ttl) = self.ttl_seconds {
            check_ttl(&format!("{at}.ttl_seconds"), ttl)?;
        }
        super::issue::check_contents(&format!("{at}.contents"), &self.contents)
    }
}

/// The one place where a package's lifetime is checked.
pub(super) fn check_ttl(at: &str, seconds: u32) -> Result<(), Error> {
    if (limits::PACKAGE_TTL_MIN_SECONDS..=limits::PACKAGE_TTL_MAX_SECONDS).contains(&seconds) {
        Ok(())
    } else {
        let (min, max) = (limits::PACKAGE_TTL_MIN_SECONDS, limits::PACKAGE_TTL_MAX_SECONDS);
        Err(Error::input(at, &format!("expected {min} to {max} seconds")))
    }
}
