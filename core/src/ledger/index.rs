//! Lists: packages by what they are, nodes by their package, a page at a time.
//!
//! Every filter has a list of its own, alone and within a scope, and a page is read from the shortest list that the
//! filters name; what the others want is checked on the way. A page looks at no more than [`limits::LEDGER_SCAN`]
//! candidates, so a combination that fits few of them comes back in short or empty pages with a cursor that goes on.

use std::{cmp::Reverse, collections::BTreeSet, fmt, hash::BuildHasher, ops::Bound, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Ledger,
    buckets::Lists,
    cursor::{Cursor, Position},
    kept::{Facts, Kept},
    rows::RecordRows,
    slots::{Fixed, Number},
};
use crate::{
    id::{InvalidId, Kind, NodeId, PackageId, PackageName, ScopeId, as_text},
    limits,
    record::{Key, PackageStatus, Record, Versioned},
    vocabulary::Error,
};

/// Which packages are wanted: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// In this scope.
    pub scope: Option<ScopeId>,
    /// With this status.
    pub status: Option<PackageStatus>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With this label: a key, or `key=value`.
    pub label: Option<LabelFilter>,
    /// Directly under this package.
    pub parent: Option<PackageId>,
    /// With a name that begins so: then the list is in the order of names, and the latest first only among equals.
    pub name_prefix: Option<PackageName>,
}

/// Which label a package must have. Written `key`, or `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelFilter {
    /// The label, whatever its value.
    Present(String),
    /// The label with this value.
    Is(String, String),
}

impl fmt::Display for LabelFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present(key) => formatter.write_str(key),
            Self::Is(key, value) => write!(formatter, "{key}={value}"),
        }
    }
}

impl FromStr for LabelFilter {
    type Err = InvalidId;

    /// The first `=` divides. A key that has one itself can only be asked for as a value of this type.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
        let fits = (1..=limits::LABEL_KEY_BYTES).contains(&key.len())
            && value.is_none_or(|value| value.len() <= limits::LABEL_VALUE_BYTES);
        if !fits {
            return Err(InvalidId::new("LabelFilter", "a label's key, or key=value"));
        }
        Ok(match value {
            Some(value) => Self::Is(key.to_owned(), value.to_owned()),
            None => Self::Present(key.to_owned()),
        })
    }
}

as_text!(LabelFilter, "^[^=]+(=.*)?$");

impl Filter {
    fn fits(&self, facts: &Facts<'_>) -> bool {
        let label = |label: &LabelFilter| match label {
            LabelFilter::Present(key) => facts.labels.get(key).is_some(),
            LabelFilter::Is(key, value) => facts.labels.get(key) == Some(value),
        };
        self.scope.as_ref().is_none_or(|scope| scope == facts.scope)
            && self.status.is_none_or(|status| status == facts.status)
            && self.kind.as_ref().is_none_or(|kind| kind == facts.kind)
            && self.label.as_ref().is_none_or(label)
            && (self.parent.is_none() || self.parent == facts.parent)
            && self.name_prefix.as_ref().is_none_or(|prefix| facts.name.as_str().starts_with(prefix.as_str()))
    }

    /// The lists that hold everything that is wanted.
    fn groups(&self) -> impl Iterator<Item = u64> {
        let label = self.label.as_ref().map(|label| match label {
            LabelFilter::Present(key) => What::LabelKey(key),
            LabelFilter::Is(key, value) => What::Label(key, value),
        });
        let status = self.status.map(|status| What::Status(status.as_str()));
        let kind = self.kind.as_ref().map(|kind| What::Kind(kind.as_str()));
        let parent = self.parent.map(What::Parent);
        let all = [Some(What::All), status, kind, label, parent];
        all.into_iter().flatten().map(|what| what.group(self.scope.as_ref()))
    }
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records, each under its key. May be fewer than asked for, or none, although there are more.
    pub records: Vec<(Key, Versioned)>,
    /// Where to go on; `None` at the end of the list.
    pub next: Option<Cursor>,
}

/// The order of packages: the latest first, by the time in their ids.
type Latest = Reverse<PackageId>;
/// The order of packages by name. Names are given anew, so a name alone is no place.
type Named = (PackageName, Latest);

/// What a list is about.
#[derive(Hash)]
enum What<'a> {
    All,
    Status(&'a str),
    Kind(&'a str),
    Label(&'a str, &'a str),
    LabelKey(&'a str),
    Parent(PackageId),
}

impl What<'_> {
    /// Names a list by a hash. Should two lists ever have one name, each of them still shows only what fits.
    fn group(&self, scope: Option<&ScopeId>) -> u64 {
        Fixed::default().hash_one((scope.map(ScopeId::as_str), self))
    }
}

/// The lists of packages and of their nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    lists: Lists<Latest>,
    names: Lists<Named>,
    /// Of each package; only the start of a range has no node.
    nodes: BTreeSet<(PackageId, Option<NodeId>)>,
}

impl Index {
    /// Takes in that a place held `before`, and now holds what is in `records`.
    pub(super) fn change(&mut self, before: Option<&Kept>, number: Number, records: &RecordRows) {
        let Some(row) = records.get(number) else { return };
        if let Kept::Whole(Record::Node(node)) = &row.kept {
            self.nodes.insert((node.package, Some(node.id)));
        }
        let (before, after) = (before.and_then(Kept::facts), row.kept.facts());
        if before == after {
            return;
        }
        let (old, new) = (groups(before.as_ref()), groups(after.as_ref()));
        if let Some(facts) = &before {
            for group in old.iter().filter(|group| !new.contains(group)) {
                self.lists.remove(*group, &Reverse(facts.id), number);
            }
        }
        if let Some(facts) = &after {
            for group in new.iter().filter(|group| !old.contains(group)) {
                self.lists.insert(*group, Reverse(facts.id), number, |number| latest(records, number));
            }
        }
        self.rename(before.as_ref(), after.as_ref(), number, records);
    }

