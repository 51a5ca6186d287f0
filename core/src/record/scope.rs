//! A scope with its quota: how much may be promised, and how much has been.

use serde::{Deserialize, Serialize};

use crate::{
    id::ScopeId,
    time::Timestamp,
    vocabulary::{Event, Fact},
};

/// A scope that an operator has configured. Packages issued before that are outside its quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Its id.
    pub id: ScopeId,
    /// How many packages may live at once; any number, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_outstanding: Option<u32>,
    /// How many uses may be reserved at once; any number, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_active: Option<u32>,
    /// The live packages.
    pub outstanding: u32,
    /// The uses reserved: from the issue of their package until nothing of it is left outside.
    pub reserved: u32,
    /// When it was first configured.
    pub created_at: Timestamp,
    /// The latest instant it has seen.
    pub updated_at: Timestamp,
}

impl Scope {
    /// How many more uses can be reserved; any number, when `None`.
    #[must_use]
    pub fn free(&self) -> Option<u32> {
        self.max_active.map(|max| max.saturating_sub(self.reserved))
    }

    /// The scope for people and APIs. How many of its packages are Activated is the store's to count.
    #[must_use]
    pub fn view(&self, active: u64) -> ScopeView {
        ScopeView {
            scope: self.id.clone(),
            max_outstanding: self.max_outstanding,
            max_active: self.max_active,
            outstanding: self.outstanding,
            reserved: self.reserved,
            active,
            free: self.free(),
        }
    }

    pub(super) fn new(id: ScopeId, event: &Event) -> Self {
        let mut scope = Self {
            id,
            max_outstanding: None,
            max_active: None,
            outstanding: 0,
            reserved: 0,
            created_at: event.at,
            updated_at: event.at,
        };
        scope.apply(event);
        scope
    }

    /// Takes in one fact. A fact that is not about scopes changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        self.updated_at = event.at;
        if let Fact::ScopeConfigured { max_outstanding, max_active } = &event.fact {
            self.max_outstanding = *max_outstanding;
            self.max_active = *max_active;
        } else if let Fact::ScopeReserved { uses, .. } = &event.fact {
            self.outstanding = self.outstanding.saturating_add(1);
            self.reserved = self.reserved.saturating_add(*uses);
        } else if let Fact::ScopePackageEnded { .. } = &event.fact {
            self.outstanding = self.outstanding.saturating_sub(1);
        } else if let Fact::ScopeReturned { uses, .. } = &event.fact {
            self.reserved = self.reserved.saturating_sub(*uses);
        }
    }
}

/// What is promised in a scope, and what of it is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScopeView {
    /// The scope.
    pub scope: ScopeId,
    /// How many packages may live at once; any number, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_outstanding: Option<u32>,
    /// How many uses may be reserved at once; any number, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_active: Option<u32>,
    /// The live packages.
    pub outstanding: u32,
    /// The uses reserved: from the issue of their package until nothing of it is left outside.
    pub reserved: u32,
    /// The packages that are in use.
    pub active: u64,
    /// How many more uses can be reserved; any number, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u32>,
}
