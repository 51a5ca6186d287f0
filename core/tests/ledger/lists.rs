//! Lists: what fits, all of it, once, in order, at a price that does not grow.

use std::{cmp::Reverse, collections::BTreeSet};

use handfast::{
    Ledger,
    code::Code,
    id::PackageId,
    ledger::{Cursor, Filter, LabelFilter},
    limits,
    record::{Key, Package, PackageStatus, Record},
};
use rand::RngExt;
use serde_json::json;

use crate::fleet::Fleet;

/// Packages of three scopes, two kinds, some labels and all that can become of them.
fn fleet(packages: usize) -> Fleet {
    let mut fleet = Fleet::new();
    for place in 0..packages {
        let name = format!("edge-{}", fleet.rng.random_range(0..packages * 2));
        let scope = ["north", "south", "default"][fleet.rng.random_range(0..3)];
        let kind = ["node", "site"][fleet.rng.random_range(0..2)];
        let labels = match place % 4 {
            0 => json!({}),
            1 => json!({"rack": "a"}),
            2 => json!({"rack": "b", "role": "x"}),
            _ => json!({"role": "a"}),
        };
        let members = json!({"scope": scope, "kind": kind, "labels": labels});
        let taken = fleet.ledger.get(&format!("name/{scope}/{name}").parse().unwrap()).is_some();
        let (id, token) = if taken { continue } else { fleet.issue(&name, members) };
        let pause = fleet.rng.random_range(0..3);
        fleet.later(pause);
        match fleet.rng.random_range(0..6) {
            0 => drop(fleet.revoke(id)),
            1 => {
                let node = fleet.redeem(&token, &format!("m{place}")).node;
                fleet.run(json!({"type": "check_in", "node": node, "fingerprint": format!("m{place}"), "sequence": 1}));
            }
            _ => {}
        }
    }
    fleet
}

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for scope in [None, Some("south"), Some("nowhere")] {
        for status in [None, Some(PackageStatus::Delivered), Some(PackageStatus::Revoked)] {
            for kind in [None, Some("site")] {
                for label in [None, Some("rack"), Some("rack=a"), Some("role=nothing")] {
                    for name_prefix in [None, Some("edge-1"), Some("x")] {
                        filters.push(Filter {
                            scope: scope.map(|scope| scope.parse().unwrap()),
                            kind: kind.map(|kind| kind.parse().unwrap()),
                            label: label.map(|label| label.parse().unwrap()),
                            name_prefix: name_prefix.map(|prefix| prefix.parse().unwrap()),
                            status,
                            parent: None,
                        });
                    }
                }
            }
        }
    }
    filters
}

fn fits(filter: &Filter, package: &Package) -> bool {
    let issued = &package.issued;
    let label = match &filter.label {
        None => true,
        Some(LabelFilter::Present(key)) => issued.labels.iter().any(|(known, _)| known == key),
        Some(LabelFilter::Is(key, value)) => issued.labels.get(key) == Some(value),
    };
    label
        && filter.scope.as_ref().is_none_or(|scope| *scope == issued.scope)
        && filter.kind.as_ref().is_none_or(|kind| *kind == issued.kind)
        && filter.status.is_none_or(|status| status == package.status)
        && filter.name_prefix.as_ref().is_none_or(|prefix| issued.name.as_str().starts_with(prefix.as_str()))
        && filter.parent.is_none_or(|parent| issued.parents.first() == Some(&parent))
}

/// Everything that fits, found without any list.
fn expected(ledger: &Ledger, filter: &Filter) -> Vec<PackageId> {
    let mut found: Vec<_> = ledger
        .iter()
        .filter_map(|(_, row)| if let Record::Package(package) = row.record { Some(package) } else { None })
        .filter(|package| fits(filter, package))
        .collect();
    match filter.name_prefix {
        None => found.sort_by_key(|package| Reverse(package.id)),
        Some(_) => found.sort_by_key(|package| (package.issued.name.clone(), Reverse(package.id))),
    }
    found.iter().map(|package| package.id).collect()
}

fn read(ledger: &Ledger, filter: &Filter, limit: usize) -> Vec<PackageId> {
    let (mut found, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let page = ledger.packages(filter, cursor.as_ref(), limit).unwrap();
        assert!(page.records.len() <= limit);
        found.extend(page.records.iter().map(|(key, row)| {
            let Record::Package(package) = &row.record else { panic!("{key}") };
            assert_eq!(*key, Key::Package(package.id));
            package.id
        }));
        match page.next {
            None => return found,
            Some(next) => cursor = Some(next.to_string().parse().unwrap()),
        }
    }
}

#[test]
fn every_combination_of_filters_finds_everything_that_fits_once_and_in_order() {
    let fleet = fleet(700);
    let mut sizes = BTreeSet::new();
    for filter in filters() {
        let expected = expected(&fleet.ledger, &filter);
        sizes.insert(expected.len());
        for limit in [1, 7, 1000] {
            assert_eq!(read(&fleet.ledger, &filter, limit), expected, "{filter:?}, {limit} at a time");
        }
    }
    assert!(sizes.contains(&0) && sizes.len() > 20, "{sizes:?}");
}

#[test]
fn a_restored_ledger_has_the_same_lists() {
    let fleet = fleet(500);
    let restored = Ledger::restore(&fleet.ledger.snapshot()).unwrap();
    for filter in filters() {
        assert_eq!(read(&restored, &filter, 50), read(&fleet.ledger, &filter, 1000), "{filter:?}");
    }
}

