//! Checks that a log is what was written: each fact of a record follows the one that it was written after.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{Break, Fault, Head, head::digest};
use crate::{code::Code, crypto::Backend, id::Digest, json, limits, record::UNLINKED_SCHEMA};

/// Reads a log in the order in which it was written. The facts of different records may lie between each other in any
/// way; a host that wants the chain of one scope feeds the events of that scope.
///
/// What it proves: between the beginning (or a checkpoint) and an expected head, no fact of a record was altered, added,
/// dropped, doubled or moved. What it does not prove: that nothing is missing after the last head that anybody else
/// knows of. Hence [`Chain::expect`].
#[derive(Clone, Debug)]
pub struct Chain {
    backend: Arc<dyn Backend>,
    fed: u64,
    unlinked: u64,
    ends: BTreeMap<String, End>,
    expected: BTreeMap<(String, u64), Digest>,
    others: Vec<Break>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    version: u64,
    digest: Digest,
    schema: Option<u64>,
}

impl Chain {
    /// A chain that begins with the first fact of each record.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        let (ends, expected) = (BTreeMap::new(), BTreeMap::new());
        Self { backend, fed: 0, unlinked: 0, ends, expected, others: Vec::new() }
    }

    /// A chain that goes on from checkpoints: heads that were checked before their facts were removed. They are
    /// believed; keep them where the keeper of the log cannot write.
    #[must_use]
    pub fn resume(backend: Arc<dyn Backend>, checkpoints: impl IntoIterator<Item = Head>) -> Self {
        let end = |head: Head| (head.key, End { version: head.version, digest: head.digest, schema: None });
        Self { ends: checkpoints.into_iter().map(end).collect(), ..Self::new(backend) }
    }

    /// Demands that the log lead through these heads, as they were published. Call it before the first
    /// [`Chain::feed`]; heads that are older than a checkpoint cannot be reached any more.
    pub fn expect(&mut self, heads: impl IntoIterator<Item = Head>) {
        for head in heads {
            match self.ends.get(&head.key) {
                Some(end) if end.version == head.version => {
                    let actual = end.digest;
                    self.compare(&head, actual);
                }
                Some(_) | None => drop(self.expected.insert((head.key, head.version), head.digest)),
            }
        }
    }

    /// Takes the next body of the log, as it is stored. After a break it goes on from what it was given, so that one
    /// break is told once.
    ///
    /// # Errors
    /// A [`Break`] for this body.
    pub fn feed(&mut self, body: &str) -> Result<(), Break> {
        let position = Some(self.fed);
        self.fed = self.fed.saturating_add(1);
        let entry = Entry::parse(body);
        let entry = entry.map_err(|fault| Break { position, key: None, version: None, fault })?;
        let link = self.link(&entry, digest(body, &*self.backend));
        let fault = if entry.canonical { link } else { Some(Fault::NotCanonical) };
        match fault {
            Some(fault) => {
                Err(Break { position, key: Some(entry.key.into()), version: Some(entry.version), fault })
            }
            None => Ok(()),
        }
    }

    fn link(&mut self, entry: &Entry, digest: Digest) -> Option<Fault> {
        let end = self.ends.get(&entry.key).copied();
        let next = end.map_or(1, |end| end.version.saturating_add(1));
        if entry.version < next {
            return Some(Fault::Repeated);
        }
        let fault = if entry.version > next {
            Some(Fault::Missing { first: next, last: entry.version.saturating_sub(1) })
        } else {
            self.fault(entry, end)
        };
        let reached = End { version: entry.version, digest, schema: Some(entry.schema) };
        self.ends.insert(entry.key.clone(), reached);
        if let Some(expected) = self.expected.remove(&(entry.key.clone(), entry.version)) {
            let head = Head { key: entry.key.clone(), version: entry.version, digest: expected };
            self.compare(&head, digest);
        }
        fault
    }

    /// Whether the digest that the entry bears is that of the version before it.
    fn fault(&mut self, entry: &Entry, end: Option<End>) -> Option<Fault> {
        match (end, entry.previous) {
            (None, None) => None,
            (Some(end), Some(borne)) if borne == end.digest => None,
            (end, Some(borne)) => Some(Fault::WrongDigest { actual: end.map(|end| end.digest), borne }),
            (Some(end), None) if [Some(entry.schema), end.schema].contains(&Some(UNLINKED_SCHEMA.into())) => {
                self.unlinked = self.unlinked.saturating_add(1);
                None
            }
            (Some(_), None) => Some(Fault::Unlinked),
        }
    }

    fn compare(&mut self, expected: &Head, actual: Digest) {
        if expected.digest != actual {
            let fault = Fault::OtherHead { actual, expected: expected.digest };
            let (key, version) = (Some(expected.key.clone().into()), Some(expected.version));
            self.others.push(Break { position: None, key, version, fault });
        }
    }

    /// Says which of the expected heads the log has contradicted or never reached. Empty: it led through all of them.
    #[must_use]
    pub fn finish(&self) -> Vec<Break> {
        let unreached = |(key, version): &(String, u64)| Break {
            position: None,
            key: Some(key.as_str().into()),
            version: Some(*version),
            fault: Fault::Unreached,
        };
        self.others.iter().cloned().chain(self.expected.keys().map(unreached)).collect()
    }

    /// Where the chains end now, in the order of their keys: the checkpoints for what comes later, and what a
    /// [`Root`](super::Root) is computed over.
    pub fn heads(&self) -> impl Iterator<Item = Head> {
        let head =
            |(key, end): (&String, &End)| Head { key: key.clone(), version: end.version, digest: end.digest };
        self.ends.iter().map(head)
    }

    /// How many bodies were fed.
    #[must_use]
    pub fn fed(&self) -> u64 {
        self.fed
    }

    /// How many of them stand unlinked behind another, as those of schema 1 do: they can be altered without a trace.
    #[must_use]
    pub fn unlinked(&self) -> u64 {
        self.unlinked
    }
}

/// What places a body in its chain.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) version: u64,
    schema: u64,
    previous: Option<Digest>,
    canonical: bool,
}

impl Entry {
    /// Reads a body that must be canonical.
    pub(super) fn read(body: &str) -> Result<Self, Break> {
        let broken = |fault| Break { position: None, key: None, version: None, fault };
        let entry = Self::parse(body).map_err(broken)?;
        if entry.canonical { Ok(entry) } else { Err(broken(Fault::NotCanonical)) }
    }

    fn parse(body: &str) -> Result<Self, Fault> {
        let (value, canonical) = match json::parse_canonical(body, limits::EVENT_BYTES) {
            Ok(value) => (value, true),
            Err(error) if error.code() == Code::NotCanonicalJson => {
                (json::parse(body.as_bytes(), limits::EVENT_BYTES).map_err(|_| Fault::Malformed)?, false)
            }
            Err(_) => return Err(Fault::Malformed),
        };
        Self::place(&value, canonical).ok_or(Fault::Malformed)
    }

    fn place(value: &Value, canonical: bool) -> Option<Self> {
        let is_key = |key: &&str| {
            !key.is_empty()
                && key.len() <= limits::RECORD_KEY_BYTES
                && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let previous = match value.get("previous") {
            None => None,
            Some(digest) => Some(digest.as_str()?.parse().ok()?),
        };
        Some(Self {
            key: value.get("key")?.as_str().filter(is_key)?.to_owned(),
            version: value.get("version")?.as_u64().filter(|version| *version > 0)?,
            schema: value.get("schema")?.as_u64()?,
            previous,
            canonical,
        })
    }
}
