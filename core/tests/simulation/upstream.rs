//! What is outside: a service that refuses one client more than it allows, a cluster, a SPIRE server.

use std::collections::{BTreeMap, BTreeSet};

use handfast::{
    registrar::Revealed,
    spire::EntryId,
    time::Timestamp,
    vocabulary::{EffectOutcome, Work},
};

#[derive(Default)]
pub(crate) struct Upstream {
    /// Clients by their external name, with their secret.
    pub(crate) clients: BTreeMap<String, String>,
    pub(crate) most: usize,
    /// How often it had to refuse one.
    pub(crate) refused: u32,
    /// Names that somebody else has.
    pub(crate) foreign: BTreeSet<String>,
    pub(crate) entries: BTreeSet<EntryId>,
    pub(crate) bootstrap_tokens: BTreeMap<String, Timestamp>,
    pub(crate) join_tokens: BTreeMap<String, Timestamp>,
}

impl Upstream {
    /// Somebody else takes the name first.
    pub(crate) fn take_name(&mut self, work: &Work) {
        match work {
            Work::EnsureHost { resource } => drop(self.foreign.insert(resource.name.to_string())),
            Work::EnsureBootstrapToken { name, .. } => drop(self.foreign.insert(name.clone())),
            _ => {}
        }
    }

    /// Does what is asked for, as far as it lets itself be done.
    pub(crate) fn perform(&mut self, work: &Work, revealed: &Revealed) -> EffectOutcome {
        match work {
            Work::EnsureHost { resource } if self.foreign.contains(resource.name.as_str()) => {
                return EffectOutcome::Collision;
            }
            Work::EnsureBootstrapToken { name, .. } if self.foreign.contains(name) => {
                return EffectOutcome::Collision;
            }
            _ => {}
        }
        match work {
            Work::EnsureHost { resource } => {
                let name = resource.name.to_string();
                let value = match revealed {
                    Revealed::Value(value) => value.expose().to_owned(),
                    _ => String::new(),
                };
                if let Some(known) = self.clients.get(&name) {
                    assert_eq!(known, &value, "twice is once");
                } else if self.clients.len() >= self.most {
                    self.refused += 1;
                    return EffectOutcome::Failed { reason: "too many clients".into() };
                }
                self.clients.insert(name, value);
            }
            Work::DeleteHost { name, .. } => drop(self.clients.remove(name.as_str())),
            Work::EnsureSpireEntry { entry } => drop(self.entries.insert(entry.id.clone())),
            Work::EnsureSpireAlias { id, .. } => {
                let Revealed::Value(_) = revealed else { panic!("{revealed:?}") };
                self.entries.insert(id.clone());
            }
            Work::DeleteSpireEntry { id } => drop(self.entries.remove(id)),
            Work::EnsureBootstrapToken { name, expires_at, .. } => {
                let Revealed::BootstrapToken(secret) = revealed else { panic!("{revealed:?}") };
                assert_eq!(&secret.name(), name);
                self.bootstrap_tokens.insert(name.clone(), *expires_at);
            }
            Work::DeleteBootstrapToken { name } => drop(self.bootstrap_tokens.remove(name)),
            Work::EnsureSpireJoinToken { expires_at, .. } => {
                let Revealed::Value(value) = revealed else { panic!("{revealed:?}") };
                self.join_tokens.insert(value.expose().to_owned(), *expires_at);
            }
            Work::DeleteKubernetesNode { .. } | Work::DescribeInstance { .. } | Work::Sweep { .. } => {}
        }
        EffectOutcome::Done
    }

    /// Whether what an effect would make is there.
    pub(crate) fn has(&self, work: &Work) -> bool {
        match work {
            Work::EnsureHost { resource } => self.clients.contains_key(resource.name.as_str()),
            Work::EnsureSpireEntry { entry } => self.entries.contains(&entry.id),
            Work::EnsureSpireAlias { id, .. } => self.entries.contains(id),
            Work::EnsureBootstrapToken { name, .. } => self.bootstrap_tokens.contains_key(name),
            Work::EnsureSpireJoinToken { .. } => true,
            _ => false,
        }
    }
}
