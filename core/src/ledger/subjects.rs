//! Who is active, as a feed of changes: a host keeps its own allow-list in step without reading everything again.

use std::{collections::BTreeMap, fmt, hash::BuildHasher, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Ledger,
    kept::Kept,
    rows::RecordRows,
    slots::{Fixed, Number},
};
use crate::{
    id::{DecisionId, NodeId, PackageId, ScopeId, Subject, as_text},
    limits,
    record::{Key, Node, Record},
    vocabulary::Error,
};

/// How a subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Standing {
    /// It is a node that may connect.
    Active {
        /// The node.
        node: NodeId,
        /// Its package.
        package: PackageId,
    },
    /// It may not, or not any more.
    Gone,
}

/// How one subject stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StandingChange"))]
pub struct Change {
    /// The subject.
    pub subject: Subject,
    /// How it stands.
    pub standing: Standing,
}

/// Some changes of a scope's subjects, in the order in which they happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changes {
    /// Forget all that you have of the scope before you take these in: your cursor was the start, or it belongs to a
    /// history that this ledger does not share.
    pub restart: bool,
    /// How each subject stands now. Only its latest change is here.
    pub subjects: Vec<Change>,
    /// Where to go on, now if `more`, and otherwise whenever you like.
    pub next: ChangeCursor,
    /// Whether there are more changes already.
    pub more: bool,
}

/// A place in the history of changes: the number of the last change that was read, and the part of the history that it
/// belongs to. The default is the start.
///
/// A ledger that was restored from an older snapshot counts on from there, and so gives numbers that were given before
/// to other changes. The history tells them apart, so that nobody is left on an allow-list by mistake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCursor {
    number: u64,
    history: u64,
}

impl fmt::Display for ChangeCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{:016x}", self.number, self.history)
    }
}

impl FromStr for ChangeCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Error::input("cursor", "is none that a list gave");
        let (number, history) = text.split_once('-').ok_or_else(malformed)?;
        let number = number.parse().map_err(|_| malformed())?;
        let history = u64::from_str_radix(history, 16).map_err(|_| malformed())?;
        let cursor = Self { number, history };
        if cursor.to_string() == text { Ok(cursor) } else { Err(malformed()) }
    }
}

as_text!(ChangeCursor, "^[0-9]+-[0-9a-f]{16}$");

/// Where a history begins: with this change, which this decision made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    from: u64,
    decision: DecisionId,
}

impl History {
    fn mark(&self) -> u64 {
        Fixed::default().hash_one(self.decision)
    }
}

/// The latest change of each subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Feed {
    count: u64,
    numbers: BTreeMap<Number, u64>,
    changes: BTreeMap<(u64, u64), Number>,
    histories: Vec<History>,
    /// Whether the ledger's own history has begun.
    begun: bool,
}

impl Feed {
    /// What a snapshot keeps of it, beside each subject's number.
    pub(super) fn parts(&self) -> (u64, &[History]) {
        (self.count, &self.histories)
    }

    /// Goes on where a snapshot ended.
    pub(super) fn restored(count: u64, histories: Vec<History>) -> Self {
        Self { count, histories, ..Self::default() }
    }

    pub(super) fn number(&self, subject: Number) -> Option<u64> {
        self.numbers.get(&subject).copied()
    }

    /// A subject has changed by this decision.
    pub(super) fn change(&mut self, scope: &ScopeId, subject: Number, decision: DecisionId) {
        self.count = self.count.saturating_add(1);
        if !self.begun {
            self.begun = true;
            self.histories.push(History { from: self.count, decision });
            let excess = self.histories.len().saturating_sub(limits::LEDGER_HISTORIES);
            self.histories.drain(..excess);
        }
        self.place(scope, subject, self.count);
    }

    /// A subject of a snapshot that had no numbers yet: it gets one, in a history of its own.
    pub(super) fn place_anew(&mut self, scope: &ScopeId, subject: Number) {
        if self.histories.is_empty() {
            self.histories.push(History { from: 1, decision: DecisionId::from_bytes([0; 16]) });
        }
        self.count = self.count.saturating_add(1);
        self.place(scope, subject, self.count);
    }

    /// A subject's latest change has this number.
    pub(super) fn place(&mut self, scope: &ScopeId, subject: Number, number: u64) {
        let scope = group(scope);
        if let Some(before) = self.numbers.insert(subject, number) {
            self.changes.remove(&(scope, before));
        }
        self.changes.insert((scope, number), subject);
    }

    /// The ledger's own history ends here: what comes now begins another.
    pub(super) fn end_history(&mut self) {
        self.begun = false;
    }

    /// Whether the changes up to the cursor's number are the ones that its reader has seen: its history is one of this
    /// ledger's, and had not ended by then.
    fn knows(&self, cursor: ChangeCursor) -> bool {
        let place = self.histories.iter().position(|history| history.mark() == cursor.history);
        let next = place.and_then(|place| self.histories.get(place.saturating_add(1)));
        place.is_some() && cursor.number <= self.count && next.is_none_or(|next| cursor.number < next.from)
    }

    fn cursor(&self, number: u64) -> ChangeCursor {
        self.histories
            .last()
            .map_or_else(ChangeCursor::default, |history| ChangeCursor { number, history: history.mark() })
    }
}

/// Names a scope's list by a hash. Should two scopes ever share one, each still shows only its own.
fn group(scope: &ScopeId) -> u64 {
    Fixed::default().hash_one(scope)
}

impl Ledger {
    /// The changes of a scope's subjects after `after`, at most `limit` and at most [`limits::LEDGER_PAGE`]. From the
    /// start it gives the whole active set, page by page; who asks again with `next` stays in step. The nodes of an ended
    /// fleet that its package does not list leave as they are swept.
    #[must_use]
    pub fn subjects(&self, scope: &ScopeId, after: ChangeCursor, limit: usize) -> Changes {
        let limit = limit.clamp(1, limits::LEDGER_PAGE);
        let restart = !self.feed.knows(after);
        let start = if restart { 0 } else { after.number };
        let list = group(scope);
        let range = (list, start.saturating_add(1))..=(list, u64::MAX);
        let mut changes = self.feed.changes.range(range);
        let (mut subjects, mut last) = (Vec::new(), None);
        for ((_, number), subject) in changes.by_ref().take(limit) {
            last = Some(*number);
            subjects.extend(standing(&self.records, *subject, scope));
        }
        let more = changes.next().is_some();
        let end = if more { last.unwrap_or(start) } else { self.feed.count };
        Changes { restart, subjects, next: self.feed.cursor(end), more }
    }
}

fn standing(records: &RecordRows, subject: Number, scope: &ScopeId) -> Option<Change> {
    let row = records.get(subject)?;
    let Key::Subject(within, subject) = &row.key else { return None };
    let Kept::Whole(Record::Subject(entry)) = &row.kept else { return None };
    let node = entry.node.filter(|_| entry.ban.is_none()).and_then(|id| live_node(records, id));
    let standing =
        node.map_or(Standing::Gone, |node| Standing::Active { node: node.id, package: node.package });
    (within == scope).then(|| Change { subject: subject.clone(), standing })
}

/// A node of a package that has ended is none, also before a sweep has come by.
fn live_node(records: &RecordRows, id: NodeId) -> Option<&Node> {
    let Kept::Whole(Record::Node(node)) = &records.look(&Key::Node(id))?.kept else { return None };
    let package = records.look(&Key::Package(node.package))?.kept.facts()?;
    (node.is_live() && package.status.is_live()).then_some(node)
}
