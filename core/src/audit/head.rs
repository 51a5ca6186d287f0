//! The ends of the chains, and one line about all of them.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Break, chain::Entry};
use crate::{
    crypto::Backend,
    id::{Digest, InvalidId},
    json,
};

/// The last event of a record: how far its chain goes. Also the checkpoint that is left when older facts are forgotten.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The record.
    pub key: String,
    /// Its version.
    pub version: u64,
    /// SHA-256 over the body of its last event, as stored.
    pub digest: Digest,
}

impl Head {
    /// The head that a record has with this as its last event.
    ///
    /// # Errors
    /// A [`Break`] when the body is not an event as handfast writes it.
    pub fn of(body: &str, backend: &dyn Backend) -> Result<Self, Break> {
        let entry = Entry::read(body)?;
        Ok(Self { digest: digest(body, backend), version: entry.version, key: entry.key })
    }
}

/// The digest by which the next event of the record refers to this one.
pub(super) fn digest(body: &str, backend: &dyn Backend) -> Digest {
    Digest::new(backend.sha256(body.as_bytes()))
}

/// One line about any number of heads (of a scope, or of the whole log), to be published where whoever keeps the log
/// cannot write: a ticket, a mailing list, a transparency log, another account's bucket.
///
/// Keep the heads beside the log, publish the line: `handfast-audit-1 <records> <facts> <digest>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// How many records there are.
    pub records: u64,
    /// How many facts there are, those included that were forgotten.
    pub facts: u64,
    /// The Merkle tree hash (RFC 6962 section 2.1) over the heads in the order of their keys, each as RFC 8785 JSON.
    pub digest: Digest,
}

const FORMAT: &str = "handfast-audit-1";

impl Root {
    /// Computes the line. The order of the heads does not matter; of two with the same key the later version counts.
    #[must_use]
    pub fn over(heads: impl IntoIterator<Item = Head>, backend: &dyn Backend) -> Self {
        let mut sorted = BTreeMap::<String, Head>::new();
        for head in heads {
            match sorted.get(&head.key) {
                Some(known) if *known >= head => {}
                Some(_) | None => drop(sorted.insert(head.key.clone(), head)),
            }
        }
        let leaf = |head: &Head| backend.sha256(&[b"\0", json::canonical_of(head).as_bytes()].concat());
        let leaves: Vec<_> = sorted.values().map(leaf).collect();
        Self {
            records: u64::try_from(leaves.len()).unwrap_or(u64::MAX),
            facts: sorted.values().fold(0, |sum, head| sum.saturating_add(head.version)),
            digest: Digest::new(tree_hash(&leaves, backend)),
        }
    }
}

/// RFC 6962 section 2.1: the left half is the largest power of two that leaves something for the right.
fn tree_hash(leaves: &[[u8; 32]], backend: &dyn Backend) -> [u8; 32] {
    match leaves {
        [] => backend.sha256(b""),
        [leaf] => *leaf,
        [..] => {
            let half = leaves.len().div_ceil(2).next_power_of_two();
            let (left, right) = leaves.split_at_checked(half).unwrap_or((leaves, &[]));
            backend
                .sha256(&[b"\x01".as_slice(), &tree_hash(left, backend), &tree_hash(right, backend)].concat())
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{FORMAT} {} {} {}", self.records, self.facts, self.digest)
    }
}

impl FromStr for Root {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("Root", "handfast-audit-1, two numbers and a digest");
        let [FORMAT, records, facts, digest] = *text.split(' ').collect::<Vec<_>>() else {
            return Err(invalid());
        };
        let number = |text: &str| text.parse().map_err(|_| invalid());
        let root = Self { records: number(records)?, facts: number(facts)?, digest: digest.parse()? };
        if root.to_string() == text { Ok(root) } else { Err(invalid()) }
    }
}