    /// A package's name and scope are for ever, so this is about packages that come or go.
    fn rename(
        &mut self,
        before: Option<&Facts<'_>>,
        after: Option<&Facts<'_>>,
        number: Number,
        records: &RecordRows,
    ) {
        let name = |facts: &Facts<'_>| (facts.scope.clone(), facts.name.clone());
        if before.map(name) == after.map(name) {
            return;
        }
        let groups = |facts: &Facts<'_>| [What::All.group(None), What::All.group(Some(facts.scope))];
        if let Some(facts) = before {
            for group in groups(facts) {
                self.names.remove(group, &(facts.name.clone(), Reverse(facts.id)), number);
            }
        }
        if let Some(facts) = after {
            for group in groups(facts) {
                let place = (facts.name.clone(), Reverse(facts.id));
                self.names.insert(group, place, number, |number| named(records, number));
            }
        }
    }
}

/// The lists that a package is in.
fn groups(facts: Option<&Facts<'_>>) -> Vec<u64> {
    let mut groups = Vec::new();
    let Some(facts) = facts else { return groups };
    for scope in [None, Some(facts.scope)] {
        let one = [What::All, What::Status(facts.status.as_str()), What::Kind(facts.kind.as_str())];
        groups.extend(one.iter().map(|what| what.group(scope)));
        groups.extend(facts.parent.map(|parent| What::Parent(parent).group(scope)));
        for (key, value) in facts.labels.iter() {
            groups.extend([What::Label(key, value).group(scope), What::LabelKey(key).group(scope)]);
        }
    }
    groups
}

fn latest(records: &RecordRows, number: Number) -> Option<Latest> {
    if let Key::Package(id) = &records.get(number)?.key { Some(Reverse(*id)) } else { None }
}

fn named(records: &RecordRows, number: Number) -> Option<Named> {
    records.get(number)?.kept.facts().map(|facts| (facts.name.clone(), Reverse(facts.id)))
}

impl Ledger {
    /// A page of packages, the latest first, at most `limit` and at most [`limits::LEDGER_PAGE`]. Costs no more for a
    /// long list than for a short one. Stays in step while packages come and go: what was there all the time comes once.
    ///
    /// # Errors
    /// [`Error::Input`] when the cursor belongs to a list of another order.
    pub fn packages(&self, filter: &Filter, after: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        if let Some(prefix) = &filter.name_prefix {
            return self.packages_by_name(filter, prefix, after, limit);
        }
        let after = after.map(Cursor::package).transpose()?.map(Reverse);
        let shortest =
            filter.groups().min_by_key(|group| self.index.lists.count_to(*group, limits::LEDGER_SCAN));
        let list = shortest.unwrap_or_default();
        let candidates = self.index.lists.iter(list, after, |number| latest(&self.records, number));
        Ok(self.page(filter, candidates, limit, |Reverse(id)| Position::Package(id)))
    }

    fn packages_by_name(
        &self,
        filter: &Filter,
        prefix: &PackageName,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, Error> {
        let before_all = (prefix.clone(), Reverse(PackageId::from_bytes([0xff; 16])));
        let after = after.map(Cursor::name).transpose()?.map(|(name, id)| (name, Reverse(id)));
        let after = after.filter(|after| *after > before_all).unwrap_or(before_all);
        let list = What::All.group(filter.scope.as_ref());
        let candidates = self.index.names.iter(list, Some(after), |number| named(&self.records, number));
        let candidates = candidates.take_while(|((name, _), _)| name.as_str().starts_with(prefix.as_str()));
        Ok(self.page(filter, candidates, limit, |(name, Reverse(id))| Position::Name(name, id)))
    }

    fn page<P>(
        &self,
        filter: &Filter,
        candidates: impl Iterator<Item = (P, Number)>,
        limit: usize,
        position: impl Fn(P) -> Position,
    ) -> Page {
        let limit = limit.clamp(1, limits::LEDGER_PAGE);
        let (mut page, mut last) = (Page::default(), None);
        for (seen, (place, number)) in candidates.enumerate() {
            if page.records.len() == limit || seen == limits::LEDGER_SCAN {
                page.next = last.map(&position).map(Cursor);
                break;
            }
            last = Some(place);
            let Some(row) = self.records.get(number) else { continue };
            if row.kept.facts().is_some_and(|facts| filter.fits(&facts)) {
                page.records.push((row.key.clone(), row.versioned()));
            }
        }
        page
    }

    /// A page of a package's nodes, in the order of their ids: also of a package that does not list them.
    ///
    /// # Errors
    /// [`Error::Input`] when the cursor belongs to a list of another order.
    pub fn nodes(&self, package: PackageId, after: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        let limit = limit.clamp(1, limits::LEDGER_PAGE);
        let start = (package, after.map(Cursor::node).transpose()?);
        let range = (Bound::Excluded(start), Bound::Unbounded);
        let mut nodes = self.index.nodes.range(range).map_while(|(of, node)| node.filter(|_| *of == package));
        let some: Vec<_> = nodes.by_ref().take(limit).collect();
        let record =
            |node: &NodeId| Some((Key::Node(*node), self.records.look(&Key::Node(*node))?.versioned()));
        let next = nodes.next().and(some.last()).map(|node| Cursor(Position::Node(*node)));
        Ok(Page { records: some.iter().filter_map(record).collect(), next })
    }
}
