//! Holds an answer of the store against the model, and says what is to be mended.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::model::Model;
use crate::{
    record::{Key, Row},
    time::Timestamp,
    vocabulary::{Commit, Guard},
};

/// What is wrong.
pub(super) type Verdict = Result<(), String>;

/// What the store did last: it tells where to look for the mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// Nothing of note.
    Nothing,
    /// A commit gave `true`.
    Held,
    /// A commit gave `false`.
    Refused,
    /// It was opened again.
    Reopened,
}

/// Judges what `commit` gave.
pub(super) fn held(commit: &Commit, broken: Option<(&Guard, u64)>, held: bool) -> Verdict {
    match (broken, held) {
        (None, true) | (Some(_), false) => Ok(()),
        (None, false) if commit.is_empty() => {
            Err("commit gave false although every guard held: a batch that changes nothing holds when its guards hold"
                .to_owned())
        }
        (None, false) => Err(
            "commit gave false although every guard held: version 0 means that there is no row, and every other version \
             that the row has exactly this one"
                .to_owned(),
        ),
        (Some((guard, found)), true) => Err(broken_guard(commit, guard, found)),
    }
}

fn broken_guard(commit: &Commit, Guard { key, version }: &Guard, found: u64) -> String {
    let written = commit.writes.iter().any(|write| write.key == *key);
    match (version, found) {
        (0, found) => format!(
            "commit gave true although {key} was guarded as absent and has version {found}: a guard of version 0 holds \
             only when there is no such row"
        ),
        (version, 0) => format!(
            "commit gave true although {key} was guarded at version {version} and has no row: a row that is absent has \
             version 0"
        ),
        (version, found) if written => format!(
            "commit gave true although {key}, which it replaces, was guarded at version {version} and has version \
             {found}: compare the version inside the transaction, for equality, before replacing a row"
        ),
        (version, found) => format!(
            "commit gave true although {key}, which it only looked at, was guarded at version {version} and has version \
             {found}: every guard counts, not only those of the rows that are written"
        ),
    }
}

/// Says what a `commit` that raised should have done.
pub(super) fn raised(model: &Model, commit: &Commit, broken: Option<(&Guard, u64)>, text: &str) -> String {
    let hint = if broken.is_some() {
        "it should have given false: a guard that does not hold is no error"
    } else if model.counts_again(commit) {
        "it should have given true: where a notice of that key is counted already, add 1 to its row"
    } else if model.was_refused(&commit.events) {
        "it should have given true: a batch about these rows was refused before and must have left nothing behind"
    } else {
        "it should have given true"
    };
    format!("commit raised, and {hint} ({text})")
}

/// Judges what `read` gave.
pub(super) fn rows(model: &Model, asked: &[Key], rows: &[Row], last: Last) -> Verdict {
    let mut given = BTreeMap::new();
    for row in rows {
        if !asked.contains(&row.key) {
            return Err(format!("read gives {}, which was not asked for", row.key));
        }
        if given.insert(&row.key, row).is_some() {
            return Err(format!("read gives {} twice: each row that exists, once", row.key));
        }
    }
    for key in asked {
        match (model.row(key), given.get(key)) {
            (None, None) => {}
            (Some(right), Some(row)) => same(&right, row, last)?,
            (Some(right), None) => return Err(missing(&right, asked.len(), last)),
            (None, Some(_)) => return Err(unexpected(model, key, last)),
        }
    }
    Ok(())
}

fn missing(Row { key, version, .. }: &Row, asked: usize, last: Last) -> String {
    match last {
        Last::Reopened => format!(
            "{key} is gone after the store was opened again: commit may give true only when the transaction is durable"
        ),
        Last::Refused => format!(
            "read gives no row for {key}, which was there before a commit that gave false: a batch is done as a whole or \
             not at all"
        ),
        Last::Nothing | Last::Held => format!(
            "read gives no row for {key}, which was committed with version {version}: every row that exists, of the \
             {asked} keys that were asked for"
        ),
    }
}

