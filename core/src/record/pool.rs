//! A pool of named, finite items: WireGuard configurations, addresses, licences.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    id::{ItemName, PackageId, PoolName, ScopeId, SecretId},
    time::Timestamp,
    vocabulary::{Event, Fact, FileFormat},
};

/// One item of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolItem {
    /// Its sealed content, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretId>,
    /// The package that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
}

/// A pool within a scope. An item is with one package at a time, and comes back when nothing of that package is left
/// outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Its scope.
    pub scope: ScopeId,
    /// Its name.
    pub name: PoolName,
    /// What its secrets are kept under in the vault.
    pub vault: PackageId,
    /// The number of the next secret.
    pub next_secret: u32,
    /// What all its items are, where that was said when it was empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FileFormat>,
    /// Its items.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub items: BTreeMap<ItemName, PoolItem>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The latest instant it has seen.
    pub updated_at: Timestamp,
}

impl Pool {
    /// The first item, in the order of names, that no package has.
    #[must_use]
    pub fn free_item(&self) -> Option<(&ItemName, &PoolItem)> {
        self.items.iter().find(|(_, item)| item.package.is_none())
    }

    /// How many items no package has.
    #[must_use]
    pub fn free(&self) -> usize {
        self.items.values().filter(|item| item.package.is_none()).count()
    }

    /// The secrets that its items hold.
    #[must_use]
    pub fn held_secrets(&self) -> BTreeSet<SecretId> {
        self.items.values().filter_map(|item| item.secret).collect()
    }

    pub(super) fn new(scope: ScopeId, name: PoolName, event: &Event) -> Option<Self> {
        let Fact::PoolChanged { vault, .. } = &event.fact else { return None };
        let mut pool = Self {
            scope,
            name,
            vault: *vault,
            next_secret: 1,
            format: None,
            items: BTreeMap::new(),
            created_at: event.at,
            updated_at: event.at,
        };
        pool.apply(event);
        Some(pool)
    }

    /// Takes in one fact. A fact that is not about pools changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        if let Fact::PoolChanged { added, removed, next_secret, format, .. } = &event.fact {
            self.items.retain(|name, _| !removed.contains(name));
            let fresh = |(name, secret): (&ItemName, &Option<SecretId>)| {
                (name.clone(), PoolItem { secret: *secret, package: None })
            };
            self.items.extend(added.iter().map(fresh));
            self.next_secret = *next_secret;
            self.format = *format;
        } else if let Fact::PoolItemAssigned { item, package } = &event.fact {
            self.assign(item, Some(*package));
        } else if let Fact::PoolItemReturned { item, .. } = &event.fact {
            self.assign(item, None);
        }
    }

    fn assign(&mut self, item: &ItemName, package: Option<PackageId>) {
        if let Some(item) = self.items.get_mut(item) {
            item.package = package;
        }
    }
}
