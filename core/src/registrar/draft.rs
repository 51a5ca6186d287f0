//! A decision in the making: what was looked at, what has happened, what must be kept secret.

use std::{net::IpAddr, sync::Arc};

use rand_core::CryptoRng;

use super::{Registrar, credential::Unsigned, presenter::Presenter};
use crate::{
    aws::InstanceId,
    code::Code,
    id::{DecisionId, Digest, NodeId, PackageId, PackageName, PoolName, ScopeId, SecretId, Subject},
    record::{
        Instance, Key, Look, NameEntry, Node, Package, Pool, Record, Records, SCHEMA, Scope, SubjectEntry,
        Versioned, apply,
    },
    secret::Secret,
    time::{Now, Timestamp},
    vocabulary::{
        Anchor, Answer, Authority, Commit, Decision, Error, Event, Fact, Guard, Notice, Pending, Reason,
        Refusal, Refused, UseNonce, VaultWrite, Write,
    },
};

/// Why a decision does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// These rows have to be looked at first.
    Need(Vec<Key>),
    /// The rules say no; judged against this record.
    Refuse(Refusal, Option<Key>),
    /// A proof has to be made once more, with a nonce of ours.
    UseNonce,
    /// The input, the store or the configuration is broken.
    Fail(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fail(error)
    }
}

pub(super) type Step<T> = Result<T, Stop>;

/// Refuses, judged against a record.
pub(super) fn refuse<T>(refusal: Refusal, anchor: Key) -> Step<T> {
    Err(Stop::Refuse(refusal, Some(anchor)))
}

/// Refuses, judged against nothing that exists.
pub(super) fn refuse_unknown<T>(refusal: Refusal) -> Step<T> {
    Err(Stop::Refuse(refusal, None))
}

