//! A ledger from its history.

use super::Ledger;
use crate::{
    crypto::Backend,
    id::Digest,
    record::{Key, UNLINKED_SCHEMA, Versioned, apply},
    vocabulary::{Error, Event},
};

impl Ledger {
    /// Folds a history, the bodies of its events as they are stored, into records, bit for bit as they were, and checks
    /// that each fact is linked to the one before it of its record. A history holds no secrets, so the vault stays
    /// empty.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] when an event is missing, altered or does not fit; [`Error::NewerSchema`].
    pub fn replay<T: AsRef<str>>(
        bodies: impl IntoIterator<Item = T>,
        backend: &dyn Backend,
    ) -> Result<Self, Error> {
        let mut ledger = Self::new();
        for body in bodies {
            ledger.replay_one(body.as_ref(), backend)?;
        }
        ledger.feed.end_history();
        Ok(ledger)
    }

    fn replay_one(&mut self, body: &str, backend: &dyn Backend) -> Result<(), Error> {
        let event = Event::from_body(body)?;
        let corrupt = |why| Error::CorruptRecord(format!("event {} of {} {why}", event.version, event.key));
        let before = self.records.look(&event.key);
        let (version, head) = before.map_or((0, None), |row| (row.version, row.head));
        if event.version != version.saturating_add(1) {
            return Err(corrupt("follows none"));
        }
        if event.previous != head && event.schema > UNLINKED_SCHEMA {
            return Err(corrupt("is not linked to the one before it"));
        }
        let record = before.map(|row| row.kept.record());
        let record = apply(record, &event).ok_or_else(|| corrupt("does not fit"))?;
        let head = (event.schema > UNLINKED_SCHEMA).then(|| Digest::new(backend.sha256(body.as_bytes())));
        let number = self.put(event.key.clone(), Versioned { version: event.version, head, record });
        if let Key::Subject(scope, _) = &event.key {
            self.feed.change(scope, number, event.decision);
        }
        Ok(())
    }
}
