//! What must hold of the records that can be read back, whatever happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::judge::Verdict;
use crate::{
    id::{NodeId, PackageId, SecretId, Subject},
    record::{Key, NameEntry, Node, Package, Pool, Record, Row, Scope, SubjectEntry},
};

/// Holds all rows of a store against the invariants.
pub(super) fn hold(rows: &[Row]) -> Verdict {
    let known = Known::of(rows)?;
    known.packages.values().try_for_each(|package| known.package(package))?;
    known.nodes.values().try_for_each(|node| known.node(node))?;
    known.names.iter().try_for_each(|entry| known.name(entry))?;
    known.subjects.iter().try_for_each(|(subject, entry)| known.subject(subject, entry))?;
    known.scopes.iter().try_for_each(|scope| known.scope(scope))?;
    known.pools.iter().try_for_each(|pool| known.pool(pool))
}

/// The keys of the secrets that the records still need.
pub(super) fn held_secrets(rows: &[Row]) -> Result<Vec<Key>, String> {
    let mut held = Vec::new();
    for row in rows {
        let record = Record::from_body(&row.body).map_err(|error| format!("{}: {error}", row.key))?;
        held.extend(record.held_secrets().into_iter().map(Key::Secret));
    }
    Ok(held)
}

#[derive(Default)]
struct Known {
    packages: BTreeMap<PackageId, Arc<Package>>,
    nodes: BTreeMap<NodeId, Arc<Node>>,
    names: Vec<Arc<NameEntry>>,
    subjects: Vec<(Subject, Arc<SubjectEntry>)>,
    scopes: Vec<Arc<Scope>>,
    pools: Vec<Arc<Pool>>,
    sealed: BTreeSet<Key>,
}

impl Known {
    fn of(rows: &[Row]) -> Result<Self, String> {
        let mut known = Self::default();
        for row in rows {
            if row.key.secret().is_some() {
                known.sealed.insert(row.key.clone());
                continue;
            }
            match Record::from_body(&row.body).map_err(|error| format!("{}: {error}", row.key))? {
                Record::Package(package) => drop(known.packages.insert(package.id, package)),
                Record::Node(node) => drop(known.nodes.insert(node.id, node)),
                Record::Name(entry) => known.names.push(entry),
                Record::Subject(entry) => known.subjects.extend(subject_of(&row.key).map(|it| (it, entry))),
                Record::Scope(scope) => known.scopes.push(scope),
                Record::Pool(pool) => known.pools.push(pool),
                Record::Instance(_) | Record::Forgotten(_) => {}
            }
        }
        Ok(known)
    }

    fn package(&self, package: &Package) -> Verdict {
        let (id, uses) = (package.id, package.uses());
        if let Some(max) = package.issued.max_uses.filter(|max| uses > *max) {
            return Err(format!("package {id} was redeemed {uses} times of {max}"));
        }
        let subjects: BTreeSet<_> = package.nodes.iter().map(|node| &node.subject).collect();
        if subjects.len() < package.nodes.len() {
            return Err(format!("package {id} was redeemed twice by one machine"));
        }
        let current = package.token.as_ref().map(|token| token.generation);
        if package.locked > current {
            return Err(format!("package {id} has a token locked that was never made"));
        }
        match package.nodes.iter().find(|node| !self.nodes.contains_key(&node.id)) {
            Some(node) => Err(format!("package {id} has the node {}, which is nowhere", node.id)),
            None => self.sealed(package.held_secrets()),
        }
    }

    fn sealed(&self, held: BTreeSet<SecretId>) -> Verdict {
        match held.into_iter().map(Key::Secret).find(|key| !self.sealed.contains(key)) {
            Some(key) => Err(format!("{key} is still to be handed out, and is not in the vault")),
            None => Ok(()),
        }
    }

    fn node(&self, node: &Node) -> Verdict {
        match self.packages.get(&node.package) {
            None => Err(format!("node {} belongs to a package that is nowhere", node.id)),
            Some(package) if node.is_live() && !package.status.is_live() && !package.is_wide() => {
                Err(format!("node {} lives, and its package {} has ended", node.id, package.id))
            }
            Some(_) => Ok(()),
        }
    }

    fn name(&self, entry: &NameEntry) -> Verdict {
        let named = entry.package.and_then(|id| self.packages.get(&id));
        match (entry.package, named) {
            (None, _) => Ok(()),
            (Some(_), Some(package)) if package.status.is_live() => Ok(()),
            (Some(id), _) => Err(format!("a name leads to package {id}, which has ended or is nowhere")),
        }
    }

    fn subject(&self, subject: &Subject, entry: &SubjectEntry) -> Verdict {
        let lives = |id: &NodeId| self.nodes.get(id).is_some_and(|node| node.is_live());
        if let Some(id) = entry.node.iter().chain(&entry.claimed_by).find(|id| !lives(id)) {
            return Err(format!("a subject leads to node {id}, which is retired or nowhere"));
        }
        let in_use = |node: &&Arc<Node>| {
            let package = self.packages.get(&node.package);
            node.is_live() && package.is_some_and(|package| package.status.is_live())
        };
        let mut there = self.nodes.values().filter(in_use).filter(|node| node.scope == entry.scope);
        match there.find(|node| *subject == Subject::Fingerprint(node.fingerprint.clone())) {
            Some(node) if entry.ban.is_some() => Err(format!("node {} lives, and is banned", node.id)),
            Some(_) | None => Ok(()),
        }
    }