fn unexpected(model: &Model, key: &Key, last: Last) -> String {
    if model.is_shredded(key) {
        let when =
            if last == Last::Reopened { "after the store was opened again" } else { "after it was shredded" };
        return format!(
            "{key} can still be read {when}: a row of the vault without a ciphertext deletes the one of that key"
        );
    }
    match last {
        Last::Refused => format!(
            "{key} has a row although commit gave false: a batch is done as a whole or not at all, vault and all"
        ),
        Last::Nothing | Last::Held | Last::Reopened => format!(
            "read gives a row for {key}, which nobody committed: a key without a row is left out of the answer, and keys \
             are compared byte for byte"
        ),
    }
}

fn same(right: &Row, row: &Row, last: Last) -> Verdict {
    let key = &right.key;
    if row.version != right.version {
        return Err(version(right, row.version, last));
    }
    if row.body == right.body {
        return Ok(());
    }
    let common = right.body.bytes().zip(row.body.bytes()).take_while(|(a, b)| a == b).count();
    Err(format!(
        "the text of {key} came back changed from byte {common} on ({} bytes were committed, {} came back): keep it as \
         opaque text, byte for byte, in a column without a limit, and not as JSON that the database writes anew",
        right.body.len(),
        row.body.len()
    ))
}

fn version(Row { key, version, .. }: &Row, given: u64, last: Last) -> String {
    if matches!(key, Key::Secret(_)) {
        return format!("read gives {key} with version {given}: rows of the vault have version 1");
    }
    match last {
        Last::Refused if given > *version => format!(
            "{key} has version {given} although the commit of it gave false: a batch is done as a whole or not at all"
        ),
        Last::Reopened if given < *version => format!(
            "{key} has version {given} after the store was opened again, and version {version} was committed: commit may \
             give true only when the transaction is durable"
        ),
        Last::Nothing | Last::Held | Last::Refused | Last::Reopened => format!(
            "read gives version {given} of {key}, and version {version} was committed: read must see every commit that \
             gave true, with the version of its write"
        ),
    }
}

/// Judges what `due` gave.
pub(super) fn due(model: &Model, now: Timestamp, limit: usize, keys: &[Key]) -> Verdict {
    if keys.len() > limit {
        return Err(format!("due gives {} keys, and at most {limit} were asked for", keys.len()));
    }
    let given: BTreeSet<_> = keys.iter().collect();
    if given.len() < keys.len() {
        return Err("due gives a key twice".to_owned());
    }
    let mut latest = None;
    for key in keys {
        let at = match model.wake_at(key) {
            Some(at) if at <= now => at,
            Some(at) => {
                return Err(format!("due gives {key} at {now}, and its latest write has wake_at {at}"));
            }
            None => {
                return Err(format!(
                    "due gives {key}, and its latest write has no wake_at: nothing is due about it"
                ));
            }
        };
        if latest.is_some_and(|latest| at < latest) {
            return Err(format!(
                "due gives {key}, which is due since {at}, too late: the earliest wake_at comes first"
            ));
        }
        latest = Some(at);
    }
    let left_out = model.wakes().into_iter().find(|(at, key)| *at <= now && !given.contains(key));
    match left_out {
        None => Ok(()),
        Some((at, key)) if keys.len() < limit && at == now => Err(format!(
            "due leaves out {key}, whose wake_at is {now} exactly: what has wake_at <= now is due"
        )),
        Some((at, key)) if keys.len() < limit => Err(format!(
            "due leaves out {key}, which is due since {at}, and gives {} of {limit} keys",
            keys.len()
        )),
        Some((at, key)) if latest.is_some_and(|latest| at < latest) => Err(format!(
            "due leaves out {key}, which is due since {at}, for others that are due later: the earliest wake_at comes \
             first, and then the limit"
        )),
        Some(_) => Ok(()),
    }
}

/// Judges the events of a record.
pub(super) fn events(model: &Model, key: &Key, bodies: &[String]) -> Verdict {
    let right = model.events(key);
    let counts = format!("{key} has {} events, and {} were committed", bodies.len(), right.len());
    match (bodies.len().cmp(&right.len()), right.iter().zip(bodies).position(|(a, b)| a != b)) {
        (Ordering::Less, _) => Err(counts),
        (Ordering::Greater, _) => Err(format!("{counts}: a batch that gave false must leave none")),
        (Ordering::Equal, Some(place)) => Err(format!(
            "event {place} of {key}, counted from 0, is not what was committed: keep the text as it is, and give the \
             events in the order of their versions"
        )),
        (Ordering::Equal, None) => Ok(()),
    }
}
