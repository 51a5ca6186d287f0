//! What must hold of the records that can be read back, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::Verdict;
use crate::{
    id::{NodeId, PackageId},
    record::{Key, NameEntry, Node, NodeStatus, Package, Record, Row, SubjectEntry},
};

/// Holds all rows of a store against the invariants.
pub(super) fn hold(rows: &[Row]) -> Verdict {
    let known = Known::of(rows)?;
    known.packages.values().try_for_each(|package| known.package(package))?;
    known.nodes.values().try_for_each(|node| known.node(node))?;
    known.names.iter().try_for_each(|entry| known.name(entry))?;
    known.subjects.iter().try_for_each(|entry| known.subject(entry))
}

#[derive(Default)]
struct Known {
    packages: BTreeMap<PackageId, Package>,
    nodes: BTreeMap<NodeId, Node>,
    names: Vec<NameEntry>,
    subjects: Vec<SubjectEntry>,
    sealed: BTreeSet<Key>,
}

impl Known {
    fn of(rows: &[Row]) -> Result<Self, String> {
        let mut known = Self::default();
        for row in rows {
            if matches!(row.key, Key::Secret(_)) {
                known.sealed.insert(row.key.clone());
                continue;
            }
            match Record::from_body(&row.body).map_err(|error| format!("{}: {error}", row.key))? {
                Record::Package(package) => drop(known.packages.insert(package.id, (*package).clone())),
                Record::Node(node) => drop(known.nodes.insert(node.id, (*node).clone())),
                Record::Name(entry) => known.names.push((*entry).clone()),
                Record::Subject(entry) => known.subjects.push((*entry).clone()),
                Record::Instance(_) => {}
            }
        }
        Ok(known)
    }

    fn package(&self, package: &Package) -> Verdict {
        let id = package.id;
        if package.uses() > package.issued.max_uses {
            return Err(format!(
                "package {id} was redeemed {} times of {}",
                package.uses(),
                package.issued.max_uses
            ));
        }
        let subjects: BTreeSet<_> = package.nodes.iter().map(|node| &node.subject).collect();
        if subjects.len() < package.nodes.len() {
            return Err(format!("package {id} was redeemed twice by one machine"));
        }
        if let Some(node) = package.nodes.iter().find(|node| !self.nodes.contains_key(&node.id)) {
            return Err(format!("package {id} has the node {}, which is nowhere", node.id));
        }
        let missing =
            package.held_secrets().into_iter().map(Key::Secret).find(|key| !self.sealed.contains(key));
        match missing {
            Some(key) => Err(format!("{key} is still to be handed out, and is not in the vault")),
            None => Ok(()),
        }
    }

    fn node(&self, node: &Node) -> Verdict {
        let live = node.status != NodeStatus::Retired;
        match self.packages.get(&node.package) {
            None => Err(format!("node {} belongs to a package that is nowhere", node.id)),
            Some(package) if live && !package.status.is_live() => {
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

    fn subject(&self, entry: &SubjectEntry) -> Verdict {
        let current = entry.node.and_then(|id| self.nodes.get(&id));
        match (entry.node, current) {
            (None, _) => Ok(()),
            (Some(_), Some(node)) if node.status != NodeStatus::Retired => Ok(()),
            (Some(id), _) => Err(format!("a subject leads to node {id}, which is retired or nowhere")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Ledger,
        testing::{desk::Desk, world::World},
        time::Now,
        vocabulary::{Answer, Command},
    };

    /// One package with a file, redeemed by one machine.
    fn rows() -> Vec<Row> {
        let (mut world, mut ledger) = (World::new(Desk::default(), 1).unwrap(), Ledger::new());
        let mut run = |command| {
            let command = Command::from_value(command).unwrap();
            ledger.run(&world.registrar, &command, Now::trusted(world.now), &mut world.dice).unwrap()
        };
        let contents = json!([{"type": "file", "name": "f", "content": "secret"}]);
        let issue = json!({"type": "issue", "authority": "operator:ann", "name": "a", "deliver": true, "contents": contents});
        let Answer::Issued(issued) = run(issue) else { panic!() };
        run(json!({"type": "redeem", "token": issued.token.unwrap().expose(), "fingerprint": "m"}));
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
    }
}
