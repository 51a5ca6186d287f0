//! How a fact changes its record.

use std::sync::Arc;

use super::{Forgotten, Instance, Key, NameEntry, Node, Package, Pool, Record, Scope, SubjectEntry};
use crate::vocabulary::{Event, Fact};

/// Folds one event into its record. Total and infallible, without clock and entropy: the same events give the
/// same records, bit for bit, on every machine. An event that does not fit its record changes nothing.
#[must_use]
pub fn apply(record: Option<Record>, event: &Event) -> Option<Record> {
    let Some(mut record) = record else { return create(event) };
    if event.fact == Fact::Forgotten {
        let forgotten = Forgotten { scope: record.index().scope, updated_at: event.at };
        return Some(Record::Forgotten(Arc::new(forgotten)));
    }
    match &mut record {
        Record::Scope(scope) => Arc::make_mut(scope).apply(event),
        Record::Pool(pool) => Arc::make_mut(pool).apply(event),
        Record::Package(package) => Arc::make_mut(package).apply(event),
        Record::Name(entry) => *entry = Arc::new(NameEntry::new(&entry.scope, event)),
        Record::Subject(entry) => Arc::make_mut(entry).apply(event),
        Record::Node(node) => Arc::make_mut(node).apply(event),
        Record::Instance(instance) => Arc::make_mut(instance).apply(event),
        Record::Forgotten(_) => {}
    }
    Some(record)
}

fn create(event: &Event) -> Option<Record> {
    match (&event.key, &event.fact) {
        (Key::Scope(id), Fact::ScopeConfigured { .. }) => {
            Some(Record::Scope(Arc::new(Scope::new(id.clone(), event))))
        }
        (Key::Pool(scope, name), _) => {
            Pool::new(scope.clone(), name.clone(), event).map(|pool| Record::Pool(Arc::new(pool)))
        }
        (Key::Package(id), Fact::PackageIssued(issued)) => {
            Some(Record::Package(Arc::new(Package::new(*id, Arc::clone(issued), event.at))))
        }
        (Key::Node(id), Fact::NodeClaimed(claimed)) => {
            Some(Record::Node(Arc::new(Node::new(*id, claimed, event))))
        }
        (Key::Instance(id), Fact::InstanceObserved { .. }) => {
            Instance::first(id.clone(), event).map(|instance| Record::Instance(Arc::new(instance)))
        }
        (Key::Name(scope, _), _) => Some(Record::Name(Arc::new(NameEntry::new(scope, event)))),
        (Key::Subject(scope, _), _) => Some(Record::Subject(Arc::new(SubjectEntry::new(scope, event)))),
        (Key::Scope(_) | Key::Package(_) | Key::Node(_) | Key::Instance(_) | Key::Secret(_), _) => None,
    }
}