#[test]
fn the_latest_come_first() {
    let fleet = fleet(300);
    let times =
        read(&fleet.ledger, &Filter::default(), 50).into_iter().map(|id| fleet.package(id).created_at);
    assert!(times.is_sorted_by_key(Reverse));
}

#[test]
fn who_reads_page_by_page_sees_once_what_was_there_all_the_time() {
    let mut fleet = fleet(400);
    let filter = Filter { status: Some(PackageStatus::Delivered), ..Filter::default() };
    let before = read(&fleet.ledger, &filter, 1000);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = fleet.ledger.packages(&filter, cursor.as_ref(), 10).unwrap();
        seen.extend(page.records.iter().map(|(key, _)| key.clone()));
        let last = seen.last().cloned();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        // the very record that the cursor stands on ends, and another one comes
        let Some(Key::Package(id)) = last else { panic!() };
        fleet.revoke(id);
        fleet.issue(&format!("new-{}", seen.len()), json!({}));
    }
    let before: Vec<_> = before.into_iter().map(Key::Package).collect();
    assert_eq!(seen, before, "no more and no less");
}

#[test]
fn a_page_looks_at_a_bounded_number_of_records() {
    let mut fleet = Fleet::new();
    let rare = fleet.issue("rare", json!({"kind": "site", "labels": {"rack": "a"}})).0;
    for place in 0..limits::LEDGER_SCAN + 10 {
        let half = place < limits::LEDGER_SCAN / 2;
        let members = if half { json!({"kind": "site"}) } else { json!({"labels": {"rack": "a"}}) };
        fleet.issue(&format!("n{place}"), members);
    }
    let all_but = Filter {
        name_prefix: Some("n".parse().unwrap()),
        kind: Some("none".parse().unwrap()),
        ..Filter::default()
    };
    let page = fleet.ledger.packages(&all_but, None, 10).unwrap();
    assert!(page.records.is_empty() && page.next.is_some(), "the rest of the work is another page's");
    assert_eq!(read(&fleet.ledger, &all_but, 10), []);
    let both = Filter {
        kind: Some("site".parse().unwrap()),
        label: Some("rack".parse().unwrap()),
        ..Filter::default()
    };
    assert_eq!(read(&fleet.ledger, &both, 10), [rare]);
}

#[test]
fn children_and_nodes_are_listed_by_their_package() {
    let mut fleet = Fleet::new();
    let (site, token) = fleet.issue("site-1", json!({"kind": "site", "max_uses": 40}));
    let (other, _) = fleet.issue("site-2", json!({"kind": "site"}));
    let nodes: BTreeSet<_> =
        (0..40).map(|place| Key::Node(fleet.redeem(&token, &format!("m{place}")).node)).collect();
    let children: Vec<_> = (0..30)
        .map(|place| fleet.issue(&format!("leaf-{place}"), json!({"kind": "leaf", "parent": site})).0)
        .collect();
    let filter = Filter { parent: Some(site), ..Filter::default() };
    let expected: BTreeSet<_> = children.iter().copied().collect();
    let found = read(&fleet.ledger, &filter, 7);
    assert_eq!((found.len(), found.into_iter().collect()), (30, expected));
    assert_eq!(read(&fleet.ledger, &Filter { parent: Some(other), ..Filter::default() }, 7), []);
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = fleet.ledger.nodes(site, cursor.as_ref(), 9).unwrap();
        found.extend(page.records.into_iter().map(|(key, _)| key));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, nodes.into_iter().collect::<Vec<_>>(), "also of a package that only counts them");
    assert!(fleet.ledger.nodes(other, None, 9).unwrap().records.is_empty());
}

#[test]
fn a_cursor_is_good_for_lists_of_its_own_order_only() {
    let mut fleet = Fleet::new();
    let (package, token) = fleet.issue("edge-1", json!({"max_uses": 2}));
    fleet.issue("edge-2", json!({}));
    fleet.redeem(&token, "a");
    fleet.redeem(&token, "b");
    let named = Filter { name_prefix: Some("e".parse().unwrap()), ..Filter::default() };
    let by_age = fleet.ledger.packages(&Filter::default(), None, 1).unwrap().next.unwrap();
    let by_name = fleet.ledger.packages(&named, None, 1).unwrap().next.unwrap();
    let of_nodes = fleet.ledger.nodes(package, None, 1).unwrap().next.unwrap();
    for foreign in [
        fleet.ledger.packages(&named, Some(&by_age), 1),
        fleet.ledger.packages(&Filter::default(), Some(&by_name), 1),
        fleet.ledger.packages(&Filter::default(), Some(&of_nodes), 1),
        fleet.ledger.nodes(package, Some(&by_age), 1),
    ] {
        assert_eq!(foreign.unwrap_err().code(), Code::InvalidInput);
    }
    assert!(fleet.ledger.packages(&named, Some(&by_name), 1).is_ok());
}

#[test]
fn a_filter_is_read_from_json_and_says_what_it_does_not_know() {
    let read = |text: &str| serde_json::from_str::<Filter>(text);
    let filter = read(r#"{"scope":"north","status":"delivered","label":"rack=a=b"}"#).unwrap();
    assert_eq!(filter.label, Some(LabelFilter::Is("rack".into(), "a=b".into())));
    assert_eq!(read(&serde_json::to_string(&filter).unwrap()).unwrap(), filter);
    assert_eq!(read("{}").unwrap(), Filter::default());
    for text in [
        r#"{"labels":"a"}"#,
        r#"{"label":"=a"}"#,
        r#"{"label":""}"#,
        r#"{"name_prefix":"-"}"#,
        r#"{"scope":"a/b"}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
