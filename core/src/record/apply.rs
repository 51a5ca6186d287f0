//! How a fact changes its record.

use std::sync::Arc;

use super::{Instance, Key, NameEntry, Node, Package, Record, SubjectEntry};
use crate::{
    id::ScopeId,
    vocabulary::{Event, Fact},
};

/// Folds one event into its record. Total and infallible, without clock and entropy: the same events give the
/// same records, bit for bit, on every machine. An event that does not fit its record changes nothing.
#[must_use]
pub fn apply(record: Option<Record>, event: &Event) -> Option<Record> {
    match record {
        None => create(event),
        Some(Record::Package(mut package)) => {
            Arc::make_mut(&mut package).apply(event);
            Some(Record::Package(package))
        }
        Some(Record::Node(mut node)) => {
            Arc::make_mut(&mut node).apply(event);
            Some(Record::Node(node))
        }
        Some(Record::Instance(mut instance)) => {
            Arc::make_mut(&mut instance).apply(event);
            Some(Record::Instance(instance))
        }
        Some(Record::Name(entry)) => Some(name(&entry.scope, event)),
        Some(Record::Subject(entry)) => Some(subject(&entry.scope, event)),
    }
}

fn create(event: &Event) -> Option<Record> {
    match (&event.key, &event.fact) {
        (Key::Package(id), Fact::PackageIssued(issued)) => {
            Some(Record::Package(Arc::new(Package::new(*id, Arc::clone(issued), event.at))))
        }
        (Key::Node(id), Fact::NodeClaimed(claimed)) => {
            Some(Record::Node(Arc::new(Node::new(*id, claimed, event))))
        }
        (Key::Instance(id), Fact::InstanceObserved { .. }) => {
            Instance::first(id.clone(), event).map(|instance| Record::Instance(Arc::new(instance)))
        }
        (Key::Name(scope, _), _) => Some(name(scope, event)),
        (Key::Subject(scope, _), _) => Some(subject(scope, event)),
        (Key::Package(_) | Key::Node(_) | Key::Instance(_) | Key::Secret(_), _) => None,
    }
}

fn name(scope: &ScopeId, event: &Event) -> Record {
    let package = if let Fact::NameTaken { package } = &event.fact { Some(*package) } else { None };
    Record::Name(Arc::new(NameEntry { scope: scope.clone(), package, updated_at: event.at }))
}

fn subject(scope: &ScopeId, event: &Event) -> Record {
    let node = if let Fact::SubjectBound { node, .. } = &event.fact { Some(*node) } else { None };
    Record::Subject(Arc::new(SubjectEntry { scope: scope.clone(), node, updated_at: event.at }))
}