/// Everything that a decision has looked at and brought about so far.
pub(super) struct Draft<'a> {
    pub(super) registrar: &'a Registrar,
    pub(super) rng: &'a mut dyn CryptoRng,
    pub(super) authority: &'a Authority,
    pub(super) source: Option<IpAddr>,
    records: &'a dyn Records,
    now: Now,
    seen: Few<Option<Versioned>>,
    changed: Few<Versioned>,
    events: Vec<Event>,
    notices: Vec<Notice>,
    kept: Vec<VaultWrite>,
    unsigned: Option<Unsigned>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        registrar: &'a Registrar,
        records: &'a dyn Records,
        (authority, source): (&'a Authority, Option<IpAddr>),
        now: Now,
        rng: &'a mut dyn CryptoRng,
    ) -> Self {
        let (seen, changed) = (Few::default(), Few::default());
        Self {
            registrar,
            rng,
            authority,
            source,
            records,
            now,
            seen,
            changed,
            events: Vec::new(),
            notices: Vec::new(),
            kept: Vec::new(),
            unsigned: None,
        }
    }

    /// The present: the host's, but no earlier than anything that the records looked at have seen.
    pub(super) fn now(&self) -> Timestamp {
        self.now.at
    }

    /// Whether a deadline has come. On the strength of a clock that nobody vouches for it is not to be said.
    pub(super) fn is_past(&self, deadline: Timestamp, anchor: &Key) -> Step<bool> {
        match (self.now.at >= deadline, self.now.trusted) {
            (true, false) => refuse(Refusal::ClockSuspect, anchor.clone()),
            (past, _) => Ok(past),
        }
    }

    /// Looks at several records at once, so that a remote store is asked once.
    pub(super) fn prefetch(&mut self, keys: &[Key]) -> Step<()> {
        let missing: Vec<_> =
            keys.iter().filter(|key| self.records.look(key) == Look::Unknown).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Need(missing)) }
    }

    fn look(&mut self, key: &Key) -> Step<Option<Record>> {
        if let Some(versioned) = self.changed.get(key) {
            return Ok(Some(versioned.record.clone()));
        }
        if let Some(seen) = self.seen.get(key) {
            return Ok(seen.as_ref().map(|versioned| versioned.record.clone()));
        }
        let found = match self.records.look(key) {
            Look::Unknown => return Err(Stop::Need(vec![key.clone()])),
            Look::Absent => None,
            Look::Record(versioned) => Some(versioned),
            Look::Sealed(_) => {
                return Err(Stop::Fail(Error::CorruptRecord(format!("{key} is a sealed secret"))));
            }
        };
        if let Some(versioned) = &found {
            self.now.at = self.now.at.max(versioned.record.updated_at());
        }
        let record = found.as_ref().map(|versioned| versioned.record.clone());
        self.seen.insert(key.clone(), found);
        Ok(record)
    }

    /// Guards a key that was drawn at random just now instead of looking at it: each round draws another.
    pub(super) fn expect_absent(&mut self, key: Key) {
        self.seen.insert(key, None);
    }

    pub(super) fn scope(&mut self, id: &ScopeId) -> Step<Option<Arc<Scope>>> {
        let key = Key::Scope(id.clone());
        match self.look(&key)? {
            None => Ok(None),
            Some(Record::Scope(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    pub(super) fn pool(&mut self, scope: &ScopeId, name: &PoolName) -> Step<Option<Arc<Pool>>> {
        let key = Key::Pool(scope.clone(), name.clone());
        match self.look(&key)? {
            None => Ok(None),
            Some(Record::Pool(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    pub(super) fn name(&mut self, scope: &ScopeId, name: &PackageName) -> Step<Option<Arc<NameEntry>>> {
        let key = Key::Name(scope.clone(), name.clone());
        match self.look(&key)? {
            None => Ok(None),
            Some(Record::Name(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    pub(super) fn subject(&mut self, scope: &ScopeId, subject: &Subject) -> Step<Option<Arc<SubjectEntry>>> {
        let key = Key::Subject(scope.clone(), subject.clone());
        match self.look(&key)? {
            None => Ok(None),
            Some(Record::Subject(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    /// A package; one that was forgotten is as good as one that never was.
    pub(super) fn package(&mut self, id: PackageId) -> Step<Option<Arc<Package>>> {
        let key = Key::Package(id);
        match self.look(&key)? {
            None | Some(Record::Forgotten(_)) => Ok(None),
            Some(Record::Package(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    pub(super) fn node(&mut self, id: NodeId) -> Step<Option<Arc<Node>>> {
        let key = Key::Node(id);
        match self.look(&key)? {
            None | Some(Record::Forgotten(_)) => Ok(None),
            Some(Record::Node(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    pub(super) fn instance(&mut self, id: &InstanceId) -> Step<Option<Arc<Instance>>> {
        let key = Key::Instance(id.clone());
        match self.look(&key)? {
            None | Some(Record::Forgotten(_)) => Ok(None),
            Some(Record::Instance(found)) => Ok(Some(found)),
            Some(other) => mistyped(&key, &other),
        }
    }

    /// Whether a record was forgotten: it had ended, and nothing happens to it any more.
    pub(super) fn is_forgotten(&mut self, key: &Key) -> Step<bool> {
        Ok(matches!(self.look(key)?, Some(Record::Forgotten(_))))
    }

    /// Opens a sealed secret.
    pub(super) fn open(&mut self, id: SecretId) -> Step<Secret> {
        let key = Key::Secret(id);
        match self.records.look(&key) {
            Look::Unknown => Err(Stop::Need(vec![key])),
            Look::Absent | Look::Record(_) => Err(Stop::Fail(Error::MissingSecret(id))),
            Look::Sealed(sealed) => Ok(self.registrar.sealer.open(id, &sealed)?),
        }
    }

    /// Seals a new secret for the vault.
    pub(super) fn keep(&mut self, id: SecretId, secret: &Secret) -> Step<()> {
        let sealed = self.registrar.sealer.seal(id, secret, self.rng)?;
        self.kept.push(VaultWrite::Put { id, sealed });
        Ok(())
    }

    /// Lets a fact happen to a record that has been looked at.
    pub(super) fn emit(&mut self, key: Key, fact: Fact) -> Step<()> {
        if self.seen.get(&key).is_none() {
            return Err(Stop::Fail(Error::Misuse("a fact about a record that nobody looked at")));
        }
        let before = self.changed.remove(&key).or_else(|| self.seen.get(&key).cloned().flatten());
        let (version, head, record) = before
            .map_or((0, None, None), |versioned| (versioned.version, versioned.head, Some(versioned.record)));
        let event = Event {
            schema: SCHEMA,
            key: key.clone(),
            version: version.saturating_add(1),
            previous: None,
            at: self.now.at,
            decision: DecisionId::from_bytes([0; 16]),
            index: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            of: 0,
            authority: self.authority.clone(),
            source: self.source,
            fact,
        };
        let Some(record) = apply(record, &event) else {
            return Err(Stop::Fail(Error::Misuse("a fact about a record that does not exist")));
        };
        self.changed.insert(key, Versioned { version: event.version, head, record });
        self.events.push(event);
        Ok(())
    }

    /// Draws random bytes.
    pub(super) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// Refuses, and yet keeps the facts brought about so far: for a presenter who has proven a live secret.
    pub(super) fn refuse_with_facts(
        &mut self,
        refusal: Refusal,
        anchor: &Key,
        action: &'static str,
    ) -> Answer {
        self.note(refusal.code(), Some(anchor.clone()), action, None);
        Answer::Refused(Refused { refusal, reason: None })
    }

    /// Turns a refusal into a decision: nothing changes, a notice is counted.
    pub(super) fn refused(
        mut self,
        refusal: Refusal,
        anchor: Option<Key>,
        action: &'static str,
        reason: Option<Reason>,
    ) -> Result<Decision, Error> {
        self.nothing_happened();
        self.note(refusal.code(), anchor, action, reason.clone());
        self.accept(Answer::Refused(Refused { refusal, reason }))
    }

    /// Drops what has been brought about so far.
    pub(super) fn nothing_happened(&mut self) {
        self.changed.clear();
        self.events.clear();
        self.kept.clear();
        self.unsigned = None;
    }

    /// Counts something that the audit should know beside the facts.
    pub(super) fn note(
        &mut self,
        code: Code,
        anchor: Option<Key>,
        action: &'static str,
        reason: Option<Reason>,
    ) {
        let seen = anchor.as_ref().and_then(|key| self.seen.get(key)?.as_ref());
        let (version, head) = (seen.map(|seen| seen.version), seen.and_then(|seen| seen.head));
        // Subjects are what the host saw with its own eyes; other keys of nothing may be anybody's invention.
        let unknown = anchor.clone().filter(|key| seen.is_none() && matches!(key, Key::Subject(..)));
        let anchor = anchor.zip(version).map(|(key, version)| Anchor { key, version, head });
        let by = (self.authority.clone(), self.source);
        let notice = Notice::new(code, action, self.now.at, by, anchor);
        self.notices.push(Notice { unknown, reason, ..notice });
    }

    /// Asks for the proof once more.
    pub(super) fn use_nonce(mut self) -> Result<Decision, Error> {
        self.nothing_happened();
        let nonce = self.registrar.nonces.issue(self.now.at)?;
        self.accept(Answer::UseNonce(UseNonce { nonce }))
    }

    /// The answer will hold the node's present credential, if it has one and proved its key; signed when it is released.
    pub(super) fn will_sign(&mut self, node: &Node, presenter: &Presenter) {
        self.unsigned = presenter.proof.and_then(|proof| Unsigned::of(self.registrar, node, proof.key));
    }

    /// What has happened so far, in order.
    pub(super) fn facts(&self) -> &[Event] {
        &self.events
    }

    /// The records looked at, as they were.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.seen.iter().filter_map(|(key, seen)| Some((key, &seen.as_ref()?.record)))
    }

    /// Turns what has been brought about into a decision: the facts are linked, each to the one before it of its record.
    pub(super) fn accept(mut self, answer: Answer) -> Result<Decision, Error> {
        let decision = DecisionId::new(self.now.at, &self.random());
        let of = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        let mut bodies = Vec::with_capacity(self.events.len());
        for event in &mut self.events {
            event.decision = decision;
            event.of = of;
            let Some(row) = self.changed.get_mut(&event.key) else {
                return Err(Error::Misuse("a fact without its record"));
            };
            event.previous = row.head;
            let body: Arc<str> = event.body().into();
            row.head = Some(Digest::new(self.registrar.backend.sha256(body.as_bytes())));
            bodies.push(body);
        }
        let mut vault = std::mem::take(&mut self.kept);
        vault.extend(self.shreds());
        let write = |(key, row)| Write { key, row };
        let guard =
            |(key, seen): (_, Option<Versioned>)| Guard { key, version: seen.map_or(0, |seen| seen.version) };
        let commit = Commit {
            decisions: vec![decision],
            guards: self.seen.into_sorted().into_iter().map(guard).collect(),
            writes: self.changed.into_sorted().into_iter().map(write).collect(),
            events: self.events,
            bodies,
            notices: self.notices,
            vault,
        };
        Ok(Decision { commit, pending: Pending::new(decision, answer, self.unsigned) })
    }

    /// The secrets that nobody has to be given any more.
    fn shreds(&self) -> Vec<VaultWrite> {
        let mut shreds = Vec::new();
        for (key, after) in self.changed.iter() {
            let Some(Some(before)) = self.seen.get(key) else { continue };
            let held = after.record.held_secrets();
            let gone = before.record.held_secrets().into_iter().filter(|id| !held.contains(id));
            shreds.extend(gone.map(|id| VaultWrite::Shred { id }));
        }
        shreds
    }
}

/// A map of few keys. A decision looks at a handful of records, and a list is faster than a tree there.
struct Few<V>(Vec<(Key, V)>);

impl<V> Default for Few<V> {
    fn default() -> Self {
        Self(Vec::with_capacity(4))
    }
}

impl<V> Few<V> {
    fn get(&self, key: &Key) -> Option<&V> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        self.0.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn insert(&mut self, key: Key, value: V) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    fn remove(&mut self, key: &Key) -> Option<V> {
        let place = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.swap_remove(place).1)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &(Key, V)> {
        self.0.iter()
    }

    fn into_sorted(mut self) -> Vec<(Key, V)> {
        self.0.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.0
    }
}

fn mistyped<T>(key: &Key, record: &Record) -> Step<T> {
    Err(Stop::Fail(Error::CorruptRecord(format!("{key} holds a {} record", record.index().record))))
}