    /// The stories configure a scope before anything is issued in it.
    fn scope(&self, scope: &Scope) -> Verdict {
        let packages = self.packages.values().filter(|package| package.issued.scope == scope.id);
        let (mut live, mut reserved) = (0_u32, 0_u32);
        for package in packages {
            live = live.saturating_add(u32::from(package.status.is_live()));
            reserved = reserved.saturating_add(package.reserved);
        }
        let (id, max) = (&scope.id, scope.max_outstanding);
        if max.is_some_and(|max| live > max) {
            return Err(format!("scope {id} has {live} live packages, more than its quota"));
        }
        if (scope.outstanding, scope.reserved) != (live, reserved) {
            return Err(format!("scope {id} does not count what lives and is reserved in it"));
        }
        Ok(())
    }

    fn pool(&self, pool: &Pool) -> Verdict {
        let assigned: Vec<_> = pool.items.values().filter_map(|item| item.package).collect();
        if let Some(id) = assigned.iter().find(|id| self.packages.get(id).is_none_or(|it| it.released)) {
            return Err(format!(
                "an item of pool {} is with package {id}, which has given all back",
                pool.name
            ));
        }
        self.sealed(pool.held_secrets())
    }
}

fn subject_of(key: &Key) -> Option<Subject> {
    match key {
        Key::Subject(_, subject) => Some(subject.clone()),
        Key::Scope(_)
        | Key::Pool(..)
        | Key::Package(_)
        | Key::Name(..)
        | Key::Node(_)
        | Key::Instance(_)
        | Key::Secret(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Ledger,
        testing::{
            desk::Desk,
            world::{World, fill_pool, issue, quota, redeem},
        },
        time::Now,
        vocabulary::{Answer, Command},
    };

    /// In a scope with a quota, one package with a file and an item of a pool, redeemed by one machine.
    fn rows() -> Vec<Row> {
        let (mut world, mut ledger) = (World::new(Desk::default(), 1).unwrap(), Ledger::new());
        let mut run = |command: Value| {
            let command = Command::from_value(command).unwrap();
            ledger.run(&world.registrar, &command, Now::trusted(world.now), &mut world.dice).unwrap()
        };
        run(quota(1));
        run(fill_pool(&["a", "b"]));
        let contents =
            json!([{"type": "file", "name": "f", "content": "s"}, {"type": "pool_item", "pool": "p"}]);
        let Answer::Issued(issued) = run(issue("edge-1", json!({"contents": contents}))) else { panic!() };
        run(redeem(&issued.token.unwrap(), "machine-1"));
        let secrets: Vec<_> = ledger.secrets().map(Key::Secret).collect();
        ledger.read(&ledger.iter().map(|(key, _)| key.clone()).chain(secrets).collect::<Vec<_>>())
    }

    #[test]
    fn records_that_contradict_each_other_are_found() {
        assert_eq!(hold(&rows()), Ok(()));
        let without = |kind: &str| {
            let rows: Vec<_> =
                rows().into_iter().filter(|row| !row.key.to_string().starts_with(kind)).collect();
            hold(&rows).unwrap_err()
        };
        assert!(without("secret/").ends_with("and is not in the vault"));
        assert!(without("node/").ends_with("which is nowhere"));
        assert!(without("package/").contains("belongs to a package that is nowhere"));
        let with = |old: &str, new: &str| {
            let change = |row: Row| Row { body: row.body.replacen(old, new, 1), ..row };
            hold(&rows().into_iter().map(change).collect::<Vec<_>>()).unwrap_err()
        };
        assert!(with("\"max_uses\":1", "\"max_uses\":0").ends_with("was redeemed 1 times of 0"));
        assert!(with("\"status\":\"delivered\"", "\"status\":\"revoked\"").ends_with("has ended"));
        assert!(with("\"status\":\"claimed\"", "\"status\":\"retired\"").contains("a subject leads to node"));
        assert!(with("\"max_outstanding\":1", "\"max_outstanding\":0").ends_with("more than its quota"));
        assert!(with("\"outstanding\":1", "\"outstanding\":2").contains("does not count"));
        let ban = "\"ban\":{\"at\":\"2026-01-02T03:04:05Z\",\"by\":\"ann\"},\"node\":";
        assert!(with("\"node\":", ban).ends_with("lives, and is banned"));
        assert!(with("\"issued\"", "\"locked\":7,\"issued\"").ends_with("that was never made"));
        let gave_back = with("\"delivery_open\":true", "\"delivery_open\":true,\"released\":true");
        assert!(gave_back.ends_with("which has given all back"));
    }
}
